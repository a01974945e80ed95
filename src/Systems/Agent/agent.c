// Makes System V shared memory calls in real processes and reports what it sees.
//
// One process, the controller, reads commands from standard input and answers each with one line;
// docs/agent-protocol.md describes both. The calls themselves are made by workers: processes and
// threads, each with one end of a socket, each on a stack of its own in `stacks`, so that any
// combination of clone flags leaves it able to serve. The controller makes no call on memory
// segments, and reads the figures of all workers under /proc.
//
// Nothing here sleeps: the end of a worker is the end of its socket.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROTOCOL 1
#define TASKS 128            // processes and threads of one run, dead ones included
#define STACK_BYTES 16384
#define OWN_RANGES 64
#define ARGS 40
#define VALUES 16
#define MOST_MAPPED (256ull << 20)
#define FD_LIMIT 64          // files that the controller has open when it starts a run
#define INPUT_BYTES 65536
#define OUTPUT_BYTES (1 << 20)
#define FILE_BYTES (1 << 20)

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

typedef uint64_t u64;

enum op {
	OP_GET, OP_AT, OP_DT, OP_STAT, OP_SET, OP_RMID, OP_LOCK, OP_UNLOCK, OP_IPCINFO, OP_SHMINFO,
	OP_STATINDEX, OP_CTL, OP_MMAP, OP_MUNMAP, OP_MPROTECT, OP_MREMAP, OP_MLOCK, OP_MUNLOCK,
	OP_MLOCKALL, OP_MUNLOCKALL, OP_MADVISE, OP_MBIND, OP_LOAD, OP_STORE, OP_SWAPON, OP_SWAPOFF,
	OP_SETUID, OP_SETGID, OP_SETRESUID, OP_SETRESGID, OP_SETGROUPS, OP_CAPSET, OP_KEEPCAPS,
	OP_RLIMIT, OP_UNSHARE, OP_SETNS, OP_SPAWN, OP_EXEC, OP_EXIT, OP_EXITGROUP, OPS
};

// Name in the protocol, and how many arguments it takes (-1: any number).
static const struct { const char *name; int args; } op_table[OPS] = {
	[OP_GET] = { "get", 3 }, [OP_AT] = { "at", 3 }, [OP_DT] = { "dt", 1 },
	[OP_STAT] = { "stat", 2 }, [OP_SET] = { "set", 5 }, [OP_RMID] = { "rmid", 1 },
	[OP_LOCK] = { "lock", 1 }, [OP_UNLOCK] = { "unlock", 1 }, [OP_IPCINFO] = { "ipcinfo", 2 },
	[OP_SHMINFO] = { "shminfo", 2 }, [OP_STATINDEX] = { "statindex", 3 }, [OP_CTL] = { "ctl", 2 },
	[OP_MMAP] = { "mmap", 4 }, [OP_MUNMAP] = { "munmap", 2 }, [OP_MPROTECT] = { "mprotect", 3 },
	[OP_MREMAP] = { "mremap", 5 }, [OP_MLOCK] = { "mlock", 3 }, [OP_MUNLOCK] = { "munlock", 2 },
	[OP_MLOCKALL] = { "mlockall", 1 }, [OP_MUNLOCKALL] = { "munlockall", 0 },
	[OP_MADVISE] = { "madvise", 3 }, [OP_MBIND] = { "mbind", 3 }, [OP_LOAD] = { "load", 1 },
	[OP_STORE] = { "store", 2 }, [OP_SWAPON] = { "swapon", 0 }, [OP_SWAPOFF] = { "swapoff", 0 },
	[OP_SETUID] = { "setuid", 1 }, [OP_SETGID] = { "setgid", 1 },
	[OP_SETRESUID] = { "setresuid", 3 }, [OP_SETRESGID] = { "setresgid", 3 },
	[OP_SETGROUPS] = { "setgroups", -1 }, [OP_CAPSET] = { "capset", 2 },
	[OP_KEEPCAPS] = { "keepcaps", 1 }, [OP_RLIMIT] = { "rlimit", 2 },
	[OP_UNSHARE] = { "unshare", 0 }, [OP_SETNS] = { "setns", 1 }, [OP_SPAWN] = { "spawn", 1 },
	[OP_EXEC] = { "exec", 0 }, [OP_EXIT] = { "exit", 0 }, [OP_EXITGROUP] = { "exitgroup", 0 },
};

struct command {
	int op;
	int count;
	u64 arg[ARGS];
};

enum kind { REPLY_OK, REPLY_ERRNO, REPLY_SIGNAL, REPLY_SKIP };

struct reply {
	int kind;
	int code;               // errno or signal
	int count;
	u64 value[VALUES];      // REPLY_SIGNAL: si_code
};

// ---------------------------------------------------------------------------------------------
// Workers

// Threads share this with their parent; only one of them runs at a time, the others wait for a
// command.
static char stacks[TASKS][STACK_BYTES] __attribute__((aligned(64)));
static char swap_path[4096];
static int exe_fd;
static u64 page_size;
static struct { u64 start, end; } own[OWN_RANGES];  // what this program itself maps
static int own_count;
static u64 own_kb;
static u64 as_limit = RLIM_INFINITY;                // as asked for, without our own mappings
static sigjmp_buf fault_exit;
static volatile sig_atomic_t fault_armed;
static volatile int fault_signal, fault_code;

// Never mapped in a user's address space.
#define BAD_POINTER ((void *)(intptr_t)-4096)

static const u64 known_capabilities = 1u << CAP_SETGID | 1u << CAP_SETUID | 1u << CAP_IPC_LOCK
	| 1u << CAP_IPC_OWNER | 1u << CAP_SYS_RAWIO | 1u << CAP_SYS_ADMIN | 1u << CAP_SYS_RESOURCE;

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

static void catch_faults(void)
{
	struct sigaction action = { .sa_sigaction = fault_handler, .sa_flags = SA_SIGINFO | SA_NODEFER };

	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
}

static size_t read_file(const char *path, char *buffer, size_t size)
{
	size_t length = 0;
	ssize_t got;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	while (length < size - 1 && (got = read(fd, buffer + length, size - 1 - length)) > 0)
		length += got;
	close(fd);
	buffer[length] = 0;
	return length;
}

// Takes note of what is mapped before the first call.
static void note_own_mappings(void)
{
	static char text[16384];
	char *line;

	own_count = 0;
	own_kb = 0;
	read_file("/proc/self/maps", text, sizeof text);
	for (line = text; *line && own_count < OWN_RANGES; line++) {
		u64 start = strtoull(line, &line, 16);
		u64 end = strtoull(line + 1, &line, 16);

		own[own_count].start = start;
		own[own_count++].end = end;
		if (!strchr(line, '\n'))
			break;
		line = strchr(line, '\n');
	}
	read_file("/proc/self/statm", text, sizeof text);
	own_kb = strtoull(text, NULL, 10) * (page_size / 1024);
}

