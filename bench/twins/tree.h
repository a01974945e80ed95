/* A bitmap under summaries of 64: the lowest free index in one step per level. */
#ifndef TREE_H
#define TREE_H

#include "twin.h"

enum { LEVELS = 6 };

struct tree {
	uint64_t *level[LEVELS];
	int top;
	int32_t capacity;
	int32_t used;
};

static inline void tree_init(struct tree *t, int32_t capacity, int64_t *bytes)
{
	int64_t words = capacity;

	t->capacity = capacity;
	t->used = 0;
	t->top = -1;
	for (int i = 0; i < LEVELS; i++) {
		words = (words + 63) >> 6;
		words = words ? words : 1;
		t->level[i] = twin_words((size_t)words, bytes);
		if (words == 1 && t->top < 0)
			t->top = i;
	}
}

static inline void tree_drop(struct tree *t)
{
	for (int i = 0; i < LEVELS; i++)
		free(t->level[i]);
}

#define LOWEST(words, i) (((i) << 6) + __builtin_ctzll(~(words)[i]))

static inline int32_t tree_find(const struct tree *t)
{
	int32_t i = 0;

	if (t->used == t->capacity)
		return -1;
	switch (t->top) {
	case 5: i = LOWEST(t->level[5], i); /* fall through */
	case 4: i = LOWEST(t->level[4], i); /* fall through */
	case 3: i = LOWEST(t->level[3], i); /* fall through */
	case 2: i = LOWEST(t->level[2], i); /* fall through */
	case 1: i = LOWEST(t->level[1], i); /* fall through */
	default: return LOWEST(t->level[0], i);
	}
}

/* The lowest free index from `from` on, or -1. */
static inline int32_t tree_find_from(const struct tree *t, int32_t from)
{
	int64_t i = from;

	for (int level = 0; i << (6 * level) < t->capacity; level++) {
		uint64_t word = t->level[level][i >> 6] | ((1ull << (i & 63)) - 1);

		if (~word) {
			i = (i & ~63ll) + __builtin_ctzll(~word);
			for (; level > 0 && i << (6 * level) < t->capacity; level--)
				i = LOWEST(t->level[level - 1], i);
			return i << (6 * level) < t->capacity ? (int32_t)i : -1;
		}
		i = (i >> 6) + 1;
	}
	return -1;
}

static inline int tree_fills(uint64_t *words, int32_t i)
{
	return !~(words[i >> 6] |= 1ull << (i & 63));
}

static inline int tree_was_full(uint64_t *words, int32_t i)
{
	uint64_t before = words[i >> 6];

	words[i >> 6] = before & ~(1ull << (i & 63));
	return !~before;
}

/* The word as it was before. */
static inline uint64_t tree_use(struct tree *t, int32_t i)
{
	uint64_t before = t->level[0][i >> 6];

	t->used++;
	if (tree_fills(t->level[0], i) && tree_fills(t->level[1], i >> 6)
	    && tree_fills(t->level[2], i >> 12) && tree_fills(t->level[3], i >> 18)
	    && tree_fills(t->level[4], i >> 24))
		tree_fills(t->level[5], i >> 30);
	return before;
}

/* The word as it is now. */
static inline uint64_t tree_free(struct tree *t, int32_t i)
{
	t->used--;
	if (tree_was_full(t->level[0], i) && tree_was_full(t->level[1], i >> 6)
	    && tree_was_full(t->level[2], i >> 12) && tree_was_full(t->level[3], i >> 18)
	    && tree_was_full(t->level[4], i >> 24))
		tree_was_full(t->level[5], i >> 30);
	return t->level[0][i >> 6];
}

#endif
