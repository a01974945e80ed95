// The calls, as a worker makes them. Threads share what is here with their parent; only one of
// them runs at a time, the others wait for a command.

#include "agent.h"

#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/swap.h>
#include <sys/syscall.h>

#define OWN_RANGES 64
#define MOST_MAPPED (256ull << 20)
#define MAPS_BYTES 16384

#ifdef __powerpc64__
#define IS_POWER 1
#else
#define IS_POWER 0
#endif

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif

// Never mapped in a user's address space.
#define BAD_POINTER ((void *)(intptr_t)-4096)

u64 page_size;
u64 own_kb;
char swap_path[PATH_BYTES];

static struct { u64 start, end; } own[OWN_RANGES];
static int own_count;
static sigjmp_buf fault_exit;
static volatile sig_atomic_t fault_armed;
static volatile int fault_signal, fault_code;

// The reply to the call that is being made, and the number of its arguments.
static struct reply *current;
static int arguments;

static void add_value(u64 value)
{
	current->value[current->count++] = value;
}

// ---------------------------------------------------------------------------------------------
// What is not to be called: that would change our own memory, or fill the machine's

// The mappings of this process, read piece by piece.
static struct { int fd; char *at; char text[MAPS_BYTES]; } maps;

// Of a group whose leader has ended, /proc/self shows none.
static void open_maps(void)
{
	maps.fd = open("/proc/thread-self/maps", O_RDONLY | O_CLOEXEC);
	if (maps.fd < 0)
		maps.fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	maps.at = maps.text;
	maps.text[0] = 0;
}

// The line of the next mapping; NULL at the end, when the file has been closed.
static const char *next_mapping(u64 *start, u64 *end)
{
	char *line = maps.at, *stop, *rest;

	while ((stop = strchr(line, '\n')) == NULL) {
		size_t kept = strlen(line);
		ssize_t got;

		memmove(maps.text, line, kept);
		line = maps.text;
		got = read(maps.fd, line + kept, MAPS_BYTES - 1 - kept);
		if (got <= 0) {
			close(maps.fd);
			return NULL;
		}
		line[kept + got] = 0;
	}
	*stop = 0;
	maps.at = stop + 1;
	*start = strtoull(line, &rest, 16);
	*end = strtoull(rest + 1, NULL, 16);
	return line;
}

// The kernel's own pages would be in all that is read of smaps. On POWER signals return through
// them.
static void unmap_kernel_pages(void)
{
	const char *line;
	u64 start, end;

	if (IS_POWER)
		return;
	open_maps();
	while ((line = next_mapping(&start, &end)) != NULL)
		if (strstr(line, "[vvar") != NULL || strstr(line, "[vdso]") != NULL)
			munmap((void *)start, end - start);
}

// Takes note of what is mapped before the first call.
void note_own_mappings(void)
{
	char text[128];
	u64 start, end;

	unmap_kernel_pages();
	own_count = 0;
	open_maps();
	while (next_mapping(&start, &end) != NULL)
		if (own_count < OWN_RANGES) {
			own[own_count].start = start;
			own[own_count++].end = end;
		}
	read_file("/proc/self/statm", text, sizeof text);
	own_kb = strtoull(text, NULL, 10) * (page_size / 1024);
}

static int meets_own(u64 start, u64 length)
{
	u64 end = start + length;

	if (length == 0 || end < start)
		return 0;       // the kernel refuses it
	for (int i = 0; i < own_count; i++)
		if (start < own[i].end && own[i].start < end)
			return 1;
	return 0;
}

// What fills whole mappings (locks, populating), and mappings too long to be filled but not too
// long to be made, exclude each other: what comes first in an address space stays the only one.
static int fills, is_long;

static int cannot_be_filled(void)
{
	fills |= !is_long;
	return is_long;
}

static int is_too_long(u64 length)
{
	if (length <= MOST_MAPPED || length >= 1ull << 47)
		return 0;
	is_long |= !fills;
	return fills;
}

// Some architectures take IPC_64 off a command (CONFIG_ARCH_WANT_IPC_PARSE_VERSION).
static int command_is_another(const u64 *a)
{
	const u64 ipc_64 = 0x100;

	return IS_POWER && (a[1] & ipc_64) != 0;
}

static int byte_is_own(const u64 *a)
{
	return meets_own(a[0], 1);
}