// Whether a line of /proc/PID/maps is that of an attach.
static int is_segment(const char *header)
{
	const char *end = strchr(header, '\n');
	const char *name = strstr(header, "SYSV");

	return name != NULL && (end == NULL || name < end) && (name[-1] == '/' || name[-1] == ' ');
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

// An attach that could fill the memory of the machine, or meets our own mappings.
static int attach_cannot_be_made(int id, u64 address)
{
	struct shmid_ds ds;

	return shmctl(id & 0x7fff, SHM_STAT_ANY, &ds) >= 0 && (ds.shm_segsz > MOST_MAPPED
		|| (address != 0 && meets_own(address, ds.shm_segsz)));
}

// A mapping too long to be filled, and not too long to be made.
static int is_too_long(u64 length)
{
	return length > MOST_MAPPED && length < 1ull << 47;
}

static void set_result(struct reply *reply, long result)
{
	reply->kind = result == -1 ? REPLY_ERRNO : REPLY_OK;
	reply->code = errno;
	reply->count = 1;
	reply->value[0] = result;
}

static void add_value(struct reply *reply, u64 value)
{
	reply->value[reply->count++] = value;
}

static void add_ds(struct reply *reply, const struct shmid_ds *ds)
{
	const struct ipc_perm *perm = &ds->shm_perm;

	if (reply->kind != REPLY_OK)
		return;
	add_value(reply, (u64)(int64_t)perm->__key);
	add_value(reply, (u64)(int64_t)(int)perm->uid);
	add_value(reply, (u64)(int64_t)(int)perm->gid);
	add_value(reply, (u64)(int64_t)(int)perm->cuid);
	add_value(reply, (u64)(int64_t)(int)perm->cgid);
	add_value(reply, perm->mode);
	add_value(reply, ds->shm_segsz);
	add_value(reply, ds->shm_cpid);
	add_value(reply, ds->shm_lpid);
	add_value(reply, ds->shm_nattch);
	add_value(reply, ds->shm_atime);
	add_value(reply, ds->shm_dtime);
	add_value(reply, ds->shm_ctime);
}

static void do_segment_call(const struct command *c, struct reply *reply)
{
	struct shmid_ds ds = { 0 };
	struct shm_info info;
	struct shminfo limits;
	int id = c->arg[0];

	switch (c->op) {
	case OP_STAT:
		set_result(reply, shmctl(id, IPC_STAT, c->arg[1] ? BAD_POINTER : (void *)&ds));
		add_ds(reply, &ds);
		break;
	case OP_STATINDEX:
		set_result(reply, shmctl(id, c->arg[1] ? SHM_STAT_ANY : SHM_STAT,
			c->arg[2] ? BAD_POINTER : (void *)&ds));
		add_ds(reply, &ds);
		break;
	case OP_SET:
		ds.shm_perm.uid = c->arg[1];
		ds.shm_perm.gid = c->arg[2];
		ds.shm_perm.mode = c->arg[3];
		set_result(reply, shmctl(id, IPC_SET, c->arg[4] ? BAD_POINTER : (void *)&ds));
		break;
	case OP_IPCINFO:
		set_result(reply, shmctl(id, IPC_INFO, c->arg[1] ? BAD_POINTER : (void *)&limits));
		if (reply->kind == REPLY_OK) {
			add_value(reply, limits.shmmax);
			add_value(reply, limits.shmmin);
			add_value(reply, limits.shmmni);
			add_value(reply, limits.shmseg);
			add_value(reply, limits.shmall);
		}
		break;
	case OP_SHMINFO:
		set_result(reply, shmctl(id, SHM_INFO, c->arg[1] ? BAD_POINTER : (void *)&info));
		if (reply->kind == REPLY_OK) {
			add_value(reply, info.used_ids);
			add_value(reply, info.shm_tot);
			add_value(reply, info.shm_rss);
			add_value(reply, info.shm_swp);
		}
		break;
	default:
		set_result(reply, shmctl(id, c->op == OP_RMID ? IPC_RMID : c->op == OP_LOCK ? SHM_LOCK
			: c->op == OP_UNLOCK ? SHM_UNLOCK : (int)c->arg[1], NULL));
	}
}

// Our own mappings are not to be locked, nor to count against the limit. Where a hard limit is in
// the way, a refusal says nothing.
static void lock_all(int flags, struct reply *reply)
{
	struct rlimit limit, wider;
	int widened;

	getrlimit(RLIMIT_MEMLOCK, &limit);
	wider = limit;
	if (limit.rlim_cur != 0 && limit.rlim_cur < RLIM_INFINITY - (own_kb << 10))
		wider.rlim_cur += own_kb << 10;
	widened = setrlimit(RLIMIT_MEMLOCK, &wider) == 0;
	set_result(reply, mlockall(flags));
	setrlimit(RLIMIT_MEMLOCK, &limit);
	if (reply->kind == REPLY_OK && (flags & MCL_CURRENT))
		for (int i = 0; i < own_count; i++)
			munlock((void *)own[i].start, own[i].end - own[i].start);
	if (reply->kind == REPLY_ERRNO && reply->code == ENOMEM && !widened)
		reply->kind = REPLY_SKIP;
}

static void do_memory_call(const struct command *c, struct reply *reply)
{
	const u64 *a = c->arg;
	void *start = (void *)a[0];
	unsigned long node = 1;
	int bare_policy = a[2] == 0 || a[2] == 4;       // MPOL_DEFAULT, MPOL_LOCAL take no nodes

	switch (c->op) {
	case OP_MMAP:
		set_result(reply, (long)mmap(start, a[1], a[2],
			a[3] | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		break;
	case OP_MUNMAP:
		set_result(reply, munmap(start, a[1]));
		break;
	case OP_MPROTECT:
		set_result(reply, mprotect(start, a[1], a[2]));
		break;
	case OP_MREMAP:
		set_result(reply, syscall(SYS_mremap, start, a[1], a[2], a[3], a[4]));
		break;
	case OP_MLOCK:
		set_result(reply, a[2] ? syscall(SYS_mlock2, start, a[1], 1) : mlock(start, a[1]));
		break;
	case OP_MUNLOCK:
		set_result(reply, munlock(start, a[1]));
		break;
	case OP_MLOCKALL:
		lock_all(a[0], reply);
		break;
	case OP_MUNLOCKALL:
		set_result(reply, munlockall());
		break;
	case OP_MADVISE:
		set_result(reply, madvise(start, a[1], a[2]));
		break;
	default:
		set_result(reply, syscall(SYS_mbind, start, a[1], (int)a[2],
			bare_policy ? NULL : &node, bare_policy ? 0 : 8 * sizeof node, 0));
	}
}

static void do_touch(const struct command *c, struct reply *reply)
{
	volatile unsigned char *at = (void *)c->arg[0];
	volatile u64 byte = 0;

	if (sigsetjmp(fault_exit, 0) == 0) {
		fault_armed = 1;
		if (c->op == OP_LOAD)
			byte = *at;
		else
			*at = c->arg[1];
		fault_armed = 0;
		set_result(reply, byte);
	} else {
		reply->kind = REPLY_SIGNAL;
		reply->code = fault_signal;
		reply->count = 1;
		reply->value[0] = fault_code;
	}
}

// Replaces the capabilities that the protocol knows. The others become effective if they are
// permitted, so that nothing but those that it knows decides.
static long set_capabilities(u64 effective, u64 permitted)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) != 0)
		return -1;
	data[0].permitted = (data[0].permitted & ~known_capabilities) | permitted;
	data[0].effective = (data[0].permitted & ~known_capabilities) | effective;
	data[1].effective = data[1].permitted;
	return syscall(SYS_capset, &header, data);
}

static long set_limit(int resource, u64 bytes)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) != 0)
		return -1;
	limit.rlim_cur = bytes;
	if (resource == RLIMIT_AS) {
		as_limit = bytes;
		if (bytes < RLIM_INFINITY - (own_kb << 10))
			limit.rlim_cur += own_kb << 10;
	}
	return setrlimit(resource, &limit);
}

