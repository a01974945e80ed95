// What this machine has.

#include "agent.h"

#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#define MOST_OPERATIONS 64

static char *text;

// Whether a call is there at all, asked with arguments that it refuses or that change nothing but
// the caller.
static int is_implemented(const struct operation *op)
{
	u64 args[ARGS];
	struct reply reply;

	memset(args, 0, sizeof args);
	if (strncmp(op->name, "set", 3) == 0 || strcmp(op->name, "at") == 0
		|| strcmp(op->name, "rmid") == 0)
		memset(args, -1, sizeof args);
	if (op->concern == EXECUTES)    // no file
		reply = reply_of(syscall(SYS_execveat, -1, "", NULL, NULL, 0));
	else
		make_call(op, args, op->args < 0 ? 0 : op->args, &reply);
	return reply.kind != REPLY_ERRNO || reply.code != ENOSYS;
}

static int is_asked(const struct operation *op)
{
	static const char *const known[] = { "load", "store" };

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(op->name, known[i]) == 0)
			return 0;
	return op->concern <= MAKES_SEGMENT || op->concern == EXECUTES;
}

// Asks in a process of its own: some calls end it, at times, where an emulator makes them.
static int probe_calls(char *there, size_t size)
{
	int ends[2], status = -1;
	ssize_t got;
	pid_t child;

	if (pipe(ends) != 0 || (child = fork()) < 0)
		return -1;
	if (child == 0) {
		for (int i = 0; operations[i].name != NULL; i++)
			there[i] = is_asked(&operations[i]) && is_implemented(&operations[i]);
		_exit(write(ends[1], there, size) < 0);
	}
	close(ends[1]);
	while ((got = read(ends[0], there, size)) < 0 && errno == EINTR)
		;
	close(ends[0]);
	waitpid(child, &status, __WALL);
	return got == (ssize_t)size && status == 0 ? 0 : -1;
}

static void add_calls(void)
{
	char there[MOST_OPERATIONS] = { 0 };
	int tries = 5;

	while (tries > 0 && probe_calls(there, sizeof there) != 0)
		tries--;
	if (tries == 0) {       // without a list it would pass for an agent that has every call
		dprintf(STDERR_FILENO, "the process that tries the calls dies each time\n");
		_exit(1);
	}
	add_word("calls=load,store,fork,vfork,clone,exit,exitgroup,kill,sysctl");
	for (int i = 0; operations[i].name != NULL; i++)
		if (there[i]) {
			add_text(",");
			add_text(operations[i].name);
		}
	if (has_namespaces)
		add_text(",unshare,setns");
}

// Whether a setting can be written, tried with the value that it has, be it one that cannot be
// written.
static int can_be_set(const char *path)
{
	size_t length = read_file(path, text, FILE_BYTES);
	int fd = length > 0 ? open(path, O_WRONLY | O_CLOEXEC) : -1;
	int can = fd >= 0 && (write(fd, text, length) == (ssize_t)length || errno == EINVAL);

	if (fd >= 0)
		close(fd);
	return can;
}

static void add_sysctls(void)
{
	static const char *const names[] = {
		"shmmax", "shmall", "shmmni", "shm_rmid_forced", "shm_next_id",
	};
	char path[64];
	const char *separator = " sysctls=kernel.";

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "/proc/sys/kernel/%s", names[i]);
		if (can_be_set(path)) {
			add_text(separator);
			add_text(names[i]);
			separator = ",kernel.";
		}
	}
}

// The figures that stand in a file, behind the names that it gives them.
static void add_figures_of(const char *path, const char *table, const char *const *names)
{
	read_file(path, text, FILE_BYTES);
	for (; *names != NULL; names++)
		if (strstr(text, *names) != NULL) {
			add_text(table);
			for (const char *c = *names; *c != ':'; c++)
				add_text((char[]) { *c, 0 });
		}
}

