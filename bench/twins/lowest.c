/* The 64-ary tree: frames lowest first, and aligned runs of 512. */
#include "tree.h"

enum { RUN_SHIFT = 9, RUN_WORDS = 8 };

struct lowest {
	struct tree frames;
	struct tree touched;
	int64_t bytes;
};

void *twin_new(int32_t frames)
{
	struct lowest *t = calloc(1, sizeof(*t));

	if (t) {
		tree_init(&t->frames, frames, &t->bytes);
		tree_init(&t->touched, frames >> RUN_SHIFT, &t->bytes);
	}
	return t;
}

void twin_drop(void *twin)
{
	struct lowest *t = twin;

	tree_drop(&t->frames);
	tree_drop(&t->touched);
	free(t);
}

int64_t twin_bytes(const void *twin)
{
	return ((const struct lowest *)twin)->bytes;
}

static inline int32_t take(struct lowest *t)
{
	int32_t frame = tree_find(&t->frames);
	int32_t run = frame >> RUN_SHIFT;

	if (frame >= 0 && !tree_use(&t->frames, frame) && run < t->touched.capacity
	    && !(t->touched.level[0][run >> 6] >> (run & 63) & 1))
		tree_use(&t->touched, run);
	return frame;
}

static inline void give(struct lowest *t, int32_t frame)
{
	int32_t run = frame >> RUN_SHIFT;

	if (tree_free(&t->frames, frame))
		return;
	for (int i = 0; i < RUN_WORDS; i++)
		if (t->frames.level[0][run * RUN_WORDS + i])
			return;
	if (run < t->touched.capacity)
		tree_free(&t->touched, run);
}

static inline int32_t take_run(struct lowest *t)
{
	int32_t run = tree_find(&t->touched);
	int32_t word = run << (RUN_SHIFT - 6);

	if (run < 0)
		return -1;
	tree_use(&t->touched, run);
	t->frames.used += 1 << RUN_SHIFT;
	memset(&t->frames.level[0][word], 0xff, RUN_WORDS * sizeof(uint64_t));
	t->frames.level[1][word >> 6] |= 0xffull << (word & 63);
	if (!~t->frames.level[1][word >> 6] && tree_fills(t->frames.level[2], word >> 6)
	    && tree_fills(t->frames.level[3], word >> 12)
	    && tree_fills(t->frames.level[4], word >> 18))
		tree_fills(t->frames.level[5], word >> 24);
	return run;
}

static inline void give_run(struct lowest *t, int32_t run)
{
	int32_t word = run << (RUN_SHIFT - 6);
	uint64_t before = t->frames.level[1][word >> 6];

	tree_free(&t->touched, run);
	t->frames.used -= 1 << RUN_SHIFT;
	memset(&t->frames.level[0][word], 0, RUN_WORDS * sizeof(uint64_t));
	t->frames.level[1][word >> 6] = before & ~(0xffull << (word & 63));
	if (!~before && tree_was_full(t->frames.level[2], word >> 6)
	    && tree_was_full(t->frames.level[3], word >> 12)
	    && tree_was_full(t->frames.level[4], word >> 18))
		tree_was_full(t->frames.level[5], word >> 24);
}

#include "batches.h"

void twin_take_runs(void *twin, int32_t n, int32_t *got)
{
	for (int32_t i = 0; i < n; i++)
		got[i] = take_run(twin);
}

void twin_give_runs(void *twin, int32_t n, const int32_t *runs)
{
	for (int32_t i = 0; i < n; i++)
		give_run(twin, runs[i]);
}

void twin_pair_runs(void *twin, int32_t n, const int32_t *victims, int32_t *got)
{
	for (int32_t i = 0; i < n; i++) {
		give_run(twin, victims[i]);
		got[i] = take_run(twin);
	}
}
