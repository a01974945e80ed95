// Processes and threads that make calls.

#include "agent.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define STACK_BYTES 16384
#define FD_LIMIT 64          // files that the controller has open when it starts a run

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

// One for each task, by its place in the table of tasks; not in use any more when the task's
// socket has ended.
static char stacks[TASKS][STACK_BYTES] __attribute__((aligned(64)));
static struct { int fd, parent_fd; } births[TASKS];

int exe_fd;

static int send_message(int fd, const void *data, size_t size, int passed_fd)
{
	union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; } control = { 0 };
	struct iovec part = { (void *)data, size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (passed_fd < 0)
		return send(fd, data, size, MSG_NOSIGNAL) == (ssize_t)size ? 0 : -1;
	message.msg_control = &control;
	message.msg_controllen = sizeof control;
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &passed_fd, sizeof(int));
	return sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)size ? 0 : -1;
}

int send_command(int fd, const struct command *command, int passed_fd)
{
	return send_message(fd, command,
		offsetof(struct command, arg) + command->count * sizeof *command->arg, passed_fd);
}

int receive_reply(int fd, struct reply *reply)
{
	ssize_t got;

	do
		got = recv(fd, reply, sizeof *reply, 0);
	while (got < 0 && errno == EINTR);
	return got > 0 ? MESSAGE_CAME
		: got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? MESSAGE_LATE : MESSAGE_ENDED;
}

static void send_reply(int fd, const struct reply *reply)
{
	send_message(
		fd, reply, offsetof(struct reply, value) + reply->count * sizeof *reply->value, -1);
}

static int receive_command(int fd, struct command *command, int *passed_fd)
{
	union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; } control;
	struct iovec part = { command, sizeof *command };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof control };
	ssize_t got;

	do
		got = recvmsg(fd, &message, 0);
	while (got < 0 && errno == EINTR);
	*passed_fd = -1;
	if (got > 0 && message.msg_controllen >= CMSG_LEN(sizeof(int)))
		memcpy(passed_fd, CMSG_DATA(&control.header), sizeof(int));
	return got > 0;
}

static void report_ready(int fd)
{
	struct reply ready = { .kind = REPLY_OK, .count = 2,
		.value = { syscall(SYS_gettid), own_kb } };

	send_reply(fd, &ready);
}

static void serve(int fd);

static int begin_task(void *number)
{
	int fd = births[(intptr_t)number].fd;

	close(births[(intptr_t)number].parent_fd);
	report_ready(fd);
	serve(fd);
	return 0;
}

// Arguments: clone flags, place of the child in the table of tasks. The child ends up under the
// controller, which waits for it, where the kernel knows CLONE_PARENT.
static long do_spawn(const u64 *a, int parent_fd, int child_fd)
{
	intptr_t number = a[1];
	char *stack = stacks[number] + STACK_BYTES;
	int thread = (a[0] & CLONE_THREAD) != 0;
	int flags = a[0] | (thread ? CLONE_SIGHAND : SIGCHLD);
	int child, error;

	births[number].fd = child_fd;
	births[number].parent_fd = parent_fd;
	child = clone(begin_task, stack, thread ? flags : flags | CLONE_PARENT, (void *)number);
	if (child < 0 && errno == EINVAL && !thread) {
		signal(SIGCHLD, SIG_IGN);       // then nobody has to wait for it
		child = clone(begin_task, stack, flags, (void *)number);
	}
	error = errno;
	close(child_fd);
	errno = error;
	return child;
}

// The new program sets the limit of its address space itself, beside what it will have mapped.
static long do_exec(int fd)
{
	char fd_text[16], exe_text[16], limit_text[32];
	char *arguments[] = { "shmcheck-agent", "worker", fd_text, exe_text, limit_text, swap_path,
		NULL };
	char *environment[] = { NULL };
	u64 limit = address_space_limit();
	int error;

	set_address_space_limit(RLIM_INFINITY);
	snprintf(fd_text, sizeof fd_text, "%d", fd);
	snprintf(exe_text, sizeof exe_text, "%d", exe_fd);
	snprintf(limit_text, sizeof limit_text, "%llu", (unsigned long long)limit);
	syscall(SYS_execveat, exe_fd, "", arguments, environment, AT_EMPTY_PATH);
	error = errno;
	set_address_space_limit(limit);
	errno = error;
	return -1;
}

static long join_namespace(int passed_fd)
{
	long result = setns(passed_fd, CLONE_NEWIPC);
	int error = errno;

	close(passed_fd);
	errno = error;
	return result;
}

static void serve(int fd)
{
	struct command command;
	int passed_fd;

	while (receive_command(fd, &command, &passed_fd)) {
		const struct operation *op = &operations[command.operation];
		struct reply reply;

		switch (op->concern) {
		case EXITS:
			syscall(SYS_exit, 0);
			break;
		case EXITS_GROUP:
			syscall(SYS_exit_group, 0);
			break;
		case SPAWNS:
			reply = reply_of(do_spawn(command.arg, fd, passed_fd));
			break;
		case EXECUTES:
			reply = reply_of(do_exec(fd));
			break;
		case JOINS:
			reply = reply_of(join_namespace(passed_fd));
			break;
		default:
			make_call(op, command.arg, command.count, &reply);
		}
		send_reply(fd, &reply);
	}
	syscall(SYS_exit_group, 0);
}

struct first {
	int fd;
	int leaves_namespace;
};

static int begin_first(void *argument)
{
	struct first first = *(struct first *)argument;
	int fd = first.fd;
	struct rlimit memory = { 8 << 20, RLIM_INFINITY }, core = { 0, 0 };

	if (first.leaves_namespace && unshare(CLONE_NEWIPC) != 0)
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

int start_first_worker(int fd)
{
	static struct first first;
	char *stack = stacks[0] + STACK_BYTES;
	int pid;

	first = (struct first) { fd, 0 };
	pid = clone(begin_first, stack, (has_namespaces ? CLONE_NEWIPC : 0) | SIGCHLD, &first);
	if (pid < 0 && errno == EINVAL) {       // emulators clone as fork does, or not at all
		first.leaves_namespace = has_namespaces;
		pid = clone(begin_first, stack, SIGCHLD, &first);
	}
	return pid;
}

// The program that exec starts: as the one before, with a new address space.
int worker_main(char **arguments)
{
	int fd = atoi(arguments[2]);

	exe_fd = atoi(arguments[3]);
	snprintf(swap_path, sizeof swap_path, "%s", arguments[5]);
	catch_faults();
	note_own_mappings();
	set_address_space_limit(strtoull(arguments[4], NULL, 10));
	report_ready(fd);
	serve(fd);
	return 0;
}
