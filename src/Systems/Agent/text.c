// Files and lines.

#include "agent.h"

#include <sys/mman.h>

#define OUTPUT_BYTES (1 << 20)
#define LONG_OUTPUT 4096
#define MOST_TEXT 256

static char *output;
static size_t output_length;

void *controller_memory(size_t size)
{
	// Where no kernel puts a mapping by itself: user-mode Linux leaves it in the child all the same,
	// and shows it where the child maps something (copy_context_skas0).
	static char *at = (char *)0x1000000000;
	void *memory;

	size = (size + page_size - 1) & -page_size;     // Valgrind takes no hint within a page
	memory = mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	at += 2 * size;
	if (memory == MAP_FAILED)
		_exit(1);
	madvise(memory, size, MADV_DONTFORK);
	return memory;
}

size_t read_open(int fd, char *buffer, size_t size)
{
	size_t length = 0;
	ssize_t got;

	while (length < size - 1 && (got = pread(fd, buffer + length, size - 1 - length, length)) > 0)
		length += got;
	buffer[length] = 0;
	return length;
}

size_t read_record(int fd, char *buffer, size_t size)
{
	ssize_t got = pread(fd, buffer, size - 1, 0);

	buffer[got > 0 ? got : 0] = 0;
	return got > 0 ? got : 0;
}

size_t read_file(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = read_open(fd, buffer, size);

	if (fd >= 0)
		close(fd);
	return length;
}

const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end != NULL && end[1] ? end + 1 : NULL;
}

void find_values(const char *text, const char *const *names, int count, u64 *values)
{
	int found = 0;

	memset(values, 0, count * sizeof *values);
	for (const char *line = text; line != NULL && *line >= 'A' && *line <= 'Z' && found < count;
			line = next_line(line))
		for (int i = found; i < count; i++) {
			size_t length = strlen(names[i]);

			if (strncmp(line, names[i], length) == 0) {
				values[i] = strtoull(line + length, NULL, 10);
				found = i + 1;
				break;
			}
		}
}

int is_segment(const char *line)
{
	const char *end = strchr(line, '\n');
	const char *name = memmem(line, end ? (size_t)(end - line) : strlen(line), "SYSV", 4);

	return name != NULL && name > line && (name[-1] == '/' || name[-1] == ' ');
}

// The inode of a segment is its identifier (ipc/shm.c:newseg); it stands behind the device.
int segment_of(const char *line)
{
	for (int column = 0; column < 4; column++)
		line = strchr(line, ' ') + 1;
	return strtol(line, NULL, 10);
}

const char *errno_name(int number)
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

void start_output(void)
{
	output = controller_memory(OUTPUT_BYTES);
}

void flush_output(void)
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

void flush_long_output(void)
{
	if (output_length > LONG_OUTPUT)
		flush_output();
}

void add_text(const char *text)
{
	size_t length = strnlen(text, MOST_TEXT);

	if (output_length > OUTPUT_BYTES - 2 * MOST_TEXT)
		flush_output();
	memcpy(output + output_length, text, length);
	output_length += length;
}

void add_word(const char *word)
{
	add_text(" ");
	add_text(word);
}

void add_number(int64_t number)
{
	char digits[24];
	char *at = digits + sizeof digits;
	u64 rest = number < 0 ? -(u64)number : (u64)number;

	*--at = 0;
	do
		*--at = '0' + rest % 10;
	while ((rest /= 10) != 0);
	if (number < 0)
		*--at = '-';
	*--at = ' ';
	add_text(at);
}

void add_figures(const u64 *figures, int count)
{
	for (int i = 0; i < count; i++)
		add_number(figures[i]);
}

void end_answer(void)
{
	add_text("\n");
}
