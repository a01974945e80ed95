// Figures, as the kernel shows them.

#include "agent.h"

#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/sysinfo.h>
#include <time.h>

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif

#define LENGTH(array) ((int)(sizeof(array) / sizeof *(array)))

enum { SEE_SEGMENTS = 1, SEE_PROCESSES = 2, SEE_MEMINFO = 4, REFRESH = 8, SEE_FRAMES = 16 };

static char *text;                      // of the file that is read
static int huge_fds[4], meminfo_fd;
static int all_seen;                    // whether no namespace is left without a task
static u64 attaches;                    // of all segments seen

static const char *const huge_names[] = {
	"nr_hugepages", "free_hugepages", "resv_hugepages", "surplus_hugepages",
};

void start_observing(void)
{
	static const char *const name[] = { "Hugepagesize:" };
	char path[128];
	u64 size;

	text = controller_memory(FILE_BYTES);
	meminfo_fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
	read_record(meminfo_fd, text, FILE_BYTES);
	find_values(text, name, 1, &size);
	for (int i = 0; i < LENGTH(huge_names); i++) {
		snprintf(path, sizeof path, "/sys/kernel/mm/hugepages/hugepages-%llukB/%s",
			(unsigned long long)size, huge_names[i]);
		huge_fds[i] = open(path, O_RDONLY | O_CLOEXEC);
	}
}

// ---------------------------------------------------------------------------------------------
// Segments

static u64 next_number(const char **at, int base)
{
	char *end;
	u64 number;

	while (**at == ' ')
		++*at;
	number = **at == '-' ? (u64)strtoll(*at, &end, base) : strtoull(*at, &end, base);
	*at = end;
	return number;
}

// A line of /proc/sysvipc/shm.
static void see_segment(int ns, const char *line)
{
	u64 key = next_number(&line, 10), id = next_number(&line, 10);
	u64 mode = next_number(&line, 8), size = next_number(&line, 10);
	u64 cpid = next_number(&line, 10), lpid = next_number(&line, 10);
	u64 count = next_number(&line, 10);
	u64 owners[4], times[3];

	for (int i = 0; i < LENGTH(owners); i++)
		owners[i] = next_number(&line, 10);
	for (int i = 0; i < LENGTH(times); i++)
		times[i] = next_number(&line, 10);
	add_word("s");
	add_figures((u64[]) { ns, id, key }, 3);
	add_figures(owners, LENGTH(owners));
	add_figures((u64[]) { mode, size, cpid, lpid, count }, 5);
	add_figures(times, LENGTH(times));
	add_number(next_number(&line, 10) / page_size);
	add_number(next_number(&line, 10) / page_size);
	attaches += count;
}

// The segments that calls of this run have made, as far as they still exist: for a machine where
// no file lists them.
static int known_ids[4096];
static int known_count;

void take_note_of(int id)
{
	for (int i = 0; i < known_count; i++)
		if (known_ids[i] == id)
			return;
	if (known_count < LENGTH(known_ids))
		known_ids[known_count++] = id;
}

// Where runs have no namespace of their own, segments may be there that are not theirs.
static struct shm_info others;

void note_others(void)
{
	shmctl(0, SHM_INFO, (struct shmid_ds *)&others);
}

void deduct_others(u64 *totals)
{
	totals[0] -= others.used_ids;
	totals[1] -= others.shm_tot;
	totals[2] -= others.shm_rss;
	totals[3] -= others.shm_swp;
}

// The segments go before the processes do: the end of a namespace is asynchronous.
void remove_segments(void)
{
	struct shmid_ds ds;
	int highest = shmctl(0, SHM_INFO, &ds);

	while (known_count > 0)
		shmctl(known_ids[--known_count], IPC_RMID, NULL);
	for (int i = 0; i <= highest; i++) {
		int id = shmctl(i, SHM_STAT_ANY, &ds);

		if (id >= 0)
			shmctl(id, IPC_RMID, NULL);
	}
}

