// The tasks of a run, as the controller sees them: how they are made, asked, and end.

#include "agent.h"

#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

#define NOWHERE (-1)
#define UNKNOWN (-1)         // how somebody else's child has ended

enum outcome { CAME, ENDED, HANGS };

// Files of a namespace that somebody is in. They keep it alive, so they go with the last task.
struct space {
	int fd, shm_fd;
};

struct task *tasks;
int namespace_count;
int has_namespaces;
unsigned limit_ms = 10000;

static struct space *spaces;
static int base_ns;                     // the controller's own
static int here = NOWHERE;              // where it is

static void on_alarm(int number)
{
	(void)number;
}

void start_tasks(void)
{
	struct sigaction action = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &action, NULL);
	tasks = controller_memory(TASKS * sizeof *tasks);
	spaces = controller_memory(NAMESPACES * sizeof *spaces);
	base_ns = open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC);
	has_namespaces = base_ns >= 0 && setns(base_ns, CLONE_NEWIPC) == 0;
}

struct task *find_task(long tid)
{
	for (int i = 0; i < TASKS; i++)
		if (tasks[i].alive && tasks[i].tid == tid)
			return &tasks[i];
	return NULL;
}

static int group_is_alive(int tgid)
{
	for (int i = 0; i < TASKS; i++)
		if (tasks[i].alive && tasks[i].tgid == tgid)
			return 1;
	return 0;
}

// ---------------------------------------------------------------------------------------------
// Namespaces

struct task *task_in_namespace(int ns)
{
	for (int i = 0; i < TASKS; i++)
		if (tasks[i].alive && tasks[i].ns == ns)
			return &tasks[i];
	return NULL;
}

static int add_namespace(void)
{
	spaces[namespace_count] = (struct space) { -1, -1 };
	return namespace_count++;
}

