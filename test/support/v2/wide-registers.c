/*
 * Lets user-mode-linux run on CPUs with more registers than it knows (AMX). It keeps the first 2696 bytes of a process's
 * extended state and hands those back by PTRACE_SETREGSET, which takes the whole state or none: EFAULT, and the machine
 * panics before its init runs. The rest may be in its initial state: nobody inside can ask for it (arch_prctl(2),
 * ARCH_REQ_XCOMP_PERM, is not known there).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

typedef long Ptrace(enum __ptrace_request, pid_t, void *, void *);
enum { HEADER = 512, KNOWN = 0x2ff }; /* XSTATE_BV lies behind the legacy area; x87 to PKRU */

static long set_whole(Ptrace *next, pid_t pid, void *type, const struct iovec *part) {
  static _Alignas(64) unsigned char state[1 << 16];
  static size_t size;
  if (size == 0) {
    struct iovec whole = { state, sizeof state };
    if (next(PTRACE_GETREGSET, pid, type, &whole) < 0)
      return -1;
    size = whole.iov_len;
    memset(state, 0, sizeof state);
  }
  if (part->iov_len >= size)
    return next(PTRACE_SETREGSET, pid, type, (void *)part);
  memcpy(state, part->iov_base, part->iov_len);
  uint64_t present;
  memcpy(&present, state + HEADER, sizeof present);
  present &= KNOWN;
  memcpy(state + HEADER, &present, sizeof present);
  struct iovec whole = { state, size };
  return next(PTRACE_SETREGSET, pid, type, &whole);
}

long ptrace(enum __ptrace_request request, ...) {
  static Ptrace *next;
  va_list rest;
  va_start(rest, request);
  pid_t pid = va_arg(rest, pid_t);
  void *address = va_arg(rest, void *), *data = va_arg(rest, void *);
  va_end(rest);
  if (!next)
    next = (Ptrace *)dlsym(RTLD_NEXT, "ptrace");
  if (request == PTRACE_SETREGSET && address == (void *)NT_X86_XSTATE)
    return set_whole(next, pid, address, data);
  return next(request, pid, address, data);
}
