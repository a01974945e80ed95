// Processes and threads that make calls.

#include "agent.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define STACK_BYTES 32768
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

size_t size_of_command(const struct command *command)
{
	return offsetof(struct command, arg) + command->count * sizeof *command->arg;
}

size_t size_of_reply(const struct reply *reply)
{
	return offsetof(struct reply, value) + reply->count * sizeof *reply->value;
}

int send_command(int fd, const struct command *command, int passed_fd)
{
	return send_message(fd, command, size_of_command(command), passed_fd);
}

int send_block(int fd, const struct block *block)
{
	return send_message(fd, block->bytes, block->length, -1);
}

int receive_reply(int fd, struct reply *reply)
{
	return receive_replies(fd, reply, sizeof *reply);
}

int receive_replies(int fd, void *replies, size_t size)
{
	ssize_t got;

	do
		got = recv(fd, replies, size, 0);
	while (got < 0 && errno == EINTR);
	return got > 0 ? MESSAGE_CAME
		: got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? MESSAGE_LATE : MESSAGE_ENDED;
}

static void send_reply(int fd, const struct reply *reply)
{
	send_message(fd, reply, size_of_reply(reply), -1);
}

static ssize_t receive_commands(int fd, void *commands, int *passed_fd)
{
	union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; } control;
	struct iovec part = { commands, BLOCK_BYTES };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof control };
	ssize_t got;

	do
		got = recvmsg(fd, &message, 0);
	while (got < 0 && errno == EINTR);
	*passed_fd = -1;
	if (got > 0 && message.msg_controllen >= CMSG_LEN(sizeof(int)))
		memcpy(passed_fd, CMSG_DATA(&control.header), sizeof(int));
	return got;
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

u64 change_value(u64 value, char change, u64 operand)
{
	switch (change) {
	case '+': return value + operand;
	case '-': return value - operand;
	case '^': return value ^ operand;
	case '&': return value & operand;
	default: return value;
	}
}

// What the arguments are once earlier calls of the block have returned; 0 if one has not succeeded.
static int resolve(const struct command *command, struct reply *const *earlier, u64 *args)
{
	for (int i = 0; i < command->count; i++) {
		const struct argument *argument = &command->arg[i];
		const struct reply *from = argument->from > 0 ? earlier[argument->from - 1] : NULL;

		if (from != NULL && from->kind != REPLY_OK)
			return 0;
		args[i] = from == NULL ? argument->value
			: change_value(from->value[0], argument->change, argument->value);
	}
	return 1;
}

static void serve_command(int fd, const struct command *command, int passed_fd,
	struct reply *const *earlier, struct reply *reply)
{
	const struct operation *op = &operations[command->operation];
	u64 args[ARGS] = { 0 };

	if (!resolve(command, earlier, args)) {
		*reply = (struct reply) { .kind = REPLY_UNSET };
		return;
	}
	switch (op->concern) {
	case EXITS:
		syscall(SYS_exit, 0);
		break;
	case EXITS_GROUP:
		syscall(SYS_exit_group, 0);
		break;
	case SPAWNS:
		*reply = reply_of(do_spawn(args, fd, passed_fd));
		break;
	case EXECUTES:
		*reply = reply_of(do_exec(fd));
		break;
	case JOINS:
		*reply = reply_of(join_namespace(passed_fd));
		break;
	default:
		make_call(op, args, command->count, reply);
	}
}

static void serve(int fd)
{
	_Alignas(8) char commands[BLOCK_BYTES];
	_Alignas(8) char replies[BLOCK_CALLS * sizeof(struct reply)];
	struct reply *made[BLOCK_CALLS];
	int passed_fd;
	ssize_t got;

	while ((got = receive_commands(fd, commands, &passed_fd)) > 0) {
		char *command = commands, *reply = replies;

		for (int i = 0; command < commands + got; i++) {
			made[i] = (struct reply *)reply;
			serve_command(fd, (struct command *)command, passed_fd, made, made[i]);
			command += size_of_command((struct command *)command);
			reply += size_of_reply(made[i]);
		}
		send_message(fd, replies, reply - replies, -1);
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