static int file_of_namespace(int ns)
{
	struct task *task = task_in_namespace(ns);
	char path[64];

	if (spaces[ns].fd < 0 && task != NULL) {
		snprintf(path, sizeof path, "/proc/%d/ns/ipc", task->tid);
		spaces[ns].fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	return spaces[ns].fd;
}

int enter_namespace(int ns)
{
	int fd;

	if (here == ns || !has_namespaces)
		return 0;
	fd = ns == NOWHERE ? base_ns : file_of_namespace(ns);
	if (fd < 0 || setns(fd, CLONE_NEWIPC) != 0)
		return -1;
	here = ns;
	return 0;
}

int open_in_namespace(int ns)
{
	if (spaces[ns].shm_fd < 0)
		spaces[ns].shm_fd = open("/proc/sysvipc/shm", O_RDONLY | O_CLOEXEC);
	return spaces[ns].shm_fd;
}

static void close_file(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

// Leaves the namespaces in which nobody is left, so that they end.
static void leave_empty_namespaces(void)
{
	for (int ns = 0; ns < namespace_count; ns++)
		if ((spaces[ns].fd >= 0 || spaces[ns].shm_fd >= 0 || here == ns)
			&& task_in_namespace(ns) == NULL) {
			if (here == ns && enter_namespace(NOWHERE) != 0)
				_exit(1);
			close_file(&spaces[ns].shm_fd);
			close_file(&spaces[ns].fd);
		}
}

// ---------------------------------------------------------------------------------------------
// How tasks end

// Waits for the end of a group none of whose tasks is left. Its memory is gone by then, and what
// it attached is detached.
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
	close_file(&task->fd);
	close_file(&task->status_fd);
	close_file(&task->smaps_fd);
	close_file(&task->pagemap_fd);
}

static enum outcome await_reply(const struct task *task, struct reply *reply)
{
	int got = receive_reply(task->fd, reply);

	return got == MESSAGE_CAME ? CAME : got == MESSAGE_LATE ? HANGS : ENDED;
}

// A vfork child has executed or ended: its parent goes on, and reports what vfork returned.
static void release_parent_of(int tid)
{
	struct reply reply;

	for (int i = 0; i < TASKS; i++)
		if (tasks[i].alive && tasks[i].waits_for == tid) {
			tasks[i].waits_for = 0;
			if (await_reply(&tasks[i], &reply) == ENDED)
				bury(&tasks[i]);
		}
}

static enum outcome await_end(struct task *task)
{
	struct reply reply;
	enum outcome outcome;

	while ((outcome = await_reply(task, &reply)) == CAME)
		;
	if (outcome == ENDED)
		bury(task);
	return outcome;
}

// Waits until all tasks of a group but one have ended.
static enum outcome await_group(int tgid, const struct task *except, int *status)
{
	int ended[TASKS], count = 0;

	for (int i = 0; i < TASKS; i++)
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

static void answer_end(enum outcome outcome)
{
	if (outcome == HANGS) {
		add_text("hang");
		end_answer();
	} else {
		answer_ok(0);
	}
}

// A task is gone that nobody asked to go.
static void answer_death(struct task *task)
{
	int status = 0;

	if (await_group(task->tgid, NULL, &status) == HANGS) {
		answer_end(HANGS);
		return;
	}
	add_text("died");
	if (status != UNKNOWN) {
		add_word(WIFSIGNALED(status) ? "sig" : "exit");
		add_number(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	}
	end_answer();
}

static void answer_reply(const struct reply *reply)
{
	if (reply->kind == REPLY_OK) {
		answer_values(reply->value, reply->count);
	} else if (reply->kind == REPLY_ERRNO) {
		errno = reply->code;
		answer_errno();
	} else if (reply->kind == REPLY_SIGNAL) {
		add_text("sig");
		add_word(reply->code == SIGBUS ? "BUS" : "SEGV");
		add_number(reply->value[0]);
		end_answer();
	} else if (reply->kind == REPLY_UNSET) {
		answer_bad("unset register");
	} else {
		answer_skip();
	}
}

void answer_call(enum concern concern, struct reply *reply)
{
	if (reply->kind == REPLY_OK && concern == COUNTS_SEGMENTS)
		deduct_others(reply->value + 1);
	if (reply->kind == REPLY_OK && concern == MAKES_SEGMENT)
		take_note_of(reply->value[0]);
	answer_reply(reply);
}

static void answer_outcome(enum outcome outcome, struct task *task, const struct reply *reply)
{
	if (outcome == CAME)
		answer_reply(reply);
	else if (outcome == HANGS)
		answer_end(HANGS);
	else
		answer_death(task);
}

// ---------------------------------------------------------------------------------------------
// Commands

static struct task *free_place(void)
{
	for (int i = 0; i < TASKS; i++)
		if (!tasks[i].alive)
			return &tasks[i];
	return NULL;
}

// A socket whose one end is in the place of a task, and which waits for a reply as long as a call
// may take.
static int open_socket(struct task *place, int *worker_end)
{
	struct timeval limit = { limit_ms / 1000, limit_ms % 1000 * 1000 };
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return -1;
	setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	*place = (struct task) {
		.fd = ends[0], .status_fd = -1, .smaps_fd = -1, .pagemap_fd = -1,
	};
	*worker_end = ends[1];
	return 0;
}

static void begin_life(struct task *task, const struct reply *ready, int ns)
{
	task->tid = task->tgid = ready->value[0];
	task->own_kb = ready->value[1];
	task->ns = ns;
	task->alive = 1;
}

void run_start(const char *device)
{
	struct reply ready;
	int worker_end;

	snprintf(swap_path, sizeof swap_path, "%s", device);
	if (namespace_count != 0) {
		answer_bad("not reset");
	} else if (open_socket(&tasks[0], &worker_end) != 0) {
		answer_errno();
	} else if (start_first_worker(worker_end) < 0) {
		answer_errno();
		close_file(&tasks[0].fd);
		close(worker_end);
	} else {
		close(worker_end);
		if (await_reply(&tasks[0], &ready) != CAME) {
			answer_bad("the first process does not start");
			return;
		}
		begin_life(&tasks[0], &ready, add_namespace());
		if (!has_namespaces)
			note_others();
		answer_ok(tasks[0].tid);
	}
}

void run_reset(void)
{
	int status;
	enum outcome outcome = ENDED;

	for (int ns = 0; ns < namespace_count; ns++)
		if (!has_namespaces || (task_in_namespace(ns) != NULL && enter_namespace(ns) == 0))
			remove_segments();
	for (int i = 0; i < TASKS; i++)
		if (tasks[i].alive)
			kill(tasks[i].tgid, SIGKILL);
	for (int i = 0; i < TASKS && outcome == ENDED; i++)
		if (tasks[i].alive)
			outcome = await_group(tasks[i].tgid, NULL, &status);
	leave_empty_namespaces();
	namespace_count = outcome == HANGS ? namespace_count : 0;
	answer_end(outcome);
}

void run_kill(struct task *task)
{
	int status;

	kill(task->tgid, SIGKILL);
	answer_end(await_group(task->tgid, NULL, &status));
	leave_empty_namespaces();
}

static void run_spawn(struct task *parent, struct command *command)
{
	int flags = command->arg[0].value;
	int worker_end;
	enum outcome outcome = CAME;
	struct reply reply = { 0 }, ready = { 0 };
	struct task *child = free_place();

	if (child == NULL || namespace_count == NAMESPACES) {
		answer_skip();
		return;
	}
	if (open_socket(child, &worker_end) != 0) {
		answer_bad("no socket");
		return;
	}
	command->arg[1] = (struct argument) { .value = child - tasks };
	command->count = 2;
	send_command(parent->fd, command, worker_end);
	close(worker_end);
	// A vfork parent answers only when its child has gone on: then the child speaks first. If
	// there is no child, its end of the socket is closed.
	if (!(flags & CLONE_VFORK))
		outcome = await_reply(parent, &reply);
	if (outcome == CAME && reply.kind == REPLY_OK && await_reply(child, &ready) == CAME) {
		begin_life(child, &ready, flags & CLONE_NEWIPC ? add_namespace() : parent->ns);
		child->tgid = flags & CLONE_THREAD ? parent->tgid : child->tid;
		parent->waits_for = flags & CLONE_VFORK ? child->tid : 0;
		answer_ok(child->tid);
		return;
	}
	close_file(&child->fd);
	if (outcome == CAME && reply.kind == REPLY_OK && !(flags & CLONE_VFORK)) {
		answer_bad("the child does not start");
		return;
	}
	if (flags & CLONE_VFORK)
		outcome = await_reply(parent, &reply);
	answer_outcome(outcome, parent, &reply);
}

static void run_exec(struct task *task, const struct command *command)
{
	struct reply reply;
	enum outcome outcome;
	int status;

	send_command(task->fd, command, -1);
	outcome = await_reply(task, &reply);
	if (outcome == CAME && reply.kind == REPLY_OK) {
		int old_tid = task->tid;

		await_group(task->tgid, task, &status);
		release_parent_of(old_tid);
		task->tid = reply.value[0];
		task->own_kb = reply.value[1];
		close_file(&task->status_fd);
		close_file(&task->smaps_fd);    // that of the old address space
		close_file(&task->pagemap_fd);
		answer_ok(0);
	} else {
		answer_outcome(outcome, task, &reply);
	}
}

static void run_exit(struct task *task, const struct command *command, int whole_group)
{
	int tgid = task->tgid, tid = task->tid;
	int status;
	enum outcome outcome;

	send_command(task->fd, command, -1);
	if (whole_group) {
		outcome = await_group(tgid, NULL, &status);
	} else {
		outcome = await_end(task);
		if (outcome == ENDED && !group_is_alive(tgid))
			reap(tgid);
		release_parent_of(tid);
	}
	answer_end(outcome);
}

static void run_change_of_namespace(
	struct task *task, struct command *command, enum concern concern)
{
	struct reply reply;
	struct task *target = concern == JOINS ? find_task(command->arg[0].value) : NULL;
	int passed_fd = target != NULL ? file_of_namespace(target->ns) : -1;
	enum outcome outcome;

	if (concern == JOINS && passed_fd < 0) {
		answer_bad("no such task");
		return;
	}
	if (concern == UNSHARES && namespace_count == NAMESPACES) {
		answer_skip();
		return;
	}
	outcome = send_command(task->fd, command, passed_fd) != 0 ? ENDED : await_reply(task, &reply);
	if (outcome == CAME && reply.kind == REPLY_OK && concern == UNSHARES)
		task->ns = add_namespace();
	if (outcome == CAME && reply.kind == REPLY_OK && concern == JOINS)
		task->ns = target->ns;
	answer_outcome(outcome, task, &reply);
}

int is_plain(const struct task *task, enum concern concern)
{
	return concern <= MAKES_SEGMENT && !task->waits_for && !task->hangs;
}

int run_block(struct task *task, const struct block *block, void *replies, size_t size)
{
	int got = send_block(task->fd, block) != 0 ? MESSAGE_ENDED
		: receive_replies(task->fd, replies, size);

	task->hangs = got == MESSAGE_LATE;
	if (got == MESSAGE_LATE)
		answer_end(HANGS);
	else if (got == MESSAGE_ENDED)
		answer_death(task);
	return got == MESSAGE_CAME;
}

void run_task_command(struct task *task, struct command *command)
{
	enum concern concern = operations[command->operation].concern;

	if (task->waits_for)
		answer_bad("the task waits for its vfork child");
	else if (task->hangs)
		answer_bad("the task hangs");
	else if (concern == SPAWNS)
		run_spawn(task, command);
	else if (concern == EXECUTES)
		run_exec(task, command);
	else if (concern == EXITS || concern == EXITS_GROUP)
		run_exit(task, command, concern == EXITS_GROUP);
	else
		run_change_of_namespace(task, command, concern);
	leave_empty_namespaces();
}
