/*
 * Makes system calls by number, from the program that a container runs:  probe nr[,arg…]…
 * Prints for each what it returned, a negative errno for an error. `x` before the number: by int 0x80, as 32-bit code.
 * An argument that is no number is passed as a string; `@` alone is 64 bytes of memory.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char memory[6][64];

static long argument(char *text, int at)
{
	char *end;
	long number = (long)strtoull(text, &end, 0);
	return !*end ? number : strcmp(text, "@") == 0 ? (long)memory[at] : (long)text;
}

static long by_interrupt(long nr, const long *a)
{
#ifdef __x86_64__
	long got;
	__asm__ volatile("int $0x80" : "=a"(got) : "a"(nr), "b"(a[0]), "c"(a[1]), "d"(a[2]), "S"(a[3]), "D"(a[4]) : "memory", "r8", "r9", "r10", "r11");
	return (int)got;
#else
	return (void)nr, (void)a, -ENOSYS;
#endif
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	for (int i = 1; i < argc; i++) {
		long a[6] = { 0 }, nr = 0;
		int narrow = argv[i][0] == 'x', at = -1;
		for (char *word = strtok(argv[i] + narrow, ","); word && at < 6; word = strtok(NULL, ","), at++)
			*(at < 0 ? &nr : &a[at]) = argument(word, at < 0 ? 0 : at);
		long got = narrow ? by_interrupt(nr, a) : syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
		printf("%ld\n", got == -1 && !narrow ? -(long)errno : got);
	}
}
