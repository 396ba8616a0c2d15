/* Between our own standard input and output and the container's terminal. */
#pragma once
#include <poll.h>
#include <stdbool.h>

enum { PUMP_FDS = 3 };
void pump_start(int master, bool with_input);    /* master -1: there is no terminal, and all else does nothing */
int pump_prepare(struct pollfd fds[PUMP_FDS]);   /* what to wait for; returns poll's timeout */
void pump_move(const struct pollfd fds[PUMP_FDS]);
bool pump_is_dry(void);                          /* after the program's end: all of its output is out */
void pump_resize(unsigned rows, unsigned columns);
void pump_resize_to_ours(void);
void pump_stop(void);