static int range_is_own(const u64 *a)
{
	return meets_own(a[0], a[1]);
}

// Identifiers, by index, of segments without huge pages that this process or one that it descends
// from has made; one more than each, so that 0 is none.
static int of_base_pages[0x8000];

static long run_get(const u64 *a)
{
	int is_new = a[0] == IPC_PRIVATE || (~a[2] & (IPC_CREAT | IPC_EXCL)) == 0;
	long id = syscall(SYS_shmget, a[0], a[1], a[2]);

	if (id >= 0 && is_new)
		of_base_pages[id & 0x7fff] = (a[2] & SHM_HUGETLB) == 0 ? (int)id + 1 : 0;
	return id;
}

// How many bytes from an address a call may take that goes to the end of the last page: none is
// longer than the address is aligned to, and what is mapped there may have pages of any length.
static u64 whole_pages(u64 address, u64 length)
{
	const u64 longest_page = 16ull << 30;
	u64 page = address == 0 || (address & -address) > longest_page
		? longest_page : address & -address;

	return (length + page - 1) & ~(page - 1);
}

// How many bytes from the address an attach may take: no call shows how long the pages of a segment
// are.
static u64 longest_attach(int id, u64 address, u64 size)
{
	return of_base_pages[id & 0x7fff] == id + 1 ? size : whole_pages(address, size);
}

// Who may not read a segment may not attach it either; not every system has SHM_STAT_ANY.
static int find_segment(int id, struct shmid_ds *ds)
{
	return shmctl(id & 0x7fff, SHM_STAT_ANY, ds) >= 0 || shmctl(id, IPC_STAT, ds) == 0;
}

static int attach_is_unwanted(const u64 *a)
{
	int id = (int)a[0];
	u64 address = a[2] & SHM_RND ? a[1] & ~(page_size - 1) : a[1];
	struct shmid_ds ds;

	return find_segment(id, &ds)
		&& (is_too_long(ds.shm_segsz)
			|| (a[1] != 0 && meets_own(address, longest_attach(id, address, ds.shm_segsz))));
}

static int map_is_unwanted(const u64 *a)
{
	int nowhere = a[0] == 0 && (a[3] & (MAP_FIXED | MAP_FIXED_NOREPLACE)) == 0;

	return is_too_long(a[1]) || (!nowhere && meets_own(a[0], a[1]));        // also as a hint
}

// Whether what is mapped at an address may have huge pages.
static int may_be_huge(u64 address)
{
	const char *line;
	u64 from, to;
	int may = 0;

	open_maps();
	while ((line = next_mapping(&from, &to)) != NULL)
		if (from <= address && address < to && is_segment(line)) {
			int id = segment_of(line);

			may = of_base_pages[id & 0x7fff] != id + 1;
		}
	return may;
}

static int remap_meets_own(const u64 *a, u64 length, u64 new_length)
{
	return meets_own(a[0], length) || meets_own(a[0], new_length)
		|| ((a[3] & MREMAP_FIXED) && meets_own(a[4], new_length));
}

static int remap_is_unwanted(const u64 *a)
{
	return is_too_long(a[2]) || remap_meets_own(a, a[1], a[2])
		|| (remap_meets_own(a, whole_pages(a[0], a[1]), whole_pages(a[0], a[2]))
			&& may_be_huge(a[0]));
}

// The model has no swapped private memory.
static int would_swap_private(u64 start, u64 length)
{
	const char *line;
	u64 from, to;
	int would = 0;

	if (swap_path[0] == 0)
		return 0;
	open_maps();
	while ((line = next_mapping(&from, &to)) != NULL)
		would |= from < start + length && start < to && !is_segment(line);
	return would;
}

static int advice_is_unwanted(const u64 *a)
{
	int populates = a[2] == MADV_POPULATE_READ || a[2] == MADV_POPULATE_WRITE;

	return meets_own(a[0], a[1]) || (populates && cannot_be_filled())
		|| (a[2] == MADV_PAGEOUT && would_swap_private(a[0], a[1]));
}

// The kernel takes whole pages.
static int lock_is_own(const u64 *a)
{
	u64 offset = a[0] & (page_size - 1);

	return meets_own(a[0] - offset, a[1] + offset);
}

static int lock_is_unwanted(const u64 *a)
{
	return lock_is_own(a) || cannot_be_filled();
}

static int lock_of_all_is_unwanted(const u64 *a)
{
	(void)a;
	return cannot_be_filled();
}

