#pragma once
#include "hand.h"

enum attention { NOTHING, READY, WENT, RELEASED, STOPPED }; /* READY: fd; WENT, RELEASED: commands go, run */

/* Waits (timeout -1) or looks (0) for something to read from fd, for the asker, and for a signal to stop. */
enum attention attend(struct hand *, int fd, int timeout, bool running, struct outcome *);
