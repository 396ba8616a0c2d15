/* The program runs: what its parent still has to do. */
#pragma once
#include "hand.h"

int supervise(struct hand *);  /* until the program has ended: its wait status */
int exit_code(int wait_status);
int write_status(const char *path, int wait_status); /* 0 or errno */
