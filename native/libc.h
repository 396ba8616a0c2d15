/*
 * Why the launcher brings the little that it needs of a C library: every running container keeps one launcher, each
 * in a sealed memory copy of its own (seal.c), and glibc's static start alone is 700 KiB of it. This is 20.
 * These files define functions by their standard names, so the linker takes nothing from libc.a. Under the
 * sanitizers, and on machines whose system call isn't written down here, the real library is used instead.
 */
#pragma once
#if !defined __SANITIZE_ADDRESS__ && (defined __x86_64__ || defined __aarch64__)
#define OWN_LIBC 1

/* One system call, raw: a negative errno comes back as such (syscall(2), "Architecture calling conventions"). */
static inline long kernel(long number, long a, long b, long c, long d, long e, long f)
{
#ifdef __x86_64__
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
	long got;
	__asm__ volatile("syscall" : "=a"(got)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return got;
#else
	register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = f;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
#endif
}
#endif