// System calls and not functions of the library, which would change all threads.
static void do_credential_call(const struct command *c, struct reply *reply)
{
	const u64 *a = c->arg;
	gid_t groups[ARGS];

	switch (c->op) {
	case OP_SETUID:
		set_result(reply, syscall(SYS_setuid, (uid_t)a[0]));
		break;
	case OP_SETGID:
		set_result(reply, syscall(SYS_setgid, (gid_t)a[0]));
		break;
	case OP_SETRESUID:
		set_result(reply, syscall(SYS_setresuid, (uid_t)a[0], (uid_t)a[1], (uid_t)a[2]));
		break;
	case OP_SETRESGID:
		set_result(reply, syscall(SYS_setresgid, (gid_t)a[0], (gid_t)a[1], (gid_t)a[2]));
		break;
	case OP_SETGROUPS:
		for (int i = 0; i < c->count; i++)
			groups[i] = a[i];
		set_result(reply, syscall(SYS_setgroups, c->count, groups));
		break;
	case OP_CAPSET:
		set_result(reply, set_capabilities(a[0], a[1]));
		break;
	case OP_KEEPCAPS:
		set_result(reply, prctl(PR_SET_KEEPCAPS, a[0], 0, 0, 0));
		break;
	default:
		set_result(reply, set_limit(a[0], a[1]));
	}
}

// The model has no swapped private memory.
static int would_swap_private(u64 start, u64 length)
{
	static char text[FILE_BYTES / 4];
	char *line;

	if (access(swap_path, F_OK) != 0)
		return 0;
	read_file("/proc/self/maps", text, sizeof text);
	for (line = text; line != NULL && line[1]; line = strchr(line + 1, '\n')) {
		char *rest;
		u64 from = strtoull(line, &rest, 16);
		u64 to = strtoull(rest + 1, &rest, 16);

		if (from < start + length && start < to && !is_segment(rest))
			return 1;
	}
	return 0;
}

static int cannot_be_made(const struct command *c)
{
	const u64 *a = c->arg;

	switch (c->op) {
	case OP_AT:
		return attach_cannot_be_made(a[0], a[1]);
	case OP_MMAP:
		return is_too_long(a[1]) || (a[0] != 0 && meets_own(a[0], a[1]));   // also as a hint
	case OP_MREMAP:
		return is_too_long(a[2]) || meets_own(a[0], a[1]) || meets_own(a[0], a[2])
			|| ((a[3] & MREMAP_FIXED) && meets_own(a[4], a[2]));
	case OP_MADVISE:
		return meets_own(a[0], a[1])
			|| (a[2] == MADV_PAGEOUT && would_swap_private(a[0], a[1]));
	case OP_MUNMAP: case OP_MPROTECT: case OP_MLOCK: case OP_MUNLOCK: case OP_MBIND:
		return meets_own(a[0], a[1]);
	case OP_DT: case OP_LOAD: case OP_STORE:
		return meets_own(a[0], 1);
	default:
		return 0;
	}
}

static void execute(const struct command *c, int passed_fd, struct reply *reply)
{
	const u64 *a = c->arg;

	switch (c->op) {
	case OP_GET:
		set_result(reply, shmget((key_t)a[0], a[1], (int)a[2]));
		break;
	case OP_AT:
		set_result(reply, (long)shmat((int)a[0], (void *)a[1], (int)a[2]));
		break;
	case OP_DT:
		set_result(reply, shmdt((void *)a[0]));
		break;
	case OP_STAT: case OP_SET: case OP_RMID: case OP_LOCK: case OP_UNLOCK: case OP_IPCINFO:
	case OP_SHMINFO: case OP_STATINDEX: case OP_CTL:
		do_segment_call(c, reply);
		break;
	case OP_LOAD: case OP_STORE:
		do_touch(c, reply);
		break;
	case OP_SWAPON:
		set_result(reply, swapon(swap_path, 0));
		break;
	case OP_SWAPOFF:
		set_result(reply, swapoff(swap_path));
		break;
	case OP_UNSHARE:
		set_result(reply, unshare(CLONE_NEWIPC));
		break;
	case OP_SETNS:
		set_result(reply, setns(passed_fd, CLONE_NEWIPC));
		break;
	case OP_SETUID: case OP_SETGID: case OP_SETRESUID: case OP_SETRESGID: case OP_SETGROUPS:
	case OP_CAPSET: case OP_KEEPCAPS: case OP_RLIMIT:
		do_credential_call(c, reply);
		break;
	default:
		do_memory_call(c, reply);
	}
}

// Sends one message, and a file with it if there is one.
static int send_message(int fd, const void *data, size_t size, int passed_fd)
{
	union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; } control = { 0 };
	struct iovec part = { (void *)data, size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (passed_fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof control;
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &passed_fd, sizeof(int));
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)size ? 0 : -1;
}

// Receives one message. Returns 0 at the end.
static int receive_message(int fd, void *data, size_t size, int *passed_fd)
{
	union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; } control;
	struct iovec part = { data, size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof control };
	ssize_t got;

	do
		got = recvmsg(fd, &message, 0);
	while (got < 0 && errno == EINTR);
	*passed_fd = -1;
	if (got > 0 && message.msg_controllen >= CMSG_LEN(sizeof(int)))
		memcpy(passed_fd, CMSG_DATA(&control.header), sizeof(int));
	return got == (ssize_t)size;
}

struct birth {
	int fd;
	int parent_fd;
};

static struct birth births[TASKS];

static void report_ready(int fd)
{
	struct reply ready = { .kind = REPLY_OK, .count = 2,
		.value = { syscall(SYS_gettid), own_kb } };

	send_message(fd, &ready, sizeof ready, -1);
}

static void serve(int fd);

static int begin_task(void *argument)
{
	struct birth birth = *(struct birth *)argument;

	close(birth.parent_fd);
	report_ready(birth.fd);
	serve(birth.fd);
	return 0;
}

// Arguments: clone flags, number of the child's stack. The child ends up under the controller,
// which waits for it.
static void do_spawn(const struct command *c, int parent_fd, int child_fd, struct reply *reply)
{
	int flags = c->arg[0];
	int stack = c->arg[1];
	long pid;

	births[stack].fd = child_fd;
	births[stack].parent_fd = parent_fd;
	flags |= flags & CLONE_THREAD ? CLONE_SIGHAND : CLONE_PARENT | SIGCHLD;
	pid = clone(begin_task, stacks[stack] + STACK_BYTES, flags, &births[stack]);
	if (pid < 0 && errno == EINVAL && (flags & CLONE_PARENT)) {
		signal(SIGCHLD, SIG_IGN);       // then nobody has to wait for it
		pid = clone(begin_task, stacks[stack] + STACK_BYTES, flags & ~CLONE_PARENT,
			&births[stack]);
	}
	set_result(reply, pid);
	close(child_fd);
}

static void do_exec(int fd, struct reply *reply)
{
	char fd_text[16], exe_text[16], limit_text[32];
	char *arguments[] = { "shmcheck-agent", "worker", fd_text, exe_text, limit_text, swap_path,
		NULL };
	char *environment[] = { NULL };

	snprintf(fd_text, sizeof fd_text, "%d", fd);
	snprintf(exe_text, sizeof exe_text, "%d", exe_fd);
	snprintf(limit_text, sizeof limit_text, "%llu", (unsigned long long)as_limit);
	set_result(reply, syscall(SYS_execveat, exe_fd, "", arguments, environment, AT_EMPTY_PATH));
}

