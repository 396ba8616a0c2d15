/* The ledger's bytes (native/README.md), and playing them. */
#pragma once
#include <stdint.h>

#define LEDGER_MAGIC "TSLABLG1"
enum { PROMISED = 'p', SETTLED = 'd', VOID = 'v', THE_CHILD = 'c', THE_LAUNCHER = 'l' };

struct record_head { uint32_t length; char state; char zero[3]; };
struct child_body { uint32_t pid; uint64_t started; } __attribute__((packed));
_Static_assert(sizeof(struct record_head) == 8 && sizeof(struct child_body) == 12, "native/README.md");

int record_mark(int fd, int64_t record, char state);
int ledger_play_file(int fd); /* 0, or the errno of the first undo that failed */