static void add_shown(void)
{
	static const char *const of_process[] = {
		"VmSize:", "VmLck:", "RssShmem:", "VmSwap:", "HugetlbPages:", NULL,
	};
	static const char *const of_mapping[] = {
		"Rss:", "Pss:", "Shared_Clean:", "Shared_Dirty:", "Private_Clean:", "Private_Dirty:",
		"Swap:", "Locked:", "Shared_Hugetlb:", "Private_Hugetlb:", NULL,
	};

	add_word("figures=ipc");
	if (access("/proc/sysvipc/shm", R_OK) == 0)
		add_text(",segment");
	else
		add_text(",segment.key,segment.uid,segment.gid,segment.cuid,segment.cgid,segment.mode,"
			"segment.segsz,segment.cpid,segment.lpid,segment.nattch,segment.atime,segment.dtime,"
			"segment.ctime");
	add_figures_of("/proc/self/status", ",process.", of_process);
	add_text(",mapping.End,mapping.shmid,mapping.Offset,mapping.Protection");
	add_figures_of("/proc/self/smaps", ",mapping.", of_mapping);
}

// Who makes segments of huge pages has huge pages, whatever it says elsewhere.
static int makes_huge_segments(void)
{
	int id = shmget(IPC_PRIVATE, page_size, SHM_HUGETLB | SHM_NORESERVE | 0600);

	if (id >= 0)
		shmctl(id, IPC_RMID, NULL);
	return id >= 0;
}

static void add_huge_page_sizes(u64 usual_kb)
{
	char path[96];

	if (usual_kb == 0 && makes_huge_segments())
		usual_kb = page_size / 1024 * 512;
	if (usual_kb == 0)
		return;
	add_word("hugepages=");
	snprintf(path, sizeof path, "%llu", (unsigned long long)usual_kb << 10);
	add_text(path);
	for (u64 kb = page_size / 512; kb <= 16 << 20; kb *= 2) {
		snprintf(path, sizeof path, "/sys/kernel/mm/hugepages/hugepages-%llukB",
			(unsigned long long)kb);
		if (kb != usual_kb && access(path, F_OK) == 0) {
			snprintf(path, sizeof path, ",%llu", (unsigned long long)kb << 10);
			add_text(path);
		}
	}
}

// Debian keeps the release of its kernels while they are patched, and has the number of the patch
// in the version.
static void add_release(const struct utsname *name)
{
	static const char debian[] = "Debian ";
	const char *at = strstr(name->version, debian);
	char number[sizeof name->version];

	add_text("ok release=");
	if (at != NULL && at[sizeof debian - 1] >= '0' && at[sizeof debian - 1] <= '9') {
		snprintf(number, sizeof number, "%s", at + sizeof debian - 1);
		number[strcspn(number, "- ")] = 0;
		add_text(number);
	} else {
		add_text(name->release);
	}
}

// The lowest address that processes without a right to others may map.
static void add_lowest_address(void)
{
	u64 lowest;

	if (read_file("/proc/sys/vm/mmap_min_addr", text, FILE_BYTES) == 0)
		return;
	lowest = strtoull(text, NULL, 10);
	add_word("lowest=");
	snprintf(text, FILE_BYTES, "%llu", (unsigned long long)lowest);
	add_text(text);
}

void run_caps(void)
{
	static const char *const names[] = { "MemTotal:", "SwapTotal:", "Hugepagesize:" };
	struct utsname name;
	char memory[32];
	u64 kb[3];

	if (text == NULL)
		text = controller_memory(FILE_BYTES);
	uname(&name);
	read_file("/proc/meminfo", text, FILE_BYTES);
	find_values(text, names, 3, kb);
	add_release(&name);
	snprintf(memory, sizeof memory, "memory=%llu",
		(unsigned long long)((kb[0] + kb[1]) / (page_size / 1024)));
	add_word(memory);
	add_calls();
	add_sysctls();
	add_shown();
	add_huge_page_sizes(kb[2]);
	add_lowest_address();
	if (!has_namespaces)    // they go on from run to run
		add_word("ids=free");
	end_answer();
}
