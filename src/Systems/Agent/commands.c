// Lines: what they say, and the registers that they name.

#include "agent.h"

#define INPUT_BYTES 65536
#define REGISTERS 1000       // of each letter

static struct value {
	unsigned run;
	short pending;       // number of the call of the block whose value it takes, from 1; or 0
	u64 value;
} (*registers)[REGISTERS];
static unsigned run = 1;     // registers of earlier ones are not set
static struct value last;    // the first value of an answer that is ok

// Consecutive lines of one task, before they go to it: a switch to its process for each would
// cost more than most calls.
static struct block block;
static struct task *block_task;
static enum concern concerns[BLOCK_CALLS];
static struct value *bounds[BLOCK_CALLS];

void answer_values(const u64 *values, int count)
{
	last = (struct value) { .run = run, .value = values[0] };
	add_text("ok");
	for (int i = 0; i < count; i++)
		add_number(values[i]);
	end_answer();
}

void answer_ok(u64 value)
{
	answer_values(&value, 1);
}

void answer_errno(void)
{
	add_text("err");
	add_word(errno_name(errno));
	end_answer();
}

void answer_bad(const char *what)
{
	add_text("bad");
	add_word(what);
	end_answer();
}

void answer_skip(void)
{
	add_text("skip");
	end_answer();
}

// ---------------------------------------------------------------------------------------------

// A letter and a number, for instance s1; NULL if it is none.
static struct value *find_register(const char *name, char **end)
{
	unsigned long number = strtoul(name + 1, end, 10);

	return *name < 'a' || *name > 'z' || name[1] < '0' || name[1] > '9' || number >= REGISTERS
		? NULL : &registers[*name - 'a'][number];
}

static int parse_literal(const char *word, u64 *value)
{
	char *end;

	errno = 0;
	*value = *word == '-' ? (u64)strtoll(word, &end, 0) : strtoull(word, &end, 0);
	return *word && *end == 0 && errno == 0;
}

// A number, or $REGISTER, or $REGISTER with one of + - ^ & and a number behind it.
static const char *parse_argument(const char *word, struct argument *argument)
{
	const struct value *variable;
	char *rest;

	*argument = (struct argument) { 0 };
	if (*word != '$')
		return parse_literal(word, &argument->value) ? NULL : "number";
	variable = find_register(word + 1, &rest);
	if (variable == NULL)
		return "register";
	if (variable->pending ? variable->run == run : variable->run != run)
		return "unset register";        // or nobody knows yet which of two values it has
	if (*rest != 0 && (strchr("+-^&", *rest) == NULL
			|| !parse_literal(rest + 1, &argument->value)))
		return "number";
	argument->from = variable->pending;
	argument->change = *rest;
	if (!variable->pending)
		argument->value = change_value(variable->value, *rest, argument->value);
	return NULL;
}

// The same where nothing is pending.
static const char *parse_number(const char *word, u64 *value)
{
	struct argument argument;
	const char *error = parse_argument(word, &argument);

	*value = argument.value;
	return error;
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

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		answer_errno();
	else
		answer_ok(0);
	if (fd >= 0)
		close(fd);
}

// sysctl NAME VALUE [TASK]: in the IPC namespace of the task; 0 stands for any in namespace 0.
static void run_sysctl(char **words, int count)
{
	char path[256];
	struct task *task;
	u64 tid;

	snprintf(path, sizeof path, "/proc/sys/%s", words[1]);
	for (char *c = path; *c; c++)
		if (*c == '.')
			*c = '/';
	if (count == 4) {
		task = parse_number(words[3], &tid) != NULL ? NULL
			: tid == 0 ? task_in_namespace(0) : find_task(tid);
		if (task == NULL || enter_namespace(task->ns) != 0) {
			answer_bad("no such namespace");
			return;
		}
	}
	write_file(path, words[2]);
}

static void run_controller_command(char **words, int count)
{
	u64 number = 0;
	const char *error = count > 1 ? parse_number(words[1], &number) : "number";
	struct task *task;

	if (strcmp(words[0], "start") == 0 && count <= 2) {
		run_start(count == 2 ? words[1] : "");
	} else if (strcmp(words[0], "reset") == 0 && count == 1) {
		run_reset();
		run++;
	} else if (strcmp(words[0], "caps") == 0 && count == 1) {
		run_caps();
	} else if (strcmp(words[0], "sysctl") == 0 && (count == 3 || count == 4)) {
		run_sysctl(words, count);
	} else if (strcmp(words[0], "swap") == 0 && count == 3
			&& parse_number(words[2], &number) == NULL) {
		run_swap(words[1], number);
	} else if (count == 2 && error != NULL && *words[1] == '$') {
		answer_bad(error);
	} else if (strcmp(words[0], "observe") == 0 && count == 2 && error == NULL) {
		run_observe(number);
	} else if (strcmp(words[0], "limit") == 0 && count == 2 && error == NULL && number > 0) {
		limit_ms = number;
		answer_ok(0);
	} else if (strcmp(words[0], "kill") == 0 && count == 2 && error == NULL) {
		task = find_task(number);
		if (task == NULL)
			answer_bad("no such task");
		else
			run_kill(task);
	} else {
		answer_bad("command");
	}
}

