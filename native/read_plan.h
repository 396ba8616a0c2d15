#pragma once
#include "options.h"
#include "plan.h"

int read_plan(const struct options *, struct plan *); /* 0 or errno; EBADMSG: refused, and said so */
int check_plan(void);                                  /* --check: an exit status */