static void serve(int fd)
{
	struct command command;
	int passed_fd;

	while (receive_message(fd, &command, sizeof command, &passed_fd)) {
		struct reply reply = { 0 };

		if (command.op == OP_EXIT)
			syscall(SYS_exit, 0);
		if (command.op == OP_EXITGROUP)
			syscall(SYS_exit_group, 0);
		if (command.op == OP_SPAWN)
			do_spawn(&command, fd, passed_fd, &reply);
		else if (command.op == OP_EXEC)
			do_exec(fd, &reply);
		else if (cannot_be_made(&command))
			reply.kind = REPLY_SKIP;
		else
			execute(&command, passed_fd, &reply);
		if (command.op == OP_SETNS && passed_fd >= 0)
			close(passed_fd);
		send_message(fd, &reply, sizeof reply, -1);
	}
	syscall(SYS_exit_group, 0);
}

// The program that exec starts: as the one before, with a new address space.
static int worker_main(char **arguments)
{
	struct rlimit limit;
	int fd = atoi(arguments[2]);

	exe_fd = atoi(arguments[3]);
	as_limit = strtoull(arguments[4], NULL, 10);
	strncpy(swap_path, arguments[5], sizeof swap_path - 1);
	catch_faults();
	note_own_mappings();
	if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		set_limit(RLIMIT_AS, as_limit);
	report_ready(fd);
	serve(fd);
	return 0;
}

// ---------------------------------------------------------------------------------------------
// The controller

struct task {
	int tid, tgid;
	int fd;
	int ns;                 // number of its IPC namespace, in the order of their creation
	int waits_for;          // tid of the vfork child that holds it up, or 0
	int alive;
	u64 own_kb;
};

// The segments that this run has met, as far as they still exist.
static int known_ids[4096];
static int known_count;

static void take_note_of(int id)
{
	for (int i = 0; i < known_count; i++)
		if (known_ids[i] == id)
			return;
	if (known_count < (int)(sizeof known_ids / sizeof *known_ids))
		known_ids[known_count++] = id;
}

static struct task tasks[TASKS];
static int task_count;
static int namespace_count;
static int base_ns;                     // the controller's own
static int has_namespaces;              // and can be left and entered again
static unsigned limit_ms = 10000;       // for one call
static char output[OUTPUT_BYTES];
static size_t output_length;
static char file_text[FILE_BYTES];
static int huge_kb;

static void flush_output(void)
{
	size_t done = 0;

	while (done < output_length) {
		ssize_t got = write(STDOUT_FILENO, output + done, output_length - done);

		if (got < 0 && errno != EINTR)
			_exit(0);       // nobody listens any more
		done += got < 0 ? 0 : got;
	}
	output_length = 0;
}

static void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void print(const char *format, ...)
{
	va_list arguments;

	if (output_length > OUTPUT_BYTES - 4096)
		flush_output();
	va_start(arguments, format);
	output_length += vsnprintf(output + output_length, 4096, format, arguments);
	va_end(arguments);
}

static const char *errno_name(int number)
{
	static char other[16];

	switch (number) {
#define NAME(e) case e: return #e
	NAME(EPERM); NAME(ENOENT); NAME(ESRCH); NAME(EINTR); NAME(EIO); NAME(ENXIO); NAME(E2BIG);
	NAME(EBADF); NAME(EAGAIN); NAME(ENOMEM); NAME(EACCES); NAME(EFAULT); NAME(EBUSY);
	NAME(EEXIST); NAME(ENODEV); NAME(EINVAL); NAME(ENOSPC); NAME(ENOSYS); NAME(EIDRM);
	NAME(EOVERFLOW); NAME(EOPNOTSUPP); NAME(EUSERS); NAME(ELIBBAD); NAME(ENOEXEC);
#undef NAME
	}
	snprintf(other, sizeof other, "E%d", number);
	return other;
}

static void print_reply(const struct reply *reply)
{
	switch (reply->kind) {
	case REPLY_OK:
		print("ok");
		for (int i = 0; i < reply->count; i++)
			print(" %lld", (long long)reply->value[i]);
		print("\n");
		break;
	case REPLY_ERRNO:
		print("err %s\n", errno_name(reply->code));
		break;
	case REPLY_SIGNAL:
		print("sig %s %lld\n", reply->code == SIGBUS ? "BUS" : "SEGV",
			(long long)reply->value[0]);
		break;
	default:
		print("skip\n");
	}
}

static void print_errno(void)
{
	print("err %s\n", errno_name(errno));
}

static struct task *find_task(long tid)
{
	for (int i = task_count - 1; i >= 0; i--)
		if (tasks[i].alive && tasks[i].tid == tid)
			return &tasks[i];
	return NULL;
}

static int group_is_alive(int tgid)
{
	for (int i = 0; i < task_count; i++)
		if (tasks[i].alive && tasks[i].tgid == tgid)
			return 1;
	return 0;
}

enum outcome { CAME, ENDED, HANGS };

static enum outcome await_reply(int fd, struct reply *reply)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	int passed_fd;
	int ready;

	do
		ready = poll(&wait, 1, limit_ms);
	while (ready < 0 && errno == EINTR);
	if (ready == 0)
		return HANGS;
	return receive_message(fd, reply, sizeof *reply, &passed_fd) ? CAME : ENDED;
}

// Waits for the end of a group none of whose tasks is left. Its memory is gone by then, and what
// it attached is detached.
//
// Returns how it ended, UNKNOWN if it was not our child.
#define UNKNOWN (-1)

static int reap(int tgid)
{
	int status = 0, result;

	alarm(limit_ms / 1000 + 1);
	while ((result = waitpid(tgid, &status, __WALL)) < 0 && errno == EINTR)
		if (alarm(0) == 0)
			break;
	alarm(0);
	return result < 0 && errno == ECHILD ? UNKNOWN : status;
}

static void bury(struct task *task)
{
	task->alive = 0;
	close(task->fd);
}

// A vfork child has executed or ended: its parent goes on, and reports what vfork returned.
static void release_parent_of(int tid)
{
	struct reply reply;

	for (int i = 0; i < task_count; i++)
		if (tasks[i].alive && tasks[i].waits_for == tid) {
			tasks[i].waits_for = 0;
			if (await_reply(tasks[i].fd, &reply) == ENDED)
				bury(&tasks[i]);
		}
}

static enum outcome await_end(struct task *task)
{
	struct reply reply;
	enum outcome outcome;

	while ((outcome = await_reply(task->fd, &reply)) == CAME)
		;
	if (outcome == ENDED)
		bury(task);
	return outcome;
}

// Waits until all tasks of a group but one have ended.
static enum outcome await_group(int tgid, const struct task *except, int *status)
{
	int ended[TASKS], count = 0;

	for (int i = 0; i < task_count; i++)
		if (tasks[i].alive && tasks[i].tgid == tgid && &tasks[i] != except) {
			if (await_end(&tasks[i]) == HANGS)
				return HANGS;
			ended[count++] = tasks[i].tid;
		}
	if (except == NULL)
		*status = reap(tgid);
	for (int i = 0; i < count; i++)
		release_parent_of(ended[i]);
	return ENDED;
}

