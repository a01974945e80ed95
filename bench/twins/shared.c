/* The cached word for several threads, with the claim of one thread. */
#include <stdatomic.h>

#include "twin.h"

struct shared {
	_Atomic uint64_t *words;
	_Atomic uint64_t *full;
	uint64_t rest;
	int64_t bytes;
	int32_t word;
	int32_t summaries;
};

static void take_beyond(_Atomic uint64_t *words, int32_t bits)
{
	if (bits & 63)
		words[bits >> 6] = ~0ull << (bits & 63);
}

void *twin_new(int32_t frames)
{
	struct shared *t = calloc(1, sizeof(*t));
	int32_t words = (int32_t)(((int64_t)frames + 63) >> 6);

	if (t) {
		t->summaries = (words + 63) >> 6;
		t->words = (_Atomic uint64_t *)twin_words((size_t)words, &t->bytes);
		t->full = (_Atomic uint64_t *)twin_words((size_t)t->summaries, &t->bytes);
		take_beyond(t->words, frames);
		take_beyond(t->full, words);
	}
	return t;
}

void twin_drop(void *twin)
{
	struct shared *t = twin;

	free((void *)t->words);
	free((void *)t->full);
	free(t);
}

int64_t twin_bytes(const void *twin)
{
	return ((const struct shared *)twin)->bytes;
}

static inline void unmark(struct shared *t, int32_t word)
{
	atomic_fetch_and(&t->full[word >> 6], ~(1ull << (word & 63)));
}

static inline void mark(struct shared *t, int32_t word)
{
	atomic_fetch_or(&t->full[word >> 6], 1ull << (word & 63));
	if (~atomic_load_explicit(&t->words[word], memory_order_acquire))
		unmark(t, word);
}

static __attribute__((noinline)) uint64_t claim(struct shared *t)
{
	int32_t first = t->word >> 6;
	uint64_t tried = (1ull << (t->word & 63)) - 1;

	for (int32_t step = 0; step <= t->summaries; step++) {
		int32_t summary = first + step;
		uint64_t free;

		summary -= summary < t->summaries ? 0 : t->summaries;
		while ((free = ~(atomic_load_explicit(&t->full[summary], memory_order_acquire)
				 | tried))) {
			int bit = __builtin_ctzll(free);
			int32_t word = (summary << 6) + bit;
			uint64_t rest = ~atomic_exchange(&t->words[word], ~0ull);

			mark(t, word);
			if (rest) {
				t->word = word;
				return rest;
			}
			tried |= 1ull << bit;
		}
		tried = 0;
	}
	return 0;
}

static inline int32_t take(struct shared *t)
{
	uint64_t rest = t->rest;

	if (!rest && !(rest = claim(t)))
		return -1;
	t->rest = rest & (rest - 1);
	return (t->word << 6) + __builtin_ctzll(rest);
}

static inline void give(struct shared *t, int32_t frame)
{
	int32_t word = frame >> 6;

	/* The bit is set: subtracting it clears it, in one instruction. */
	if (!~atomic_fetch_sub(&t->words[word], 1ull << (frame & 63)))
		unmark(t, word);
}

#include "batches.h"
