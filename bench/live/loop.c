/* Makes the calls of a file on the running kernel, in an IPC namespace of its own, as often as it
 * is told to: for each line of standard input, once, and prints the nanoseconds that took.
 * The file is an array of struct op; see bench/ShmCheck.Bench/Calls/Op.cs. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SHM_HUGETLB
#define SHM_HUGETLB 04000
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

enum { GET, AT, STORE, LOAD, DETACH, REMOVE, STAT, INFO, FORK, PAGE_OUT };
enum { SLOTS = 65536, PAGE = 4096, HUGE_PAGE = 2 << 20 };

struct op {
	int32_t kind, a, b, c;
};

static int segments[SLOTS];
static char *attaches[SLOTS];

static int spawn(const struct op *op)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		*(volatile char *)(attaches[op->a] + (size_t)op->b * PAGE) = 1;
		_exit(0);
	}
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* Whether the call did what it should. */
static int make(const struct op *op)
{
	struct shmid_ds stat;
	struct shm_info info;
	char *address;
	size_t page = op->c ? HUGE_PAGE : PAGE;

	switch (op->kind) {
	case GET:
		segments[op->a] = shmget(IPC_PRIVATE, op->b * page,
					 IPC_CREAT | 0600 | (op->c ? SHM_HUGETLB : 0));
		return segments[op->a] >= 0;
	case AT:
		attaches[op->a] = shmat(segments[op->b], NULL, 0);
		return attaches[op->a] != (char *)-1;
	case STORE:
		*(volatile char *)(attaches[op->a] + op->b * page) = 1;
		return 1;
	case LOAD:
		(void)*(volatile char *)(attaches[op->a] + op->b * page);
		return 1;
	case DETACH:
		return shmdt(attaches[op->a]) == 0;
	case REMOVE:
		return shmctl(segments[op->a], IPC_RMID, NULL) == 0;
	case STAT:
		return shmctl(segments[op->a], IPC_STAT, &stat) == 0;
	case INFO:
		return shmctl(0, SHM_INFO, (struct shmid_ds *)&info) >= 0;
	case FORK:
		return spawn(op);
	case PAGE_OUT:
		address = attaches[op->a] + (size_t)op->b * PAGE;
		return madvise(address, (size_t)op->c * PAGE, MADV_PAGEOUT) == 0;
	default:
		return 0;
	}
}

static struct op *read_ops(const char *path, size_t *count)
{
	FILE *file = fopen(path, "rb");
	struct op *ops;
	long bytes;

	if (!file || fseek(file, 0, SEEK_END) || (bytes = ftell(file)) < 0)
		return NULL;
	rewind(file);
	*count = (size_t)bytes / sizeof(*ops);
	ops = malloc((size_t)bytes);
	if (ops && fread(ops, sizeof(*ops), *count, file) != *count)
		return NULL;
	fclose(file);
	return ops;
}

int main(int argc, char **argv)
{
	size_t count = 0;
	struct op *ops = argc == 2 ? read_ops(argv[1], &count) : NULL;
	struct timespec start, end;
	char line[64];

	if (!ops) {
		fprintf(stderr, "usage: loop FILE\n");
		return 2;
	}
	if (unshare(CLONE_NEWIPC)) {
		fprintf(stderr, "unshare: %s\n", strerror(errno));
		return 3;
	}
	while (fgets(line, sizeof(line), stdin)) {
		clock_gettime(CLOCK_MONOTONIC, &start);
		for (size_t i = 0; i < count; i++) {
			if (!make(&ops[i])) {
				fprintf(stderr, "call %zu of kind %d: %s\n", i, ops[i].kind,
					strerror(errno));
				return 1;
			}
		}
		clock_gettime(CLOCK_MONOTONIC, &end);
		printf("%lld\n", (end.tv_sec - start.tv_sec) * 1000000000ll
		       + end.tv_nsec - start.tv_nsec);
		fflush(stdout);
	}
	return 0;
}
