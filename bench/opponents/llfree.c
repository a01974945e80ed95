/* LLFree (github.com/luhsra/llfree-c) behind the functions of twin.h; docs/performance.md says how
 * to build it. One processor; small frames are of class 0 and runs of class 1, as its documentation
 * has it. */
#include "llfree.h"
#include "llfree_platform.h"
#include "twin.h"

struct opponent {
	llfree_t *llfree;
	llfree_meta_t meta;
	int64_t bytes;
};

static void *room(size_t size, int64_t *bytes)
{
	return twin_words((size + sizeof(uint64_t) - 1) / sizeof(uint64_t), bytes);
}

void twin_drop(void *twin)
{
	struct opponent *o = twin;

	if (!o)
		return;
	free(o->meta.local);
	free(o->meta.trees);
	free(o->meta.lower);
	free(o->llfree);
	free(o);
}

void *twin_new(int32_t frames)
{
	llfree_classing_t classing = llfree_classing_simple(1);
	llfree_meta_size_t size = llfree_metadata_size(&classing, (size_t)frames);
	struct opponent *o = calloc(1, sizeof *o);

	if (!o)
		return NULL;
	o->llfree = room(size.llfree, &o->bytes);
	o->meta.local = room(size.local, &o->bytes);
	o->meta.trees = room(size.trees, &o->bytes);
	o->meta.lower = room(size.lower, &o->bytes);
	if (!o->llfree || !o->meta.local || !o->meta.trees || !o->meta.lower
	    || !llfree_is_ok(llfree_init(o->llfree, (size_t)frames, LLFREE_INIT_FREE, o->meta,
					 &classing))) {
		twin_drop(o);
		return NULL;
	}
	return o;
}

int64_t twin_bytes(const void *twin)
{
	return ((const struct opponent *)twin)->bytes;
}

static int32_t take_order(void *twin, uint8_t order, uint8_t class)
{
	llfree_result_t got = llfree_get(((struct opponent *)twin)->llfree, frame_id_none(),
					 llreq(order, class, ll_some(0)));

	return llfree_is_ok(got) ? (int32_t)(got.frame.value >> order) : -1;
}

static void give_order(void *twin, uint8_t order, uint8_t class, int32_t number)
{
	llfree_result_t gone = llfree_put(((struct opponent *)twin)->llfree,
					  frame_id((uint64_t)number << order),
					  llreq(order, class, ll_some(0)));

	if (!llfree_is_ok(gone))
		abort();
}

static int32_t take(void *twin)
{
	return take_order(twin, 0, 0);
}

static void give(void *twin, int32_t frame)
{
	give_order(twin, 0, 0, frame);
}

#include "batches.h"

enum { RUN_ORDER = 9 };

void twin_take_runs(void *twin, int32_t n, int32_t *got)
{
	for (int32_t i = 0; i < n; i++)
		got[i] = take_order(twin, RUN_ORDER, 1);
}

void twin_give_runs(void *twin, int32_t n, const int32_t *runs)
{
	for (int32_t i = 0; i < n; i++)
		give_order(twin, RUN_ORDER, 1, runs[i]);
}

void twin_pair_runs(void *twin, int32_t n, const int32_t *victims, int32_t *got)
{
	for (int32_t i = 0; i < n; i++) {
		give_order(twin, RUN_ORDER, 1, victims[i]);
		got[i] = take_order(twin, RUN_ORDER, 1);
	}
}