static int by_index(const void *one, const void *other)
{
	return (*(const int *)one & 0x7fff) - (*(const int *)other & 0x7fff);
}

static void see_known_segments(int ns)
{
	struct shmid_ds ds;

	for (int i = 0; i < known_count; )
		if (shmctl(known_ids[i], IPC_STAT, &ds) == 0)
			i++;
		else
			known_ids[i] = known_ids[--known_count];
	qsort(known_ids, known_count, sizeof *known_ids, by_index);
	for (int i = 0; i < known_count; i++) {
		const struct ipc_perm *perm = &ds.shm_perm;

		if (shmctl(known_ids[i], IPC_STAT, &ds) != 0)
			continue;
		add_word("s");
		add_figures((u64[]) { ns, known_ids[i], (u64)(int)perm->__key, perm->uid, perm->gid,
			perm->cuid, perm->cgid, perm->mode, ds.shm_segsz, ds.shm_cpid, ds.shm_lpid,
			ds.shm_nattch, ds.shm_atime, ds.shm_dtime, ds.shm_ctime, 0, 0 }, 17);
		attaches += ds.shm_nattch;
	}
}

static void see_namespace(int ns)
{
	struct shm_info info = { 0 };
	int highest = shmctl(0, SHM_INFO, (struct shmid_ds *)&info);

	u64 totals[] = { info.used_ids, info.shm_tot, info.shm_rss, info.shm_swp };

	deduct_others(totals);
	add_word("n");
	add_number(ns);
	add_figures(totals, LENGTH(totals));
	add_number(highest);
	if (totals[0] == 0)
		return;
	if (read_open(open_in_namespace(ns), text, FILE_BYTES) == 0) {
		see_known_segments(ns);
		return;
	}
	for (const char *line = next_line(text); line != NULL; line = next_line(line))
		see_segment(ns, line);
}

static void see_segments(void)
{
	all_seen = 1;
	attaches = 0;
	for (int ns = 0; ns < namespace_count; ns++)
		if (task_in_namespace(ns) != NULL && enter_namespace(ns) == 0)
			see_namespace(ns);
		else
			all_seen = 0;
}

// ---------------------------------------------------------------------------------------------
// Processes