// ---------------------------------------------------------------------------------------------
// Segments

static void add_ds(const struct shmid_ds *ds)
{
	const struct ipc_perm *perm = &ds->shm_perm;
	const u64 figures[] = {
		(u64)(int)perm->__key, (u64)(int)perm->uid, (u64)(int)perm->gid, (u64)(int)perm->cuid,
		(u64)(int)perm->cgid, perm->mode, ds->shm_segsz, (u64)ds->shm_cpid, (u64)ds->shm_lpid,
		ds->shm_nattch, (u64)ds->shm_atime, (u64)ds->shm_dtime, (u64)ds->shm_ctime,
	};

	for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
		add_value(figures[i]);
}

static long stat_segment(int id, int command, int bad)
{
	struct shmid_ds ds = { 0 };
	long result = shmctl(id, command, bad ? BAD_POINTER : (void *)&ds);

	add_ds(&ds);
	return result;
}

static long run_stat(const u64 *a)
{
	return stat_segment(a[0], IPC_STAT, a[1]);
}

static long run_statindex(const u64 *a)
{
	return stat_segment(a[0], a[1] ? SHM_STAT_ANY : SHM_STAT, a[2]);
}

static long run_set(const u64 *a)
{
	struct shmid_ds ds = { 0 };

	ds.shm_perm.uid = a[1];
	ds.shm_perm.gid = a[2];
	ds.shm_perm.mode = a[3];
	return shmctl(a[0], IPC_SET, a[4] ? BAD_POINTER : (void *)&ds);
}

static long run_ipcinfo(const u64 *a)
{
	struct shminfo limits = { 0 };
	long result = shmctl(a[0], IPC_INFO, a[1] ? BAD_POINTER : (void *)&limits);

	add_value(limits.shmmax);
	add_value(limits.shmmin);
	add_value(limits.shmmni);
	add_value(limits.shmseg);
	add_value(limits.shmall);
	return result;
}

static long run_shminfo(const u64 *a)
{
	struct shm_info info = { 0 };
	long result = shmctl(a[0], SHM_INFO, a[1] ? BAD_POINTER : (void *)&info);

	add_value(info.used_ids);
	add_value(info.shm_tot);
	add_value(info.shm_rss);
	add_value(info.shm_swp);
	return result;
}

static long run_rmid(const u64 *a)
{
	return shmctl(a[0], IPC_RMID, NULL);
}

static long run_lock(const u64 *a)
{
	return shmctl(a[0], SHM_LOCK, NULL);
}

static long run_unlock(const u64 *a)
{
	return shmctl(a[0], SHM_UNLOCK, NULL);
}

static long run_ctl(const u64 *a)
{
	return shmctl(a[0], a[1], NULL);
}

// ---------------------------------------------------------------------------------------------
// Memory

// Flags are spoken of as x86 numbers them.
static u64 native_map_flags(u64 flags)
{
	static const struct { u64 spoken, native; } all[] = {
		{ 0x2000, MAP_LOCKED }, { 0x4000, MAP_NORESERVE },
	};
	u64 native = flags;

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (flags & all[i].spoken)
			native = (native & ~all[i].spoken) | all[i].native;
	return native;
}

static u64 native_lock_flags(u64 flags)
{
	const u64 spoken = 7;   // MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT

	return (flags & ~spoken) | (flags & spoken) * MCL_CURRENT;
}