// A task is gone that nobody asked to go.
static void print_death(struct task *task)
{
	int status = 0;

	if (await_group(task->tgid, NULL, &status) == HANGS)
		print("hang\n");
	else if (status == UNKNOWN)
		print("died\n");
	else if (WIFSIGNALED(status))
		print("died sig %d\n", WTERMSIG(status));
	else
		print("died exit %d\n", WEXITSTATUS(status));
}

static void print_outcome(enum outcome outcome, struct task *task, const struct reply *reply)
{
	if (outcome == CAME)
		print_reply(reply);
	else if (outcome == HANGS)
		print("hang\n");
	else
		print_death(task);
}

static int open_namespace_of(const struct task *task)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/ns/ipc", task->tid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

// Enters the namespace of a task. leave_namespace() comes back.
static int enter_namespace_of(const struct task *task)
{
	int fd, result;

	if (!has_namespaces)
		return 0;
	fd = open_namespace_of(task);
	result = fd < 0 ? -1 : setns(fd, CLONE_NEWIPC);

	if (fd >= 0)
		close(fd);
	return result;
}

static void leave_namespace(void)
{
	if (has_namespaces && setns(base_ns, CLONE_NEWIPC) != 0)
		_exit(1);
}

static struct task *task_in_namespace(int ns)
{
	for (int i = 0; i < task_count; i++)
		if (tasks[i].alive && tasks[i].ns == ns)
			return &tasks[i];
	return NULL;
}

static struct task *add_task(int fd, const struct reply *ready, int ns)
{
	struct task *task = &tasks[task_count++];

	*task = (struct task) { .tid = ready->value[0], .tgid = ready->value[0], .fd = fd,
		.ns = ns, .alive = 1, .own_kb = ready->value[1] };
	return task;
}

static void run_spawn(struct task *parent, struct command *command)
{
	int flags = command->arg[0];
	int ends[2];
	int parent_outcome = CAME;
	struct reply reply = { 0 }, ready = { 0 };
	struct task *child;

	if (task_count == TASKS) {
		print("skip\n");
		return;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
		print("bad no socket\n");
		return;
	}
	command->arg[1] = task_count;
	send_message(parent->fd, command, sizeof *command, ends[1]);
	close(ends[1]);
	// A vfork parent answers only when its child has gone on: then the child speaks first. If
	// there is no child, its end of the socket is closed.
	if (!(flags & CLONE_VFORK))
		parent_outcome = await_reply(parent->fd, &reply);
	if (parent_outcome == CAME && reply.kind == REPLY_OK
		&& await_reply(ends[0], &ready) == CAME) {
		child = add_task(ends[0], &ready, flags & CLONE_NEWIPC ? namespace_count++ : parent->ns);
		child->tgid = flags & CLONE_THREAD ? parent->tgid : child->tid;
		parent->waits_for = flags & CLONE_VFORK ? child->tid : 0;
		print("ok %d\n", child->tid);
		return;
	}
	close(ends[0]);
	if (parent_outcome == CAME && reply.kind == REPLY_OK && !(flags & CLONE_VFORK)) {
		print("bad the child does not start\n");
		return;
	}
	if (flags & CLONE_VFORK)
		parent_outcome = await_reply(parent->fd, &reply);
	print_outcome(parent_outcome, parent, &reply);
}

static void run_exec(struct task *task, const struct command *command)
{
	struct reply reply;
	enum outcome outcome;
	int status;

	send_message(task->fd, command, sizeof *command, -1);
	outcome = await_reply(task->fd, &reply);
	if (outcome == CAME && reply.kind == REPLY_OK) {
		int old_tid = task->tid;

		await_group(task->tgid, task, &status);
		release_parent_of(old_tid);
		task->tid = reply.value[0];
		task->own_kb = reply.value[1];
		print("ok 0\n");
	} else {
		print_outcome(outcome, task, &reply);
	}
}

static void run_exit(struct task *task, const struct command *command)
{
	int tgid = task->tgid, tid = task->tid;
	int status;
	enum outcome outcome;

	send_message(task->fd, command, sizeof *command, -1);
	if (command->op == OP_EXITGROUP) {
		outcome = await_group(tgid, NULL, &status);
	} else {
		outcome = await_end(task);
		if (outcome == ENDED && !group_is_alive(tgid))
			reap(tgid);
		release_parent_of(tid);
	}
	print(outcome == HANGS ? "hang\n" : "ok 0\n");
}

static void run_kill(struct task *task)
{
	int tgid = task->tgid;
	int status;

	kill(tgid, SIGKILL);
	print(await_group(tgid, NULL, &status) == HANGS ? "hang\n" : "ok 0\n");
}

static void run_call(struct task *task, struct command *command)
{
	struct reply reply;
	struct task *target = NULL;
	enum outcome outcome;
	int passed_fd = -1;

	if (command->op == OP_SETNS) {
		target = find_task(command->arg[0]);
		passed_fd = target == NULL ? -1 : open_namespace_of(target);
		if (passed_fd < 0) {
			print("bad no such task\n");
			return;
		}
	}
	outcome = send_message(task->fd, command, sizeof *command, passed_fd) != 0 ? ENDED
		: await_reply(task->fd, &reply);
	if (passed_fd >= 0)
		close(passed_fd);
	if (outcome == CAME && reply.kind == REPLY_OK && command->op == OP_GET)
		take_note_of(reply.value[0]);
	if (outcome == CAME && reply.kind == REPLY_OK && command->op == OP_UNSHARE)
		task->ns = namespace_count++;
	if (outcome == CAME && reply.kind == REPLY_OK && command->op == OP_SETNS)
		task->ns = target->ns;
	print_outcome(outcome, task, &reply);
}

static void run_task_command(struct task *task, struct command *command)
{
	if (task->waits_for)
		print("bad the task waits for its vfork child\n");
	else if (command->op == OP_SPAWN)
		run_spawn(task, command);
	else if (command->op == OP_EXEC)
		run_exec(task, command);
	else if (command->op == OP_EXIT || command->op == OP_EXITGROUP)
		run_exit(task, command);
	else
		run_call(task, command);
}

struct first {
	int fd;
	int leave_namespace;
};

static int begin_first(void *argument)
{
	struct first first = *(struct first *)argument;
	int fd = first.fd;
	struct rlimit memory = { 8 << 20, RLIM_INFINITY }, core = { 0, 0 };

	if (first.leave_namespace && unshare(CLONE_NEWIPC) != 0)
		_exit(1);
	fcntl(fd, F_SETFD, 0);
	for (int other = 0; other < FD_LIMIT; other++)
		if (other != fd && other != exe_fd && other != STDERR_FILENO)
			close(other);
	if (setrlimit(RLIMIT_MEMLOCK, &memory) != 0 && getrlimit(RLIMIT_MEMLOCK, &memory) == 0) {
		memory.rlim_cur = memory.rlim_max < 8 << 20 ? memory.rlim_max : 8 << 20;
		setrlimit(RLIMIT_MEMLOCK, &memory);
	}
	setrlimit(RLIMIT_CORE, &core);
	catch_faults();
	note_own_mappings();
	report_ready(fd);
	serve(fd);
	return 0;
}

