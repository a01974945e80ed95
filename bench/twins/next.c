/* The bare bitmap, searched from where the last frame was found (find_next_zero_bit). */
#include "twin.h"

struct next {
	uint64_t *words;
	int64_t bytes;
	int32_t count;
	int32_t place;
	int32_t capacity;
	int32_t used;
};

void *twin_new(int32_t frames)
{
	struct next *t = calloc(1, sizeof(*t));

	if (t) {
		t->capacity = frames;
		t->count = (int32_t)(((int64_t)frames + 63) >> 6);
		t->words = twin_words((size_t)t->count, &t->bytes);
		if (frames & 63)
			t->words[t->count - 1] = ~0ull << (frames & 63);
	}
	return t;
}

void twin_drop(void *twin)
{
	free(((struct next *)twin)->words);
	free(twin);
}

int64_t twin_bytes(const void *twin)
{
	return ((const struct next *)twin)->bytes;
}

static inline int32_t take(struct next *t)
{
	int32_t word = t->place;
	uint64_t free;

	if (t->used == t->capacity)
		return -1;
	while (!(free = ~t->words[word]))
		word = word + 1 < t->count ? word + 1 : 0;
	t->place = word;
	t->used++;
	t->words[word] |= free & -free;
	return (word << 6) + __builtin_ctzll(free);
}

static inline void give(struct next *t, int32_t frame)
{
	t->words[frame >> 6] &= ~(1ull << (frame & 63));
	t->used--;
}

#include "batches.h"
