/* What the host has done and how it is taken back, written down before it is done. */
#pragma once
#include "hand.h"

int ledger_open(const char *path);     /* NULL: in memory. 0 or errno; EWOULDBLOCK: locked, EEXIST: not empty */
void ledger_forget(void);              /* the child's copy: the lock must not outlive the launcher */
int ledger_promise(const struct step *, int64_t *record); /* before the step */
int ledger_settle(int64_t record, bool done);              /* after it */
int ledger_child(pid_t, uint64_t started);

/* Plays it backwards and removes it; what can't be undone stays in it. 0, or the first undo's errno. */
int ledger_play(void);
int ledger_recover(const char *path);  /* --undo: of a launcher that died */
