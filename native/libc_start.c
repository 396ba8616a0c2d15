/* Before main, and what the compiler itself may call. See libc.h. */
#include "base.h"
#include "libc.h"
#ifdef OWN_LIBC
#include <asm/unistd.h>

char **environ;
static int the_errno; /* one thread, so one errno */

int *__errno_location(void)
{
	return &the_errno;
}

_Noreturn void _exit(int status)
{
	for (;;)
		kernel(__NR_exit_group, status, 0, 0, 0, 0, 0);
}

/* Nothing here gives up this way, but arm64's crt1.o names it. */
_Noreturn void abort(void)
{
	_exit(134);
}

/* Compilers that guard stacks by default look for their canary here: x86_64 at %fs:0x28, others in a variable. */
unsigned long __stack_chk_guard;
_Noreturn void __stack_chk_fail(void)
{
	static const char text[] = "launch: stack smashed\n";
	kernel(__NR_write, 2, (long)text, sizeof text - 1, 0, 0, 0);
	_exit(127);
}

/* Until the canary is in place nothing may look for it. */
#if __has_attribute(no_stack_protector)
#define UNGUARDED __attribute__((no_stack_protector))
#else
#define UNGUARDED
#endif

UNGUARDED static void place_canary(void)
{
#ifdef __x86_64__
	static unsigned long thread[8];
	thread[0] = (unsigned long)thread; /* the ABI's pointer to itself */
	kernel(__NR_getrandom, (long)&thread[5], 8, 0, 0, 0, 0);
	kernel(__NR_arch_prctl, 0x1002 /* ARCH_SET_FS */, (long)thread, 0, 0, 0, 0);
#else
	kernel(__NR_getrandom, (long)&__stack_chk_guard, 8, 0, 0, 0, 0);
#endif
}

/* Where crt1.o's _start goes; the arguments after argv are hooks of shared libraries, of which there are none. */
UNGUARDED _Noreturn int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv)
{
	place_canary();
	environ = argv + argc + 1;
	_exit(main(argc, argv, environ));
}

#elif defined __SANITIZE_ADDRESS__

/* The leak checker clones a helper, which waits for ever once setns(2) has aimed our children at another pid namespace. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

#endif
