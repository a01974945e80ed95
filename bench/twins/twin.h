/* What an allocator exports to be measured beside ours. Everything works on whole batches, so that
 * a call from outside costs nothing per operation. */
#ifndef TWIN_H
#define TWIN_H

#include <stddef.h>
#include <stdint.h>

/* An allocator of frames 0..frames-1, all free; NULL when there is no memory. */
void *twin_new(int32_t frames);
void twin_drop(void *twin);

/* Bytes of its books. */
int64_t twin_bytes(const void *twin);

/* Takes n frames, one by one; -1 for each that is not to be had. */
void twin_take(void *twin, int32_t n, int32_t *got);

/* Gives back n frames, one by one. */
void twin_give(void *twin, int32_t n, const int32_t *frames);

/* n times: gives one back and takes another. */
void twin_pairs(void *twin, int32_t n, const int32_t *victims, int32_t *got);

/* The same for aligned runs of 512 frames, by number of the run. Optional. */
void twin_take_runs(void *twin, int32_t n, int32_t *got);
void twin_give_runs(void *twin, int32_t n, const int32_t *runs);
void twin_pair_runs(void *twin, int32_t n, const int32_t *victims, int32_t *got);

/* Zeroed memory in whole cache lines; large blocks begin where a huge page would. */
#include <stdlib.h>
#include <string.h>

static inline uint64_t *twin_words(size_t count, int64_t *bytes)
{
	size_t size = (count * sizeof(uint64_t) + 63) & ~(size_t)63;
	size_t alignment = size < (2u << 20) ? 64 : 2u << 20;
	uint64_t *words = aligned_alloc(alignment, (size + alignment - 1) & -alignment);

	if (words)
		memset(words, 0, size);
	*bytes += (int64_t)size;
	return words;
}

#endif
