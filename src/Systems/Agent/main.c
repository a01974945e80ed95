// Where the agent starts: in namespaces of its own, as the controller.

#include "agent.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/wait.h>

#define PROTOCOL 2

static void fail(const char *what)
{
	dprintf(STDOUT_FILENO, "bad %s: %s\n", what, errno_name(errno));
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

// Under qemu-user 7.2 workers died in their first attach ("rcu_read_unlock: Assertion") until the
// controller attached something first; why is not known.
static void attach_once(void)
{
	int id = shmget(IPC_PRIVATE, page_size, 0600);
	void *attached = shmat(id, NULL, 0);

	shmctl(id, IPC_RMID, NULL);
	if (attached != (void *)-1)
		shmdt(attached);
}

static void run_controller(void)
{
	attach_once();
	start_output();
	start_tasks();
	start_observing();
	start_frames();
	exe_fd = open("/proc/self/exe", O_RDONLY);
	add_text("shmcheck-agent");
	add_number(PROTOCOL);
	add_word("page");
	add_number(page_size);
	add_word("registers");
	if (has_frames)
		add_word("frames");
	end_answer();
	flush_output();
	serve_input();
	run_reset();
}

int main(int count, char **arguments)
{
	page_size = sysconf(_SC_PAGESIZE);
	if (count == 6 && strcmp(arguments[1], "worker") == 0)
		return worker_main(arguments);
	// Behind options that the kernel does not know.
	for (int i = 1; i < count - 1 && getpid() == 1; i++)
		if (strcmp(arguments[i], "program") == 0) {
			run_program(count - i - 1, arguments + i + 1);
		} else if (strcmp(arguments[i], "machine") == 0) {
			begin_machine(count - i - 1, arguments + i + 1);
			break;
		}
	pin();
	if (count < 2 || strcmp(arguments[1], "bare") != 0)
		enter_namespaces();
	run_controller();
	return 0;
}