// start [SWAP-DEVICE]: the first process of a run, in a new IPC namespace.
static void run_start(const char *device)
{
	static struct first first;
	int ends[2];
	struct reply ready;
	int pid;

	snprintf(swap_path, sizeof swap_path, "%s", *device ? device : "/nonexistent/swap");
	if (task_count != 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
		print("bad not reset\n");
		return;
	}
	first = (struct first) { ends[1], 0 };
	pid = clone(begin_first, stacks[0] + STACK_BYTES, (has_namespaces ? CLONE_NEWIPC : 0)
		| SIGCHLD, &first);
	if (pid < 0 && errno == EINVAL) {       // emulators clone as fork does, or not at all
		first.leave_namespace = has_namespaces;
		pid = clone(begin_first, stacks[0] + STACK_BYTES, SIGCHLD, &first);
	}
	if (pid < 0) {
		print_errno();
		close(ends[0]);
		close(ends[1]);
		return;
	}
	close(ends[1]);
	namespace_count = 1;
	if (await_reply(ends[0], &ready) == CAME)
		print("ok %d\n", add_task(ends[0], &ready, 0)->tid);
	else
		print("bad the first process does not start\n");
}

// The segments go before the processes do: the end of a namespace is asynchronous.
static void remove_segments(void)
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

static void run_reset(void)
{
	int status;

	for (int ns = 0; ns < namespace_count; ns++) {
		struct task *task = task_in_namespace(ns);

		if (task != NULL && enter_namespace_of(task) == 0) {
			remove_segments();
			leave_namespace();
		}
	}
	for (int i = 0; i < task_count; i++)
		if (tasks[i].alive)
			kill(tasks[i].tgid, SIGKILL);
	for (int i = 0; i < task_count; i++)
		if (tasks[i].alive && await_group(tasks[i].tgid, NULL, &status) == HANGS) {
			print("hang\n");
			return;
		}
	task_count = 0;
	namespace_count = 0;
	print("ok 0\n");
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		print_errno();
	else
		print("ok 0\n");
	if (fd >= 0)
		close(fd);
}

// sysctl NAME VALUE [TASK]: in the IPC namespace of the task; 0 stands for any in namespace 0.
static void run_sysctl(const char *name, const char *value, const char *whose)
{
	char path[256];
	struct task *task;

	snprintf(path, sizeof path, "/proc/sys/%s", name);
	for (char *c = path; *c; c++)
		if (*c == '.')
			*c = '/';
	if (whose != NULL) {
		task = atoi(whose) == 0 ? task_in_namespace(0) : find_task(atoi(whose));
		if (task == NULL || enter_namespace_of(task) != 0) {
			print("bad no such namespace\n");
			return;
		}
	}
	write_file(path, value);
	if (whose != NULL)
		leave_namespace();
}

// ---------------------------------------------------------------------------------------------
// Observing

enum { SEE_SEGMENTS = 1, SEE_PROCESSES = 2, SEE_MEMINFO = 4, REFRESH = 8 };

static u64 read_number(const char *path)
{
	char text[64];

	return read_file(path, text, sizeof text) ? strtoull(text, NULL, 10) : 0;
}

// The value behind a name at the start of a line, in kB; 0 if it is not there.
static u64 named_value(const char *text, const char *name)
{
	size_t length = strlen(name);

	for (const char *line = text; line != NULL && *line; ) {
		if (strncmp(line, name, length) == 0)
			return strtoull(line + length, NULL, 10);
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return 0;
}

static int by_index(const void *one, const void *other)
{
	return (*(const int *)one & 0x7fff) - (*(const int *)other & 0x7fff);
}

// Without the file that lists them: those that calls have named, as far as they still exist.
static void see_known_segments(int ns)
{
	for (int i = 0; i < known_count; ) {
		struct shmid_ds ds;

		if (shmctl(known_ids[i], IPC_STAT, &ds) == 0)
			i++;
		else
			known_ids[i] = known_ids[--known_count];
	}
	qsort(known_ids, known_count, sizeof *known_ids, by_index);
	for (int i = 0; i < known_count; i++) {
		struct shmid_ds ds;
		const struct ipc_perm *perm = &ds.shm_perm;

		if (shmctl(known_ids[i], IPC_STAT, &ds) == 0)
			print(" s %d %d %d %d %d %d %d %u %llu %d %d %llu %lld %lld %lld 0 0", ns,
				known_ids[i], perm->__key, (int)perm->uid, (int)perm->gid, (int)perm->cuid,
				(int)perm->cgid, perm->mode, (unsigned long long)ds.shm_segsz, ds.shm_cpid,
				ds.shm_lpid, (unsigned long long)ds.shm_nattch, (long long)ds.shm_atime,
				(long long)ds.shm_dtime, (long long)ds.shm_ctime);
	}
}

static void see_segments(int ns)
{
	struct shm_info info = { 0 };
	int highest = shmctl(0, SHM_INFO, (struct shmid_ds *)&info);
	char *line;

	print(" n %d %d %lu %lu %lu %d", ns, info.used_ids, info.shm_tot, info.shm_rss, info.shm_swp,
		highest);
	if (info.used_ids == 0)
		return;
	if (read_file("/proc/sysvipc/shm", file_text, sizeof file_text) == 0) {
		see_known_segments(ns);
		return;
	}
	for (line = strchr(file_text, '\n'); line != NULL && line[1]; line = strchr(line, '\n')) {
		long long key, id, cpid, lpid, nattch, uid, gid, cuid, cgid, atime, dtime, ctime;
		unsigned long long size, rss, swp;
		unsigned mode;

		if (sscanf(++line, "%lld %lld %o %llu %lld %lld %lld %lld %lld %lld %lld %lld %lld %lld "
			"%llu %llu", &key, &id, &mode, &size, &cpid, &lpid, &nattch, &uid, &gid, &cuid,
			&cgid, &atime, &dtime, &ctime, &rss, &swp) != 16)
			break;
		print(" s %d %lld %lld %lld %lld %lld %lld %u %llu %lld %lld %lld %lld %lld %lld %llu %llu",
			ns, id, key, uid, gid, cuid, cgid, mode, size, cpid, lpid, nattch, atime, dtime,
			ctime, rss / (unsigned long long)page_size, swp / (unsigned long long)page_size);
	}
}

static const char *const smaps_names[] = {
	"Rss:", "Pss:", "Shared_Clean:", "Shared_Dirty:", "Private_Clean:", "Private_Dirty:", "Swap:",
	"Locked:", "Shared_Hugetlb:", "Private_Hugetlb:",
};
#define SMAPS_NAMES (sizeof smaps_names / sizeof *smaps_names)

static void print_mapping(int tgid, const char *header, const u64 *figures)
{
	unsigned long long start, end, offset, inode;
	char rights[8];

	if (sscanf(header, "%llx-%llx %7s %llx %*s %llu", &start, &end, rights, &offset, &inode) != 5)
		return;
	print(" m %d %llu %llu %llu %llu %d", tgid, start, end, inode,
		(unsigned long long)offset / page_size, (rights[0] == 'r' ? PROT_READ : 0)
		| (rights[1] == 'w' ? PROT_WRITE : 0) | (rights[2] == 'x' ? PROT_EXEC : 0));
	for (size_t i = 0; i < SMAPS_NAMES; i++)
		print(" %llu", (unsigned long long)figures[i]);
}

static void see_mappings(const struct task *task)
{
	char path[64];
	const char *header = NULL;
	u64 figures[SMAPS_NAMES] = { 0 };

	snprintf(path, sizeof path, "/proc/%d/maps", task->tid);
	read_file(path, file_text, sizeof file_text);
	if (strstr(file_text, "SYSV") == NULL)
		return;
	snprintf(path, sizeof path, "/proc/%d/smaps", task->tid);
	read_file(path, file_text, sizeof file_text);
	for (const char *line = file_text; line != NULL && *line; ) {
		const char *next = strchr(line, '\n');

		if (*line < 'A' || *line > 'Z') {       // addresses are printed in lower case
			if (header != NULL)
				print_mapping(task->tgid, header, figures);
			header = is_segment(line) ? line : NULL;
			memset(figures, 0, sizeof figures);
		} else if (header != NULL) {
			for (size_t i = 0; i < SMAPS_NAMES; i++)
				if (strncmp(line, smaps_names[i], strlen(smaps_names[i])) == 0)
					figures[i] = strtoull(line + strlen(smaps_names[i]), NULL, 10);
		}
		line = next ? next + 1 : NULL;
	}
	if (header != NULL)
		print_mapping(task->tgid, header, figures);
}

static void see_process(const struct task *task)
{
	static char status[4096];
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/status", task->tid);
	read_file(path, status, sizeof status);
	print(" p %d %lld %llu %llu %llu %llu", task->tgid,
		(long long)(named_value(status, "VmSize:") - task->own_kb),
		(unsigned long long)named_value(status, "VmLck:"),
		(unsigned long long)named_value(status, "RssShmem:"),
		(unsigned long long)named_value(status, "VmSwap:"),
		(unsigned long long)named_value(status, "HugetlbPages:"));
}

static int by_tgid(const void *one, const void *other)
{
	return (*(struct task *const *)one)->tgid - (*(struct task *const *)other)->tgid;
}

static void see_processes(void)
{
	struct task *seen[TASKS];
	int count = 0;

	for (int i = 0; i < task_count; i++) {
		int known = !tasks[i].alive;

		for (int j = 0; j < count; j++)
			known |= seen[j]->tgid == tasks[i].tgid;
		if (!known)
			seen[count++] = &tasks[i];
	}
	qsort(seen, count, sizeof *seen, by_tgid);
	for (int i = 0; i < count; i++)
		see_process(seen[i]);
	for (int i = 0; i < count; i++)
		see_mappings(seen[i]);
}

static void see_machine(int meminfo, int refresh)
{
	static const char *const names[] = {
		"free_hugepages", "resv_hugepages", "surplus_hugepages", "nr_hugepages",
	};
	struct sysinfo info = { 0 };
	u64 huge[4] = { 0 };
	char path[128];

	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "/sys/kernel/mm/hugepages/hugepages-%dkB/%s", huge_kb,
			names[i]);
		huge[i] = read_number(path);
	}
	sysinfo(&info);
	// Here, unlike in /proc/sys/vm, nr_hugepages has the surplus in it.
	print(" g %llu %llu %llu %llu %llu", (unsigned long long)huge[3],
		(unsigned long long)huge[0], (unsigned long long)huge[1], (unsigned long long)huge[2],
		(unsigned long long)((info.totalswap - info.freeswap) * info.mem_unit / page_size));
	if (meminfo) {
		if (refresh)    // folds in what each processor has counted by itself
			read_number("/proc/sys/vm/stat_refresh");
		read_file("/proc/meminfo", file_text, sizeof file_text);
		print(" i %llu %llu %llu",
			(unsigned long long)named_value(file_text, "SwapCached:"),
			(unsigned long long)named_value(file_text, "Shmem:"),
			(unsigned long long)named_value(file_text, "Committed_AS:"));
	}
}

