/*
 * The n-th allocation, or the n-th system call, of our own code fails.
 *
 * Linked into a build of its own (make TORTURE=1) by ld's --wrap, so that only what our objects call is met:
 * libraries do as they always do.  FERRYFS_TORTURE=alloc:N or call:N fails that one (none for N = 0);
 * FERRYFS_TORTURE_COUNT=FILE gets a line "alloc N", "call N" with how many there were, and at once "failed
 * NAME" for what was made to fail, with the place that asked.  Across threads the n-th is whichever comes
 * n-th.
 *
 * Left out: what can't fail that way in the field (reads and writes of an eventfd, epoll_wait but by a
 * signal), close, and what a failing exit path is made of (_exit, waitpid).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum kind { ALLOC, CALL, KINDS };

static struct {
	atomic_ulong count[KINDS];
	unsigned long wanted[KINDS]; /* 0: none */
	char *file;
} torture;

/* This file's own calls are wrapped as well. */
int __real_open64(const char *path, int flags, ...);
ssize_t __real_write(int fd, const void *from, size_t size);
int __real_fstat64(int fd, struct stat *st);

/* The sanitizers' run time: every build for torture has one. */
void __sanitizer_symbolize_pc(void *pc, const char *format, char *to, size_t size);

static void tell(const char *text)
{
	size_t len = strlen(text);
	int fd = torture.file ? __real_open64(torture.file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)
			      : -1;

	if (fd < 0)
		return;
	if (__real_write(fd, text, len) != (ssize_t)len)
		abort();
	close(fd);
}

static void report(void)
{
	char text[128];

	snprintf(text, sizeof(text), "alloc %lu\ncall %lu\n", atomic_load(&torture.count[ALLOC]),
		atomic_load(&torture.count[CALL]));
	tell(text);
}

__attribute__((constructor)) static void begin(void)
{
	const char *wanted = getenv("FERRYFS_TORTURE");

	torture.file = getenv("FERRYFS_TORTURE_COUNT");
	if (wanted && strncmp(wanted, "alloc:", 6) == 0)
		torture.wanted[ALLOC] = strtoul(wanted + 6, NULL, 10);
	if (wanted && strncmp(wanted, "call:", 5) == 0)
		torture.wanted[CALL] = strtoul(wanted + 5, NULL, 10);
	atexit(report);
}

static bool fails(enum kind kind, const char *name, void *from)
{
	char text[512], place[256] = "";
	int was = errno;

	if (atomic_fetch_add(&torture.count[kind], 1) + 1 != torture.wanted[kind])
		return false;
	__sanitizer_symbolize_pc((char *)from - 1, "%f at %s:%l", place, sizeof(place));
	snprintf(text, sizeof(text), "failed %s in %s\n", name, place);
	tell(text);
	errno = was;
	return true;
}
#define FROM __builtin_return_address(0)