static int open_of_task(int *fd, const struct task *task, const char *name)
{
	char path[64];

	if (*fd < 0) {
		snprintf(path, sizeof path, "/proc/%d/%s", task->tid, name);
		*fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	return *fd;
}

static void see_process(struct task *task)
{
	static const char *const names[] = {
		"VmSize:", "VmLck:", "RssShmem:", "VmSwap:", "HugetlbPages:",
	};
	u64 figures[LENGTH(names)];

	read_record(open_of_task(&task->status_fd, task, "status"), text, FILE_BYTES);
	find_values(text, names, LENGTH(names), figures);
	figures[0] -= task->own_kb;
	add_word("p");
	add_number(task->tgid);
	add_figures(figures, LENGTH(figures));
}

// The header of a mapping in smaps.
static void see_header(int tgid, const char *line)
{
	char *at;
	u64 start = strtoull(line, &at, 16), end = strtoull(at + 1, &at, 16);
	int rights = (at[1] == 'r' ? PROT_READ : 0) | (at[2] == 'w' ? PROT_WRITE : 0)
		| (at[3] == 'x' ? PROT_EXEC : 0);
	u64 offset = strtoull(at + 5, NULL, 16);

	add_word("m");
	add_figures((u64[]) { tgid, start, end, segment_of(line), offset / page_size, rights }, 6);
}

static void see_frames_of(struct task *task, const char *header, u64 page_bytes)
{
	char *at;
	u64 start = strtoull(header, &at, 16), end = strtoull(at + 1, NULL, 16);

	see_frames(open_of_task(&task->pagemap_fd, task, "pagemap"), task->tgid, start, end,
		page_bytes);
}

static void see_mappings(struct task *task, int frames)
{
	static const char *const names[] = {    // in the order of the file
		"KernelPageSize:", "Rss:", "Pss:", "Shared_Clean:", "Shared_Dirty:", "Private_Clean:",
		"Private_Dirty:", "Shared_Hugetlb:", "Private_Hugetlb:", "Swap:", "Locked:",
	};
	u64 figures[LENGTH(names)];

	read_open(open_of_task(&task->smaps_fd, task, "smaps"), text, FILE_BYTES);
	for (const char *line = text; line != NULL && *line; line = next_line(line)) {
		if (*line >= 'A' && *line <= 'Z')       // addresses are printed in lower case
			continue;
		if (!is_segment(line))
			continue;
		const char *header = line;

		see_header(task->tgid, header);
		line = next_line(line);
		find_values(line, names, LENGTH(names), figures);
		add_figures(figures + 1, 6);
		add_figures(figures + 9, 2);
		add_figures(figures + 7, 2);
		if (frames)
			see_frames_of(task, header, figures[0] << 10);
	}
}

static int by_tgid(const void *one, const void *other)
{
	return (*(struct task *const *)one)->tgid - (*(struct task *const *)other)->tgid;
}

static void see_processes(int frames)
{
	struct task *seen[TASKS];
	int count = 0;

	for (int i = 0; i < TASKS; i++) {
		int known = !tasks[i].alive;

		for (int j = 0; j < count; j++)
			known |= seen[j]->tgid == tasks[i].tgid;
		if (!known)
			seen[count++] = &tasks[i];
	}
	qsort(seen, count, sizeof *seen, by_tgid);
	for (int i = 0; i < count; i++)
		see_process(seen[i]);
	// Where every namespace is seen and no segment is attached, a mapping of one would show as
	// an attach that is missing there.
	for (int i = 0; i < count && (attaches > 0 || !all_seen); i++)
		see_mappings(seen[i], frames);
}

// ---------------------------------------------------------------------------------------------
// The machine

static u64 read_number(int fd)
{
	char digits[32];

	return read_record(fd, digits, sizeof digits) ? strtoull(digits, NULL, 10) : 0;
}

static void see_machine(void)
{
	struct sysinfo info = { 0 };

	sysinfo(&info);
	add_word("g");
	// Here, unlike in /proc/sys/vm, nr_hugepages has the surplus in it.
	for (int i = 0; i < LENGTH(huge_fds); i++)
		add_number(read_number(huge_fds[i]));
	add_number((info.totalswap - info.freeswap) * info.mem_unit / page_size);
}

static int64_t microseconds(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static void see_clock(int64_t start)
{
	struct timespec now = { 0 };

	// The clock that the kernel takes stamps from; the precise one may be a tick ahead.
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	add_word("t");
	add_number(now.tv_sec);
	add_word("c");
	add_number(microseconds() - start);
}

static void see_meminfo(int refresh)
{
	static const char *const names[] = { "SwapCached:", "Shmem:", "Committed_AS:" };
	char ignored[16];
	u64 figures[LENGTH(names)];

	if (refresh)    // folds in what each processor has counted by itself
		read_file("/proc/sys/vm/stat_refresh", ignored, sizeof ignored);
	read_record(meminfo_fd, text, FILE_BYTES);
	find_values(text, names, LENGTH(names), figures);
	add_word("i");
	add_figures(figures, LENGTH(figures));
}

void run_observe(u64 what)
{
	int64_t start = microseconds();

	add_text("ok");
	all_seen = 0;
	if (what & SEE_SEGMENTS)
		see_segments();
	if (what & SEE_PROCESSES)
		see_processes(has_frames && (what & SEE_FRAMES) != 0);
	see_machine();
	if (what & SEE_MEMINFO)
		see_meminfo(what & REFRESH);
	see_clock(start);
	end_answer();
}
