// What the parts of the agent have in common. docs/agent-protocol.md describes what it speaks.
//
// One process, the controller, reads commands from standard input and answers each with one line.
// The calls are made by workers: processes and threads, each with one end of a socket, each on a
// stack of its own, so that any combination of clone flags leaves it able to serve. The controller
// makes no call on memory segments, and reads the figures of all workers under /proc.
//
// Nothing here sleeps: the end of a worker is the end of its socket.

#ifndef AGENT_H
#define AGENT_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TASKS 64             // processes and threads that live at once
#define NAMESPACES 256       // IPC namespaces of one run
#define ARGS 40
#define VALUES 16
#define BLOCK_CALLS 32       // that a worker is given in one piece
#define BLOCK_BYTES 4096     // their length, at most
#define PATH_BYTES 256
#define FILE_BYTES (1 << 20) // the longest file under /proc that is read

typedef uint64_t u64;

// -- text.c: files and lines ------------------------------------------------------------------

// Memory that the workers do not get: what they map themselves is to be small, and is locked and
// copied with them.
void *controller_memory(size_t size);

// Reads a file that is open, from its start, and ends the text with 0. Returns its length; 0 for
// a file that is not there.
size_t read_open(int fd, char *buffer, size_t size);
size_t read_file(const char *path, char *buffer, size_t size);

// The same of a file that the kernel writes in one piece.
size_t read_record(int fd, char *buffer, size_t size);

// The line behind this one, or NULL.
const char *next_line(const char *line);

// The values behind names at the starts of lines that begin with a capital letter, up to the first
// line that does not. The names come in the order of the lines; one that is not there has the
// value 0.
void find_values(const char *text, const char *const *names, int count, u64 *values);

// Whether a line of /proc/PID/maps or smaps is that of an attach.
int is_segment(const char *line);
int segment_of(const char *line);

const char *errno_name(int number);

// Output: text, and words and numbers with a space before them.
void start_output(void);
void add_text(const char *text);
void add_word(const char *word);
void add_number(int64_t number);
void add_figures(const u64 *figures, int count);
void end_answer(void);
void flush_output(void);
void flush_long_output(void);

// -- calls.c: the calls themselves ------------------------------------------------------------

enum reply_kind { REPLY_OK, REPLY_ERRNO, REPLY_SIGNAL, REPLY_SKIP, REPLY_UNSET };

struct reply {
	int kind;
	int code;               // errno or signal
	int count;
	u64 value[VALUES];      // REPLY_SIGNAL: si_code
};

// What the controller must know of an operation.
enum concern {
	PLAIN_CALL, COUNTS_SEGMENTS, MAKES_SEGMENT, SPAWNS, EXECUTES, EXITS, EXITS_GROUP, JOINS,
	UNSHARES
};

struct operation {
	const char *name;
	int args;               // -1: any number
	long number;            // of the system call that takes the arguments as they are
	long (*call)(const u64 *args);  // if there is none
	int (*cannot_be_made)(const u64 *args);
	enum concern concern;
};

extern const struct operation operations[];
extern u64 page_size;
extern u64 own_kb;          // what this program itself maps
extern char swap_path[PATH_BYTES];

const struct operation *find_operation(const char *name);
struct reply reply_of(long result);     // of a call that failed if it is -1
void catch_faults(void);
void note_own_mappings(void);
void make_call(const struct operation *op, const u64 *args, int count, struct reply *reply);

// The soft limit of the address space, beside our own mappings.
u64 address_space_limit(void);
long set_address_space_limit(u64 bytes);

// -- worker.c: who makes them -----------------------------------------------------------------

extern int exe_fd;

struct argument {
	u64 value;              // or what is done by change to what an earlier call returns
	short from;             // its number in the block, from 1; 0 if there is none
	char change;            // one of + - ^ &, or 0
};

struct command {
	int operation;          // place in the table
	int count;
	struct argument arg[ARGS];
};

// Calls that one worker makes one after the other; it answers when it has made all of them.
struct block {
	int count;
	size_t length;
	_Alignas(8) char bytes[BLOCK_BYTES];
};

size_t size_of_command(const struct command *command);
size_t size_of_reply(const struct reply *reply);
u64 change_value(u64 value, char change, u64 operand);

enum { MESSAGE_CAME = 1, MESSAGE_ENDED = 0, MESSAGE_LATE = -1 };

// Messages between controller and worker, with a file where passed_fd is not -1.
int send_command(int fd, const struct command *command, int passed_fd);
int send_block(int fd, const struct block *block);
int receive_reply(int fd, struct reply *reply);
int receive_replies(int fd, void *replies, size_t size);

// Starts the first worker, in a new IPC namespace if there are any. Returns its pid, or -1.
int start_first_worker(int fd);
int worker_main(char **arguments);

// -- tasks.c: the tasks of a run --------------------------------------------------------------

struct task {
	int tid, tgid;
	int fd;
	int ns;                 // number of its IPC namespace, in the order of their creation
	int waits_for;          // tid of the vfork child that holds it up, or 0
	int alive;
	int hangs;              // replies to calls that nobody waits for any more may come
	int status_fd, smaps_fd, pagemap_fd;    // -1 before their first use
	u64 own_kb;
};

extern struct task *tasks;
extern int namespace_count;
extern int has_namespaces;              // that can be left and entered again
extern unsigned limit_ms;               // for one call

void start_tasks(void);
struct task *find_task(long tid);
struct task *task_in_namespace(int ns);

// Takes the controller into a namespace, in which it stays. Returns -1 if nobody is in it.
int enter_namespace(int ns);
int open_in_namespace(int ns);          // its /proc/sysvipc/shm

void run_start(const char *device);
void run_reset(void);
void run_kill(struct task *task);
void run_task_command(struct task *task, struct command *command);

// Whether a call can be in a block with others.
int is_plain(const struct task *task, enum concern concern);

// Has a block of plain calls made. Returns 0 if no replies come: then the first call is answered.
int run_block(struct task *task, const struct block *block, void *replies, size_t size);
void answer_call(enum concern concern, struct reply *reply);

// -- observe.c: figures -----------------------------------------------------------------------

void start_observing(void);
void run_observe(u64 what);
void take_note_of(int id);              // a segment
void note_others(void);                 // segments that are there before a run begins
void deduct_others(u64 *totals);        // used_ids, shm_tot, shm_rss, shm_swp
void remove_segments(void);             // of the namespace that the controller is in

// -- frames.c: page frames --------------------------------------------------------------------

extern int has_frames;                  // whether the kernel shows them

void start_frames(void);

// What the frames of a mapping add up to; fd is /proc/PID/pagemap, stride the size of its pages.
void see_frames(int fd, int tgid, u64 start, u64 end, u64 stride);

// -- caps.c: what this machine has ------------------------------------------------------------

void run_caps(void);

// -- machine.c: a machine that the agent has to itself -----------------------------------------

void begin_machine(int count, char **arguments);
void run_program(int count, char **arguments);
void run_swap(const char *device, u64 slots);

// -- commands.c: lines ------------------------------------------------------------------------

void answer_values(const u64 *values, int count);
void answer_ok(u64 value);
void answer_skip(void);
void answer_bad(const char *what);
void answer_errno(void);
void serve_input(void);

#endif