/* WRAP(result, name, (parameters), (arguments), bad, errno) */
#define WRAP(type, name, parameters, arguments, kind, bad, number)                                           \
	type __real_##name parameters;                                                                       \
	type __wrap_##name parameters;                                                                       \
	type __wrap_##name parameters                                                                        \
	{                                                                                                    \
		if (!fails(kind, #name, FROM))                                                               \
			return __real_##name arguments;                                                      \
		errno = number;                                                                              \
		return bad;                                                                                  \
	}

WRAP(void *, malloc, (size_t size), (size), ALLOC, NULL, ENOMEM)
WRAP(void *, calloc, (size_t count, size_t size), (count, size), ALLOC, NULL, ENOMEM)
WRAP(void *, realloc, (void *old, size_t size), (old, size), ALLOC, NULL, ENOMEM)
WRAP(void *, reallocarray, (void *old, size_t count, size_t size), (old, count, size), ALLOC, NULL, ENOMEM)
WRAP(char *, strdup, (const char *text), (text), ALLOC, NULL, ENOMEM)
WRAP(char *, strndup, (const char *text, size_t size), (text, size), ALLOC, NULL, ENOMEM)
WRAP(char *, realpath, (const char *path, char *to), (path, to), ALLOC, NULL, ENOMEM)

/* The variadic one: by vasprintf, which is not wrapped. */
int __wrap_asprintf(char **ret, const char *format, ...);
int __wrap_asprintf(char **ret, const char *format, ...)
{
	va_list args;

	if (fails(ALLOC, "asprintf", FROM)) {
		errno = ENOMEM;
		return -1;
	}
	va_start(args, format);
	int len = vasprintf(ret, format, args);

	va_end(args);
	return len;
}

/* Reads and writes of eventfds and signalfds don't fail for want of anything. */
static bool is_quiet(int fd)
{
	struct stat st;

	return __real_fstat64(fd, &st) < 0 || (st.st_mode & S_IFMT) == 0;
}

#define WRAP_FD(type, name, parameters, arguments, number)                                                   \
	type __real_##name parameters;                                                                       \
	type __wrap_##name parameters;                                                                       \
	type __wrap_##name parameters                                                                        \
	{                                                                                                    \
		if (is_quiet(fd) || !fails(CALL, #name, FROM))                                               \
			return __real_##name arguments;                                                      \
		errno = number;                                                                              \
		return -1;                                                                                   \
	}

WRAP_FD(ssize_t, read, (int fd, void *to, size_t size), (fd, to, size), EIO)
WRAP_FD(ssize_t, write, (int fd, const void *from, size_t size), (fd, from, size), ENOSPC)
WRAP_FD(ssize_t, pread64, (int fd, void *to, size_t size, off_t at), (fd, to, size, at), EIO)
WRAP_FD(ssize_t, pwrite64, (int fd, const void *from, size_t size, off_t at), (fd, from, size, at), ENOSPC)
WRAP_FD(int, fsync, (int fd), (fd), EIO)
WRAP_FD(int, fdatasync, (int fd), (fd), EIO)
WRAP_FD(int, ftruncate64, (int fd, off_t size), (fd, size), EIO)
WRAP_FD(int, fallocate64, (int fd, int mode, off_t at, off_t size), (fd, mode, at, size), ENOSPC)
WRAP_FD(int, fstat64, (int fd, struct stat *st), (fd, st), EIO)
WRAP_FD(int, flock, (int fd, int operation), (fd, operation), ENOLCK)
WRAP(int, stat64, (const char *path, struct stat *st), (path, st), CALL, -1, EIO)
WRAP(int, lstat64, (const char *path, struct stat *st), (path, st), CALL, -1, EIO)
WRAP(int, fstatat64, (int dir, const char *path, struct stat *st, int flags), (dir, path, st, flags), CALL,
	-1, EIO)
WRAP(int, access, (const char *path, int mode), (path, mode), CALL, -1, EIO)
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode), CALL, -1, ENOSPC)
WRAP(int, unlink, (const char *path), (path), CALL, -1, EIO)
WRAP(int, unlinkat, (int dir, const char *path, int flags), (dir, path, flags), CALL, -1, EIO)
WRAP(int, mkostemp64, (char *path, int flags), (path, flags), CALL, -1, ENOSPC)
WRAP(int, pipe2, (int ends[2], int flags), (ends, flags), CALL, -1, EMFILE)
WRAP(int, eventfd, (unsigned count, int flags), (count, flags), CALL, -1, EMFILE)
WRAP(int, epoll_create1, (int flags), (flags), CALL, -1, EMFILE)
WRAP(int, epoll_ctl, (int epoll, int op, int fd, struct epoll_event *event), (epoll, op, fd, event), CALL, -1,
	ENOMEM)
WRAP(int, epoll_wait, (int epoll, struct epoll_event *to, int count, int limit), (epoll, to, count, limit),
	CALL, -1, EINTR)
WRAP(int, poll, (struct pollfd * fds, nfds_t count, int limit), (fds, count, limit), CALL, -1, EINTR)
WRAP(pid_t, fork, (void), (), CALL, -1, EAGAIN)
WRAP(int, socket, (int domain, int type, int protocol), (domain, type, protocol), CALL, -1, EMFILE)
WRAP(int, bind, (int fd, const struct sockaddr *to, socklen_t size), (fd, to, size), CALL, -1, EADDRINUSE)
WRAP(int, listen, (int fd, int count), (fd, count), CALL, -1, EADDRINUSE)
WRAP(int, connect, (int fd, const struct sockaddr *to, socklen_t size), (fd, to, size), CALL, -1,
	ECONNREFUSED)
WRAP(int, accept4, (int fd, struct sockaddr *from, socklen_t *size, int flags), (fd, from, size, flags), CALL,
	-1, EMFILE)
WRAP(FILE *, fopen64, (const char *path, const char *mode), (path, mode), CALL, NULL, EMFILE)
WRAP(ssize_t, readlink, (const char *path, char *to, size_t size), (path, to, size), CALL, -1, EIO)

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	return fails(CALL, "pthread_create", FROM) ? EAGAIN : __real_pthread_create(thread, attr, run, arg);
}

/* open and openat are variadic: the mode is always there when it is needed. */
int __real_openat64(int dir, const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_openat64(int dir, const char *path, int flags, ...);

#define OPEN_MODE(last)                                                                                      \
	mode_t mode = 0;                                                                                     \
	if ((last) & (O_CREAT | O_TMPFILE)) {                                                                \
		va_list args;                                                                                \
		va_start(args, last);                                                                        \
		mode = va_arg(args, mode_t);                                                                 \
		va_end(args);                                                                                \
	}

int __wrap_open64(const char *path, int flags, ...)
{
	OPEN_MODE(flags)
	if (fails(CALL, "open", FROM)) {
		errno = EMFILE;
		return -1;
	}
	return __real_open64(path, flags, mode);
}

int __wrap_openat64(int dir, const char *path, int flags, ...)
{
	OPEN_MODE(flags)
	if (fails(CALL, "openat", FROM)) {
		errno = EMFILE;
		return -1;
	}
	return __real_openat64(dir, path, flags, mode);
}
