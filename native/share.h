/* What several containers share, such as a bridge: flock(2) counts its users, and forgets those who died. */
#pragma once
#include <stdbool.h>

bool share_is_ours_alone(const char *path); /* gives our own share up; asked once, the answer stays */
void share_forget(void);
