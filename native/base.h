/* First in every file: what the headers after it are asked for. */
#pragma once
#define _GNU_SOURCE
/* Ubuntu's gcc sets it by itself; its checked twins of memcpy and read are glibc's, and would bring in all of it (libc.h). */
#undef _FORTIFY_SOURCE
