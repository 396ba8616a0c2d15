/* The asker's socket, and signals: everything that reaches the launcher from outside. */
#pragma once
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <sys/signalfd.h>

enum { AT = 1, DONE, STEP_FAILED, BORN, RUNS, EXITED, UNDONE, CLEAN, REFUSED, SAID, LEAVES, TAKEN };
struct event { uint32_t type, step; int32_t error; uint32_t value; uint64_t ns; };
_Static_assert(sizeof(struct event) == 24, "native/README.md");

enum { GO = 1, RUN, SIGNAL, WINSIZE, ABORT };
struct command { uint32_t type, value; };

void control_open(int fd);
int control_fd(void);             /* -1: nobody asked, or the asker is gone */
bool control_lost(void);
void control_close(void);
void event(struct event);
void said(const char *text);         /* what somebody else has to say about a failure, in pieces */
void events_flush(void);
int next_command(struct command *); /* 1 one came, 0 none yet, -1 the asker is gone or talks nonsense */

void signals_open(void);
int signals_fd(void);
void signals_close(void);
bool next_signal(struct signalfd_siginfo *);
bool signal_ends(int signal);     /* one that means "stop what you are doing" */

sigset_t signal_set(uint64_t bits);
void default_action(int signal);

uint64_t now(void);
