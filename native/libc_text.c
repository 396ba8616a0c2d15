/* string.h. The empty asm keeps the compiler from recognising a loop as a call of the function that it is in. */
#include "base.h"
#include "libc.h"
#ifdef OWN_LIBC
#include <stdint.h>
#include <string.h>

#define PLAIN_LOOP __asm__ volatile("")

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		PLAIN_LOOP;
		((char *)to)[i] = ((const char *)from)[i];
	}
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		PLAIN_LOOP;
		((char *)to)[i] = (char)byte;
	}
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *one = a, *two = b;
	for (size_t i = 0; i < size; i++)
		if (one[i] != two[i])
			return one[i] - two[i];
	return 0;
}

void *memchr(const void *in, int byte, size_t size)
{
	const unsigned char *at = in;
	for (size_t i = 0; i < size; i++)
		if (at[i] == (unsigned char)byte)
			return (void *)(at + i);
	return NULL;
}

size_t strnlen(const char *text, size_t most)
{
	size_t length = 0;
	while (length < most && text[length]) {
		PLAIN_LOOP;
		length++;
	}
	return length;
}

size_t strlen(const char *text)
{
	return strnlen(text, PTRDIFF_MAX);
}

char *strcpy(char *restrict to, const char *restrict from)
{
	return memcpy(to, from, strlen(from) + 1);
}

char *strcat(char *restrict to, const char *restrict from)
{
	memcpy(to + strlen(to), from, strlen(from) + 1);
	return to;
}

int strncmp(const char *a, const char *b, size_t most)
{
	for (size_t i = 0; i < most; i++)
		if (a[i] != b[i] || !a[i])
			return (unsigned char)a[i] - (unsigned char)b[i];
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, PTRDIFF_MAX);
}

char *strchr(const char *text, int c)
{
	return memchr(text, c, strlen(text) + 1);
}

char *strrchr(const char *text, int c)
{
	for (size_t at = strlen(text) + 1; at-- > 0;)
		if (text[at] == (char)c)
			return (char *)(text + at);
	return NULL;
}

size_t strspn(const char *text, const char *of)
{
	size_t length = 0;
	while (text[length] && strchr(of, text[length]))
		length++;
	return length;
}

size_t strcspn(const char *text, const char *until)
{
	size_t length = 0;
	while (!strchr(until, text[length])) /* finds the NUL too */
		length++;
	return length;
}

#endif
