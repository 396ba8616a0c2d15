/* Standard error, for when nobody listens on a socket. No stdio: it would be resident beside every container. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { NUMBER_MAX = 24 };
char *number(char buffer[NUMBER_MAX], uint64_t value);
void say(const char *first, ...) __attribute__((sentinel)); /* "launch: ", the pieces up to NULL, newline */
const char *error_name(int error);
const char *error_text(int error);
