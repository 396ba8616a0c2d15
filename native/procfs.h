/* The little that the launcher reads from /proc. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

int process_started(int pid, uint64_t *ticks); /* field 22 of /proc/<pid>/stat: 0 or errno */
/* Calls `each` with the number at the start of each word of a file; returns how many, or -1. */
int each_number(const char *path, void (*each)(int));
