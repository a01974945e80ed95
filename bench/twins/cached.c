/* The cached word: all free frames of one word are claimed at once and handed out from a
 * register. Words that are free as a whole come first. */
#include "tree.h"

struct cached {
	uint64_t *words;
	struct tree full;
	struct tree touched;
	uint64_t rest;
	int64_t taken;
	int64_t bytes;
	int32_t base;
	int32_t capacity;
};

void *twin_new(int32_t frames)
{
	struct cached *t = calloc(1, sizeof(*t));
	int32_t words = (int32_t)(((int64_t)frames + 63) >> 6);

	if (t) {
		t->capacity = frames;
		t->words = twin_words((size_t)words, &t->bytes);
		tree_init(&t->full, words, &t->bytes);
		tree_init(&t->touched, words, &t->bytes);
	}
	return t;
}

void twin_drop(void *twin)
{
	struct cached *t = twin;

	free(t->words);
	tree_drop(&t->full);
	tree_drop(&t->touched);
	free(t);
}

int64_t twin_bytes(const void *twin)
{
	return ((const struct cached *)twin)->bytes;
}

static __attribute__((noinline)) uint64_t claim(struct cached *t)
{
	int32_t last = t->base >> 6;
	int whole = t->touched.used < t->touched.capacity;
	struct tree *map = whole ? &t->touched : &t->full;
	int32_t word = tree_find_from(map, whole ? last : last + 1);
	uint64_t before, rest;

	if (word < 0)
		word = tree_find(map);
	if (word < 0)
		return 0;
	before = t->words[word];
	rest = ~before;
	if (word == t->capacity >> 6)
		rest &= (1ull << (t->capacity & 63)) - 1;
	t->words[word] = ~0ull;
	tree_use(&t->full, word);
	if (!before)
		tree_use(&t->touched, word);
	t->base = word << 6;
	t->taken += __builtin_popcountll(rest);
	return rest;
}

static inline int32_t take(struct cached *t)
{
	uint64_t rest = t->rest;

	if (!rest && !(rest = claim(t)))
		return -1;
	t->rest = rest & (rest - 1);
	return t->base + __builtin_ctzll(rest);
}

static inline void give(struct cached *t, int32_t frame)
{
	int32_t word = frame >> 6;
	uint64_t before = t->words[word];
	uint64_t after = before & ~(1ull << (frame & 63));

	t->words[word] = after;
	t->taken--;
	if (!~before)
		tree_free(&t->full, word);
	if (!after)
		tree_free(&t->touched, word);
}

#include "batches.h"