static void run_observe(int what)
{
	print("ok");
	for (int ns = 0; what & SEE_SEGMENTS && ns < namespace_count; ns++) {
		struct task *task = task_in_namespace(ns);

		if (task != NULL && enter_namespace_of(task) == 0) {
			see_segments(ns);
			leave_namespace();
		}
	}
	if (what & SEE_PROCESSES)
		see_processes();
	see_machine(what & SEE_MEMINFO, what & REFRESH);
	print("\n");
}

// ---------------------------------------------------------------------------------------------
// What this machine has

// Whether a call is there at all, asked with arguments that it refuses or that change nothing but
// the caller.
static int is_implemented(int op)
{
	struct command command = { .op = op };
	struct reply reply = { 0 };

	for (int i = 0; i < ARGS; i++)
		command.arg[i] = op >= OP_SETUID && op <= OP_SETRESGID ? -1 : 0;
	if (op == OP_AT || (op >= OP_STAT && op <= OP_CTL))
		command.arg[0] = -1;
	if (op == OP_EXEC)      // of no file
		set_result(&reply, syscall(SYS_execveat, -1, "", NULL, NULL, AT_EMPTY_PATH));
	else
		execute(&command, -1, &reply);
	return reply.kind != REPLY_ERRNO || reply.code != ENOSYS;
}

static void print_calls(void)
{
	static const int asked[] = { OP_GET, OP_AT, OP_DT, OP_STAT, OP_SET, OP_RMID, OP_LOCK,
		OP_UNLOCK, OP_IPCINFO, OP_SHMINFO, OP_STATINDEX, OP_CTL, OP_MMAP, OP_MUNMAP, OP_MPROTECT,
		OP_MREMAP, OP_MLOCK, OP_MUNLOCK, OP_MLOCKALL, OP_MUNLOCKALL, OP_MADVISE, OP_MBIND,
		OP_SETUID, OP_SETGID, OP_SETRESUID, OP_SETRESGID, OP_SETGROUPS, OP_CAPSET, OP_KEEPCAPS,
		OP_RLIMIT, OP_EXEC };
	char there[sizeof asked / sizeof *asked] = { 0 };
	int ends[2];
	pid_t child;

	if (pipe(ends) != 0 || (child = fork()) < 0)
		return;
	if (child == 0) {
		for (size_t i = 0; i < sizeof there; i++)
			there[i] = is_implemented(asked[i]);
		_exit(write(ends[1], there, sizeof there) < 0);
	}
	close(ends[1]);
	while (read(ends[0], there, sizeof there) < 0 && errno == EINTR)
		;
	close(ends[0]);
	waitpid(child, NULL, __WALL);
	print(" calls=load,store,fork,vfork,clone,exit,exitgroup,kill,sysctl");
	for (size_t i = 0; i < sizeof there; i++)
		if (there[i])
			print(",%s", op_table[asked[i]].name);
	if (has_namespaces)
		print(",unshare,setns");
}

static void print_sysctls(void)
{
	static const char *const names[] = {
		"kernel/shmmax", "kernel/shmall", "kernel/shmmni", "kernel/shm_rmid_forced",
		"kernel/shm_next_id",
	};
	char path[64];
	const char *separator = " sysctls=";

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "/proc/sys/%s", names[i]);
		if (access(path, W_OK) == 0) {
			print("%skernel.%s", separator, strchr(names[i], '/') + 1);
			separator = ",";
		}
	}
}

// Those rows of which there is anything to read, and those fields that stand there.
static void print_figures(void)
{
	static const char *const process_names[] = {
		"VmSize:", "VmLck:", "RssShmem:", "VmSwap:", "HugetlbPages:",
	};

	print(" figures=ipc");
	if (access("/proc/sysvipc/shm", R_OK) == 0)
		print(",segment");
	else
		print(",segment.key,segment.uid,segment.gid,segment.cuid,segment.cgid,segment.mode,"
			"segment.segsz,segment.cpid,segment.lpid,segment.nattch,segment.atime,segment.dtime,"
			"segment.ctime");
	read_file("/proc/self/status", file_text, sizeof file_text);
	for (size_t i = 0; i < sizeof process_names / sizeof *process_names; i++)
		if (strstr(file_text, process_names[i]) != NULL)
			print(",process.%.*s", (int)strlen(process_names[i]) - 1, process_names[i]);
	print(",mapping.End,mapping.shmid,mapping.Offset,mapping.Protection");
	read_file("/proc/self/smaps", file_text, sizeof file_text);
	for (size_t i = 0; i < SMAPS_NAMES; i++)
		if (strstr(file_text, smaps_names[i]) != NULL)
			print(",mapping.%.*s", (int)strlen(smaps_names[i]) - 1, smaps_names[i]);
}