static long run_mmap(const u64 *a)
{
	return (long)mmap((void *)a[0], a[1], a[2],
		native_map_flags(a[3]) | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static long run_mbind(const u64 *a)
{
	unsigned long node = 1;
	int bare = a[2] == 0 || a[2] == 4;      // MPOL_DEFAULT, MPOL_LOCAL take no nodes

	return syscall(SYS_mbind, a[0], a[1], (int)a[2], bare ? NULL : &node,
		bare ? 0 : 8 * sizeof node, 0);
}

static long run_mlock(const u64 *a)
{
	return a[2] == 0 ? mlock((void *)a[0], a[1]) : syscall(SYS_mlock2, a[0], a[1], a[2]);
}

// Our own mappings are not to be locked, nor to count against the limit. Where a hard limit is in
// the way, a refusal says nothing.
static long run_mlockall(const u64 *a)
{
	struct rlimit limit, wider;
	long result;
	int widened, error;

	getrlimit(RLIMIT_MEMLOCK, &limit);
	wider = limit;
	if (limit.rlim_cur != 0 && limit.rlim_cur < RLIM_INFINITY - (own_kb << 10))
		wider.rlim_cur += own_kb << 10;
	widened = setrlimit(RLIMIT_MEMLOCK, &wider) == 0;
	result = mlockall(native_lock_flags(a[0]));
	error = errno;
	setrlimit(RLIMIT_MEMLOCK, &limit);
	if (result == 0 && (a[0] & 1))
		for (int i = 0; i < own_count; i++)
			munlock((void *)own[i].start, own[i].end - own[i].start);
	if (result != 0 && error == ENOMEM && !widened)
		current->kind = REPLY_SKIP;
	errno = error;
	return result;
}

static void fault_handler(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (!fault_armed) {
		signal(number, SIG_DFL);        // a fault of our own: die of it
		return;
	}
	fault_armed = 0;
	fault_signal = number;
	fault_code = info->si_code;
	siglongjmp(fault_exit, 1);
}

void catch_faults(void)
{
	struct sigaction action = { .sa_sigaction = fault_handler, .sa_flags = SA_SIGINFO | SA_NODEFER };

	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
}

// A load where there is one argument, else a store.
static long run_touch(const u64 *a)
{
	volatile unsigned char *at = (void *)a[0];
	volatile u64 byte = 0;

	if (sigsetjmp(fault_exit, 0) == 0) {
		fault_armed = 1;
		if (arguments == 1)
			byte = *at;
		else
			*at = a[1];
		fault_armed = 0;
		return byte;
	}
	current->kind = REPLY_SIGNAL;
	current->code = fault_signal;
	return fault_code;
}

static long run_swapon(const u64 *a)
{
	(void)a;
	return swapon(swap_path[0] ? swap_path : "/nonexistent/swap", 0);
}

static long run_swapoff(const u64 *a)
{
	(void)a;
	return swapoff(swap_path[0] ? swap_path : "/nonexistent/swap");
}

// ---------------------------------------------------------------------------------------------
// Credentials and limits: system calls, and not functions of the library, which would change all
// threads

static long run_setgroups(const u64 *a)
{
	gid_t groups[ARGS];

	for (int i = 0; i < arguments; i++)
		groups[i] = a[i];
	return syscall(SYS_setgroups, arguments, groups);
}

// Replaces the capabilities that the protocol knows. The others become effective if they are
// permitted, so that nothing but those that it knows decides.
static long run_capset(const u64 *a)
{
	const u64 known = 1u << CAP_SETGID | 1u << CAP_SETUID | 1u << CAP_IPC_LOCK
		| 1u << CAP_IPC_OWNER | 1u << CAP_SYS_RAWIO | 1u << CAP_SYS_ADMIN
		| 1u << CAP_SYS_RESOURCE;
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) != 0)
		return -1;
	data[0].permitted = (data[0].permitted & ~known) | a[1];
	data[0].effective = (data[0].permitted & ~known) | a[0];
	data[1].effective = data[1].permitted;
	return syscall(SYS_capset, &header, data);
}

static long run_keepcaps(const u64 *a)
{
	return prctl(PR_SET_KEEPCAPS, a[0], 0, 0, 0);
}

static long set_soft_limit(int resource, u64 bytes)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) != 0)
		return -1;
	limit.rlim_cur = bytes;
	return setrlimit(resource, &limit);
}

u64 address_space_limit(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur >= RLIM_INFINITY - (own_kb << 10)
		? RLIM_INFINITY : limit.rlim_cur - (own_kb << 10);
}

long set_address_space_limit(u64 bytes)
{
	return set_soft_limit(
		RLIMIT_AS, bytes < RLIM_INFINITY - (own_kb << 10) ? bytes + (own_kb << 10) : bytes);
}

static long run_rlimit(const u64 *a)
{
	return (int)a[0] == RLIMIT_AS ? set_address_space_limit(a[1])
		: set_soft_limit(a[0], a[1]);
}

static long run_unshare(const u64 *a)
{
	long result = unshare(CLONE_NEWIPC);

	(void)a;
	if (result == 0)
		memset(of_base_pages, 0, sizeof of_base_pages);
	return result;
}

// ---------------------------------------------------------------------------------------------

