/* The program runs: what its parent still has to do. */
#pragma once
#include "hand.h"

int supervise(struct hand *);  /* until the program has ended: its wait status */
enum { NOT_RUN = 125 };
int failure_code(const struct step *, int error);
int exit_code(int wait_status);
int write_status(const char *path, int wait_status); /* 0 or errno */
