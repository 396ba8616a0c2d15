/* A plan in memory: the steps of native/README.md, decoded, with their strings still in the plan's own bytes. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SLOTS = 64, SLOT_CHILD = 0, SLOT_PROC = 1 };
enum { HOST = 0, CHILD = 1 };
enum { KIND_CLONE = 1, KIND_AWAIT = 6, KIND_SECCOMP = 59, KIND_EXEC = 61 }; /* those that the order of a list depends on */

#define PLAN_MAGIC "TSLABPL1"
enum { PLAN_HEAD = 16, PLAN_MAX = 16 << 20, STEPS_MAX = 4096, STRINGS_MAX = 65536 };

/* One decoded argument; the letter of the kind's signature says which members count. */
struct arg {
	union {
		uint64_t number;    /* u U */
		const char *text;   /* s, NULL when absent; b, not terminated */
		char *const *list;  /* v, ends with NULL */
	};
	union {
		uint32_t length;    /* s b: bytes; v: strings */
		int slot;           /* f: -1 when absent */
	};
};

struct hand;
struct kind {
	uint16_t code;
	const char *name;
	char hands;             /* 'h' host, 'c' child, 'b' both */
	const char *signature;  /* letters of native/README.md, one an argument; `?` after one that may be absent */
	int (*perform)(struct hand *, const struct arg *); /* 0 or an errno */
	bool undoes;            /* may stand in a ledger */
};
const struct kind *kind_by_code(uint16_t code);
void kinds_print(void);

struct step {
	const struct kind *kind;
	const struct arg *args;
	const uint8_t *undo;    /* the undo step's bytes, for the ledger; NULL for none */
	uint32_t undo_length;
	uint16_t tolerate[2];
	uint8_t hand;
	bool uses_slots;
};

/* Memory that is given back all at once: what planning needed, supervising doesn't. */
struct arena {
	uint8_t *base;
	size_t used, size;
};

struct plan {
	struct step *steps;
	uint32_t count;
	uint32_t bad;           /* where decoding stopped */
	struct arena arena, bytes;
};

int plan_decode(struct plan *, const uint8_t *bytes, size_t length); /* 0, EINVAL (see bad) or ENOMEM */
int step_decode_undo(struct step *, const uint8_t *bytes, size_t length, struct arena *);
void plan_free(struct plan *);

int arena_new(struct arena *, size_t size);
void *arena_take(struct arena *, size_t size);
void arena_free(struct arena *);