static void print_huge_page_sizes(void)
{
	char path[96];

	if (huge_kb == 0)
		return;
	print(" hugepages=%llu", (unsigned long long)huge_kb << 10);
	for (u64 kb = page_size / 512; kb <= 16 << 20; kb *= 2) {
		snprintf(path, sizeof path, "/sys/kernel/mm/hugepages/hugepages-%llukB",
			(unsigned long long)kb);
		if ((int)kb != huge_kb && access(path, F_OK) == 0)
			print(",%llu", (unsigned long long)kb << 10);
	}
}

static void run_caps(void)
{
	struct utsname name;
	u64 memory;

	uname(&name);
	read_file("/proc/meminfo", file_text, sizeof file_text);
	memory = named_value(file_text, "MemTotal:") + named_value(file_text, "SwapTotal:");
	print("ok release=%s memory=%llu", name.release,
		(unsigned long long)(memory / (page_size / 1024)));
	print_calls();
	print_sysctls();
	print_figures();
	print_huge_page_sizes();
	if (!has_namespaces)    // they go on from run to run
		print(" ids=free");
	print("\n");
}

// ---------------------------------------------------------------------------------------------
// Commands

static int parse_number(const char *text, u64 *value)
{
	char *end;

	errno = 0;
	*value = *text == '-' ? (u64)strtoll(text, &end, 0) : strtoull(text, &end, 0);
	return *text && *end == 0 && errno == 0;
}

static int split(char *line, char **words, int most)
{
	int count = 0;
	char *rest;

	for (char *word = strtok_r(line, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		if (count == most)
			return -1;
		words[count++] = word;
	}
	return count;
}

static void run_controller_command(char **words, int count)
{
	u64 number = 0;
	int numeric = count > 1 && parse_number(words[1], &number);
	struct task *task;

	if (strcmp(words[0], "start") == 0 && count <= 2) {
		run_start(count == 2 ? words[1] : "");
	} else if (strcmp(words[0], "reset") == 0 && count == 1) {
		run_reset();
	} else if (strcmp(words[0], "observe") == 0 && count == 2 && numeric) {
		run_observe(number);
	} else if (strcmp(words[0], "sysctl") == 0 && (count == 3 || count == 4)) {
		run_sysctl(words[1], words[2], count == 4 ? words[3] : NULL);
	} else if (strcmp(words[0], "caps") == 0 && count == 1) {
		run_caps();
	} else if (strcmp(words[0], "limit") == 0 && count == 2 && numeric && number > 0) {
		limit_ms = number;
		print("ok 0\n");
	} else if (strcmp(words[0], "kill") == 0 && count == 2 && numeric) {
		task = find_task(number);
		if (task == NULL)
			print("bad no such task\n");
		else
			run_kill(task);
	} else {
		print("bad command\n");
	}
}

static void run_line(char *line)
{
	char *words[ARGS + 2];
	int count = split(line, words, ARGS + 2);
	struct command command = { .op = OPS };
	struct task *task;
	u64 tid;

	if (count < 2 || !parse_number(words[0], &tid)) {
		print("bad line\n");
		return;
	}
	if (tid == 0) {
		run_controller_command(words + 1, count - 1);
		return;
	}
	task = find_task(tid);
	if (task == NULL) {
		print("bad no such task\n");
		return;
	}
	for (int op = 0; op < OPS; op++)
		if (strcmp(words[1], op_table[op].name) == 0)
			command.op = op;
	command.count = count - 2;
	if (command.op == OPS || (op_table[command.op].args >= 0
		&& op_table[command.op].args != command.count)) {
		print("bad command\n");
		return;
	}
	for (int i = 0; i < command.count; i++)
		if (!parse_number(words[i + 2], &command.arg[i])) {
			print("bad number\n");
			return;
		}
	run_task_command(task, &command);
}

static void serve_input(void)
{
	static char input[INPUT_BYTES];
	size_t length = 0;
	ssize_t got;

	while ((got = read(STDIN_FILENO, input + length, sizeof input - length)) > 0) {
		char *line = input, *end;

		length += got;
		while ((end = memchr(line, '\n', input + length - line)) != NULL) {
			*end = 0;
			run_line(line);
			line = end + 1;
		}
		length -= line - input;
		memmove(input, line, length);
		if (length == sizeof input) {
			print("bad line too long\n");
			length = 0;
		}
		flush_output();
	}
}

static void on_alarm(int number)
{
	(void)number;
}

static void run_controller(void)
{
	struct sigaction action = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &action, NULL);
	exe_fd = open("/proc/self/exe", O_RDONLY);
	base_ns = open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC);
	has_namespaces = base_ns >= 0 && setns(base_ns, CLONE_NEWIPC) == 0;
	read_file("/proc/meminfo", file_text, sizeof file_text);
	huge_kb = named_value(file_text, "Hugepagesize:");
	print("shmcheck-agent %d page %llu\n", PROTOCOL, (unsigned long long)page_size);
	flush_output();
	serve_input();
	run_reset();
}

// ---------------------------------------------------------------------------------------------
// Start

static void fail(const char *what)
{
	print("bad %s: %s\n", what, errno_name(errno));
	flush_output();
	_exit(1);
}

static void write_own(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fail(path);
	close(fd);
}

// Without privileges: root in a user namespace, where no other user exists.
static void become_root(void)
{
	char map[64];
	int uid = geteuid(), gid = getegid();

	if (unshare(CLONE_NEWUSER) != 0)
		fail("unshare CLONE_NEWUSER");
	write_own("/proc/self/setgroups", "deny");
	snprintf(map, sizeof map, "0 %d 1", uid);
	write_own("/proc/self/uid_map", map);
	snprintf(map, sizeof map, "0 %d 1", gid);
	write_own("/proc/self/gid_map", map);
}

// All of a run is in here, and ends with the first process in here.
static void enter_namespaces(void)
{
	int status;
	pid_t child;

	if (geteuid() != 0)
		become_root();
	if (unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC) != 0)
		fail("unshare");
	child = fork();
	if (child < 0)
		fail("fork");
	if (child > 0) {
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		fail("mount /");
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
		fail("mount /proc");
}

// Pages that one processor has touched and not yet put on the list of reclaimable ones are out of
// another one's reach: all of a run happens on one.
static void pin(void)
{
	cpu_set_t set;
	int last = CPU_SETSIZE - 1;

	if (sched_getaffinity(0, sizeof set, &set) != 0)
		return;
	while (last > 0 && !CPU_ISSET(last, &set))
		last--;
	CPU_ZERO(&set);
	CPU_SET(last, &set);
	sched_setaffinity(0, sizeof set, &set);
}

int main(int count, char **arguments)
{
	page_size = sysconf(_SC_PAGESIZE);
	if (count == 6 && strcmp(arguments[1], "worker") == 0)
		return worker_main(arguments);
	pin();
	if (count < 2 || strcmp(arguments[1], "bare") != 0)
		enter_namespaces();
	run_controller();
	return 0;
}
