// Page frames: which ones a mapping has, and what the kernel says of each.

#include "agent.h"

#include <linux/kernel-page-flags.h>
#include <sys/mman.h>

#define MOST_PAGES 4096      // of a mapping that are looked at, from its start
#define MOST_TRIES 100       // to see frames that do not change meanwhile

#define PRESENT ((u64)1 << 63)
#define NOT_PRESENT ((u64)1 << 62)      // of a page of shared memory: under way to another frame
#define FRAME(entry) ((entry) & (((u64)1 << 55) - 1))

struct frames {
	u64 present, mapcount, huge, swapbacked, swapcached;
};

int has_frames;

static int count_fd, flags_fd;
static u64 *entries, *again, *counts, *flags;

static int read_entries(int fd, u64 start, u64 stride, u64 *to, int count)
{
	int piece = stride == page_size ? count : 1;

	for (int i = 0; i < count; i += piece)
		if (pread(fd, to + i, piece * sizeof *to, (start + i * stride) / page_size * sizeof *to)
			!= (ssize_t)(piece * sizeof *to))
			return -1;
	return 0;
}

// What the kernel says of frames that follow one another.
static int look_at(u64 frame, int count, struct frames *seen)
{
	ssize_t bytes = count * sizeof *counts;

	if (pread(count_fd, counts, bytes, frame * sizeof *counts) != bytes
		|| pread(flags_fd, flags, bytes, frame * sizeof *flags) != bytes)
		return -1;
	for (int i = 0; i < count; i++) {
		seen->present++;
		seen->mapcount += counts[i];
		seen->huge += flags[i] >> KPF_HUGE & 1;
		seen->swapbacked += flags[i] >> KPF_SWAPBACKED & 1;
		seen->swapcached += flags[i] >> KPF_SWAPCACHE & 1;
	}
	return 0;
}

static int look_at_all(int count, struct frames *seen)
{
	for (int i = 0, run; i < count; i += run) {
		run = 1;
		if (!(entries[i] & PRESENT))
			continue;
		while (i + run < count && entries[i + run] & PRESENT
			&& FRAME(entries[i + run]) == FRAME(entries[i]) + run)
			run++;
		if (look_at(FRAME(entries[i]), run, seen) != 0)
			return -1;
	}
	return 0;
}

static int any_under_way(int count)
{
	for (int i = 0; i < count; i++)
		if (entries[i] & NOT_PRESENT)
			return 1;
	return 0;
}

// The kernel may move a page to another frame at any time (compaction): then all are looked at
// again.
static int try_frames(int fd, u64 start, u64 stride, int count, struct frames *seen)
{
	*seen = (struct frames) { 0 };
	return read_entries(fd, start, stride, entries, count) == 0 && !any_under_way(count)
		&& look_at_all(count, seen) == 0 && read_entries(fd, start, stride, again, count) == 0
		&& memcmp(entries, again, count * sizeof *entries) == 0 ? 0 : -1;
}

void see_frames(int fd, int tgid, u64 start, u64 end, u64 stride)
{
	struct frames seen = { 0 };
	u64 most = start + MOST_PAGES * page_size;
	int count = ((end < most ? end : most) - start + stride - 1) / stride;

	for (int i = 0; i < MOST_TRIES && try_frames(fd, start, stride, count, &seen) != 0; i++)
		;
	add_word("f");
	add_figures((u64[]) { tgid, start, seen.present, seen.mapcount, seen.huge, seen.swapbacked,
		seen.swapcached }, 7);
}

static int is_value(const char *line, const char *name, u64 *value)
{
	size_t length = strlen(name);

	line += strspn(line, " ");
	if (strncmp(line, name, length) != 0)
		return 0;
	*value = strtoull(line + length, NULL, 10);
	return 1;
}

// The frame behind the last one that any zone of memory has.
static u64 end_of_frames(void)
{
	char *zones = controller_memory(FILE_BYTES);
	u64 spanned = 0, end = 0, start;

	read_file("/proc/zoneinfo", zones, FILE_BYTES);
	for (const char *line = zones; line != NULL; line = next_line(line))
		if (!is_value(line, "spanned", &spanned) && is_value(line, "start_pfn:", &start)
			&& start + spanned > end)
			end = start + spanned;
	munmap(zones, FILE_BYTES);
	return end;
}

// In user-mode Linux what shows frames ends at the number of them, although theirs begin higher
// (max_pfn of arch/um/kernel/mem.c:mem_init).
static int are_all_shown(void)
{
	u64 end = end_of_frames();

	return end == 0 || pread(count_fd, counts, sizeof *counts, (end - 1) * sizeof *counts) > 0;
}

// Frames are hidden from those without privileges, and where a program makes the calls.
void start_frames(void)
{
	struct frames own = { 0 };
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	count_fd = open("/proc/kpagecount", O_RDONLY | O_CLOEXEC);
	flags_fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	entries = controller_memory(MOST_PAGES * sizeof *entries);
	again = controller_memory(MOST_PAGES * sizeof *again);
	counts = controller_memory(MOST_PAGES * sizeof *counts);
	flags = controller_memory(MOST_PAGES * sizeof *flags);
	*counts = 1;
	has_frames = try_frames(fd, (u64)(uintptr_t)counts, page_size, 1, &own) == 0
		&& FRAME(*entries) != 0 && own.mapcount == 1 && are_all_shown();
	if (fd >= 0)
		close(fd);
}
