// A machine whose first process is the agent: a guest kernel with nothing else in its initramfs.

#include "agent.h"

#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>

#define HEADER_START 1024
#define ZRAM_BYTES "134217728"

static void write_setting(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)             // not every kernel has every setting
		return;
	if (write(fd, value, strlen(value)) < 0)
		dprintf(STDERR_FILENO, "%s: %s\n", path, errno_name(errno));
	close(fd);
}

static void mount_one(const char *type, const char *path)
{
	mkdir(path, 0755);
	if (mount(type, path, type, 0, NULL) != 0)
		dprintf(STDERR_FILENO, "mount %s: %s\n", path, errno_name(errno));
}

static void load_module(const char *name)
{
	char path[PATH_BYTES];
	int fd;

	snprintf(path, sizeof path, "/modules/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (syscall(SYS_finit_module, fd, "", 0) != 0)
		dprintf(STDERR_FILENO, "%s: %s\n", path, errno_name(errno));
	close(fd);
}

// What the specification takes for granted, and that a kernel which is not well ends.
static void set_up(void)
{
	write_setting("/proc/sys/vm/mmap_min_addr", "65536");
	write_setting("/proc/sys/vm/page-cluster", "0");
	write_setting("/sys/kernel/mm/transparent_hugepage/shmem_enabled", "never");
	write_setting("/sys/kernel/rcu_expedited", "1");
	write_setting("/proc/sys/kernel/panic_on_oops", "1");
	write_setting("/sys/block/zram0/disksize", ZRAM_BYTES);
}

// The line to the harness becomes standard input and output.
static void open_port(const char *path)
{
	struct termios settings;
	int port = open(path, O_RDWR);

	if (port < 0) {
		dprintf(STDERR_FILENO, "%s: %s\n", path, errno_name(errno));
		return;
	}
	if (tcgetattr(port, &settings) == 0) {
		cfmakeraw(&settings);
		tcsetattr(port, TCSANOW, &settings);
	}
	dup2(port, STDIN_FILENO);
	dup2(port, STDOUT_FILENO);
	close(port);
}

// The specification has the addresses of x86-64. Where processes have more, mappings that go from
// lower addresses upwards stay within them, in programs that are started from now on.
static int lower_mappings(void)
{
	const u64 highest = (u64)1 << 47;
	void *mapping = mmap(NULL, page_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(mapping, page_size);
	if ((u64)mapping < highest)
		return 0;
	write_setting("/proc/sys/vm/legacy_va_layout", "1");
	return 1;
}

static void boot(const char *port, int count, char **modules)
{
	mount_one("proc", "/proc");
	mount_one("sysfs", "/sys");
	mount_one("devtmpfs", "/dev");
	dup2(open("/dev/console", O_RDWR), STDERR_FILENO);
	for (int i = 0; i < count; i++)
		load_module(modules[i]);
	set_up();
	open_port(port);
}

static int await(pid_t child)
{
	int status = 0;
	pid_t ended;

	while ((ended = wait(&status)) != child && (ended >= 0 || errno == EINTR))
		;
	return status;
}

static void turn_off(void)
{
	reboot(RB_POWER_OFF);
	_exit(0);
}

// Returns in a child, which is the agent; the first process turns the machine off when that ends.
void begin_machine(int count, char **arguments)
{
	int status;
	pid_t child;

	boot(arguments[0], count - 1, arguments + 1);
	child = fork();
	if (child == 0) {
		if (lower_mappings())
			execl("/init", "/init", NULL);
		return;
	}
	status = await(child);
	if (status != 0)
		dprintf(STDERR_FILENO, "the agent has ended with status %d\n", status);
	turn_off();
}

static int is_in_use(const char *device)
{
	char text[4096];

	read_file("/proc/swaps", text, sizeof text);
	return strstr(text, device) != NULL;
}

// The first page of a swap device says how long it is (union swap_header of include/linux/swap.h).
static int write_swap_header(const char *device, unsigned slots)
{
	static char page[65536];
	unsigned fields[] = { 1, slots };
	int fd = open(device, O_WRONLY | O_CLOEXEC);
	int written;

	memset(page, 0, page_size);
	memcpy(page + HEADER_START, fields, sizeof fields);
	memcpy(page + page_size - 10, "SWAPSPACE2", 10);
	written = fd >= 0 && write(fd, page, page_size) == (ssize_t)page_size && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return written ? 0 : -1;
}

static int set_swap(const char *device, u64 slots)
{
	static u64 now;
	int used = is_in_use(device);

	if (access(device, W_OK) != 0)
		return -1;
	if (used && now == slots)
		return 0;
	now = slots;
	if (used && swapoff(device) != 0)
		return -1;
	return slots == 0 || (write_swap_header(device, slots) == 0 && swapon(device, 0) == 0) ? 0 : -1;
}

void run_swap(const char *device, u64 slots)
{
	if (set_swap(device, slots) != 0)
		answer_errno();
	else
		answer_ok(0);
}

// Runs a program, says how it has ended, and turns the machine off.
void run_program(int count, char **arguments)
{
	int status;
	pid_t child;

	boot(arguments[0], count - 3, arguments + 3);
	if (set_swap(arguments[1], strtoull(arguments[2], NULL, 10)) != 0)
		dprintf(STDERR_FILENO, "%s: %s\n", arguments[1], errno_name(errno));
	lower_mappings();
	child = fork();
	if (child == 0) {
		dup2(STDOUT_FILENO, STDERR_FILENO);
		execl("/program", "/program", NULL);
		_exit(127);
	}
	status = await(child);
	dprintf(STDOUT_FILENO, "ended %d\n",
		WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
	tcdrain(STDOUT_FILENO);
	turn_off();
}
