#include "fs/serve/refuse.h"

#include <errno.h>
#include <linux/fuse.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

/* The size of a write that op_init agreed to, and of its headers; the kernel gives a request only to a buffer
 * of that size. */
enum { REQUEST_MAX = (1 << 20) + 4096 };

static bool wants_answer(unsigned opcode)
{
	return opcode != FUSE_FORGET && opcode != FUSE_BATCH_FORGET && opcode != FUSE_INTERRUPT;
}

void refuse_one(int fd, unsigned limit_ms)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	struct fuse_in_header *request;

	if (poll(&ready, 1, (int)limit_ms) <= 0)
		return;
	request = malloc(REQUEST_MAX);
	if (!request)
		return;
	ssize_t len = read(fd, request, REQUEST_MAX);

	if (len >= (ssize_t)sizeof(*request) && wants_answer(request->opcode)) {
		struct fuse_out_header answer = {
			.len = sizeof(answer), .error = -EIO, .unique = request->unique};

		/* ENOENT: the process that asked is gone. */
		ssize_t sent = write(fd, &answer, sizeof(answer));

		(void)sent;
	}
	free(request);
}