static void bind(struct value *bound)
{
	if (bound != NULL && last.run == run)
		*bound = last;
}

// Where a worker is lost, the first line is answered for the block: nobody knows how far it came.
static void flush_block(void)
{
	_Alignas(8) char replies[BLOCK_CALLS * sizeof(struct reply)];
	char *at = replies;
	int count = block.count, came;

	if (count == 0)
		return;
	came = run_block(block_task, &block, replies, sizeof replies);
	for (int i = 0; i < count; i++) {
		struct reply *reply = (struct reply *)at;

		last.run = 0;
		if (bounds[i] != NULL)
			bounds[i]->pending = 0;
		if (came) {
			answer_call(concerns[i], reply);
			at += size_of_reply(reply);
			bind(bounds[i]);
		} else if (i > 0) {
			answer_bad(block_task->alive ? "the task hangs" : "no such task");
		}
	}
	block.count = 0;
	block.length = 0;
}

static const char *parse_call(
	u64 tid, char **words, int count, struct task **task, struct command *command)
{
	const struct operation *op = find_operation(words[0]);
	const char *error = NULL;

	*task = find_task(tid);
	command->count = count - 1;
	if (*task == NULL)
		return "no such task";
	if (op == NULL || (op->args >= 0 && op->args != command->count))
		return "command";
	for (int i = 0; error == NULL && i < command->count; i++)
		error = parse_argument(words[i + 1], &command->arg[i]);
	command->operation = op - operations;
	return error;
}

// Adds a line to the block. Returns 0 if it cannot be in there, or not behind what is.
static int add_to_block(struct value *bound, const char *task_word, char **words, int count)
{
	struct command command;
	struct argument tid;
	struct task *task;
	enum concern concern;

	if (parse_argument(task_word, &tid) != NULL || tid.from != 0 || tid.value == 0
		|| parse_call(tid.value, words, count, &task, &command) != NULL)
		return 0;
	concern = operations[command.operation].concern;
	if (!is_plain(task, concern) || (block.count > 0 && task != block_task)
		|| (bound != NULL && bound->pending) || block.count == BLOCK_CALLS
		|| block.length + size_of_command(&command) > BLOCK_BYTES)
		return 0;
	memcpy(block.bytes + block.length, &command, size_of_command(&command));
	block.length += size_of_command(&command);
	block_task = task;
	concerns[block.count] = concern;
	bounds[block.count++] = bound;
	if (bound != NULL)
		bound->pending = block.count;
	return 1;
}

static void run_alone(const char *task_word, char **words, int count)
{
	struct command command;
	struct task *task;
	u64 tid;
	const char *error = parse_number(task_word, &tid);

	if (error != NULL)
		answer_bad(strcmp(error, "number") == 0 ? "line" : error);
	else if (tid == 0)
		run_controller_command(words, count);
	else if ((error = parse_call(tid, words, count, &task, &command)) != NULL)
		answer_bad(error);
	else
		run_task_command(task, &command);
}

// [REGISTER=]TASK OPERATION ARGUMENTS
static void run_line(char *line)
{
	char *words[ARGS + 2];
	int count = split(line, words, ARGS + 2);
	char *name = count > 0 ? words[0] : NULL, *equals = name ? strchr(name, '=') : NULL, *end;
	struct value *bound = equals ? find_register(name, &end) : NULL;
	const char *task_word = equals ? equals + 1 : name;
	const char *error = equals != NULL && (bound == NULL || end != equals) ? "register"
		: count < 2 ? "line" : NULL;

	if (error == NULL && add_to_block(bound, task_word, words + 1, count - 1))
		return;
	flush_block();
	if (error != NULL) {
		answer_bad(error);
	} else if (!add_to_block(bound, task_word, words + 1, count - 1)) {
		last.run = 0;
		run_alone(task_word, words + 1, count - 1);
		bind(bound);
	}
}

void serve_input(void)
{
	char *input = controller_memory(INPUT_BYTES);
	size_t length = 0;
	ssize_t got;

	registers = controller_memory(26 * sizeof *registers);
	while ((got = read(STDIN_FILENO, input + length, INPUT_BYTES - length)) > 0) {
		char *line = input, *end;

		length += got;
		while ((end = memchr(line, '\n', input + length - line)) != NULL) {
			*end = 0;
			run_line(line);
			line = end + 1;
			flush_long_output();
		}
		flush_block();
		length -= line - input;
		memmove(input, line, length);
		if (length == INPUT_BYTES) {
			answer_bad("line too long");
			length = 0;
		}
		flush_output();
	}
}
