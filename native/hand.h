/* The two hands: what each needs to do its steps. See host.c and child.c. */
#pragma once
#include "plan.h"
#include <sys/types.h>

struct hand {
	const struct plan *plan;
	int slots[SLOTS];       /* descriptors by name; -1 free */
	int sync;               /* to the other hand: SOCK_SEQPACKET, so that its end tells of a death */
	pid_t child;            /* the host's: 0 before clone */
	int terminal;           /* the host's: a pty's master that the child handed over, or -1 */
	mode_t umask;           /* what the program gets: inherited, or set by a step */
	int pass;               /* so many descriptors of the asker's, from 3 on, are the program's */
	const char *pid_name;   /* the child's: the variable that will hold the program's own pid, or NULL */
	bool detach;            /* once the program runs, losing the asker is no reason to stop */
	bool leave;             /* the program is for somebody else to look after: go once it runs */
	int result;             /* the child's: where it tells what went wrong when it has been left, or -1 */
	bool left;              /* the child's: past `await`, where the host hand has gone for good */
};

void hand_init(struct hand *, const struct plan *);
int hand_put(struct hand *, int slot, int fd);       /* takes fd over; a slot of -1 closes it */
int hand_fd(const struct hand *, int slot);          /* -1 when empty: calls then say EBADF */
void hand_drop(struct hand *);                       /* all slots but the terminal: they keep mounts busy */

/* One step by this hand: 0 or errno, and the time it took. */
int hand_perform(struct hand *, const struct step *, uint64_t *ns);
bool step_tolerates(const struct step *, int error);
const char *step_text(const struct step *, char *buffer, size_t size); /* mount("proc", "/proc") */

enum ending { ENDED, RUNNING, LEFT, FAILED, ABORTED };
struct outcome {
	enum ending ending;
	uint32_t step;
	int error;              /* FAILED: errno. ABORTED: the signal that asked for it, or 0 */
};

/* The host's: down the whole list. On anything but RUNNING and LEFT the child, if there is one, is still to be killed. */
struct outcome host_perform(struct hand *, bool stepping);
void host_kill_child(struct hand *);

/* The child's: what the host asks for, until exec. */
_Noreturn void child_perform(struct hand *);
void child_report_descriptor(struct hand *, int slot);
int child_report_listener(struct hand *, int slot, int fd);
void prepare_exec(struct hand *, const struct step *exec);
bool child_is_orphan(const struct hand *); /* the host hand is gone: nobody would undo what we do */

/* Between the hands. Reports have the shape of an event (control.h); these types never leave the launcher. */
struct run { uint32_t first, end; };
enum { REPORT_READY = 101, REPORT_EXEC, REPORT_AWAIT, REPORT_DESCRIPTOR, REPORT_LISTENER };
enum { REPORTS_MAX = 64 };