const struct operation operations[] = {
	{ .name = "get", 3, .call = run_get, .concern = MAKES_SEGMENT },
	{ .name = "at", 3, .number = SYS_shmat, .cannot_be_made = attach_is_unwanted },
	{ .name = "dt", 1, .number = SYS_shmdt, .cannot_be_made = byte_is_own },
	{ .name = "stat", 2, .call = run_stat },
	{ .name = "statindex", 3, .call = run_statindex },
	{ .name = "set", 5, .call = run_set },
	{ .name = "rmid", 1, .call = run_rmid },
	{ .name = "lock", 1, .call = run_lock },
	{ .name = "unlock", 1, .call = run_unlock },
	{ .name = "ipcinfo", 2, .call = run_ipcinfo },
	{ .name = "shminfo", 2, .call = run_shminfo, .concern = COUNTS_SEGMENTS },
	{ .name = "ctl", 2, .call = run_ctl, .cannot_be_made = command_is_another },
	{ .name = "mmap", 4, .call = run_mmap, .cannot_be_made = map_is_unwanted },
	{ .name = "munmap", 2, .number = SYS_munmap, .cannot_be_made = range_is_own },
	{ .name = "mprotect", 3, .number = SYS_mprotect, .cannot_be_made = range_is_own },
	{ .name = "mremap", 5, .number = SYS_mremap, .cannot_be_made = remap_is_unwanted },
	{ .name = "mlock", 3, .call = run_mlock, .cannot_be_made = lock_is_unwanted },
	{ .name = "munlock", 2, .number = SYS_munlock, .cannot_be_made = lock_is_own },
	{ .name = "mlockall", 1, .call = run_mlockall, .cannot_be_made = lock_of_all_is_unwanted },
	{ .name = "munlockall", 0, .number = SYS_munlockall },
	{ .name = "madvise", 3, .number = SYS_madvise, .cannot_be_made = advice_is_unwanted },
	{ .name = "mbind", 3, .call = run_mbind, .cannot_be_made = range_is_own },
	{ .name = "load", 1, .call = run_touch, .cannot_be_made = byte_is_own },
	{ .name = "store", 2, .call = run_touch, .cannot_be_made = byte_is_own },
	{ .name = "swapon", 0, .call = run_swapon },
	{ .name = "swapoff", 0, .call = run_swapoff },
	{ .name = "setuid", 1, .number = SYS_setuid },
	{ .name = "setgid", 1, .number = SYS_setgid },
	{ .name = "setresuid", 3, .number = SYS_setresuid },
	{ .name = "setresgid", 3, .number = SYS_setresgid },
	{ .name = "setgroups", -1, .call = run_setgroups },
	{ .name = "capset", 2, .call = run_capset },
	{ .name = "keepcaps", 1, .call = run_keepcaps },
	{ .name = "rlimit", 2, .call = run_rlimit },
	{ .name = "unshare", 0, .call = run_unshare, .concern = UNSHARES },
	{ .name = "setns", 1, .concern = JOINS },
	{ .name = "spawn", 1, .concern = SPAWNS },
	{ .name = "exec", 0, .concern = EXECUTES },
	{ .name = "exit", 0, .concern = EXITS },
	{ .name = "exitgroup", 0, .concern = EXITS_GROUP },
	{ .name = NULL },
};

const struct operation *find_operation(const char *name)
{
	for (const struct operation *op = operations; op->name != NULL; op++)
		if (strcmp(op->name, name) == 0)
			return op;
	return NULL;
}

struct reply reply_of(long result)
{
	return result == -1 ? (struct reply) { .kind = REPLY_ERRNO, .code = errno }
		: (struct reply) { .kind = REPLY_OK, .count = 1, .value = { result } };
}

void make_call(const struct operation *op, const u64 *a, int count, struct reply *reply)
{
	long result;

	*reply = (struct reply) { .kind = REPLY_OK, .count = 1 };
	if (op->cannot_be_made != NULL && op->cannot_be_made(a)) {
		reply->kind = REPLY_SKIP;
		return;
	}
	current = reply;
	arguments = count;
	result = op->call != NULL ? op->call(a)
		: syscall(op->number, (long)a[0], (long)a[1], (long)a[2], (long)a[3], (long)a[4]);
	if (reply->kind == REPLY_OK && result == -1) {
		reply->kind = REPLY_ERRNO;
		reply->code = errno;
		reply->count = 0;
	}
	reply->value[0] = result;
}
