#include <errno.h>
#include <unistd.h>
#include "fs/cmd/output.h"

/* A pipe that poll(2) calls writable takes this much without blocking (POSIX: PIPE_BUF; Linux: 4,096). */
enum { PIECE = 4096, LAST_WAIT_MS = 1000 };

void output_init(struct output *output, struct waiter *waiter, int fd)
{
	*output = (struct output){.waiter = waiter, .fd = fd};
	pthread_mutex_init(&output->lock, NULL);
	pthread_cond_init(&output->room, NULL);
	buf_init(&output->filling, OUTPUT_MAX);
	buf_init(&output->writing, OUTPUT_MAX);
}

void output_release(struct output *output)
{
	buf_release(&output->writing);
	buf_release(&output->filling);
	pthread_cond_destroy(&output->room);
	pthread_mutex_destroy(&output->lock);
}

struct buf *output_begin(struct output *output)
{
	pthread_mutex_lock(&output->lock);
	while (output->filling.len >= OUTPUT_FULL && !output->stopped)
		pthread_cond_wait(&output->room, &output->lock);
	return &output->filling;
}

struct buf *output_begin_main(struct output *output)
{
	bool full;

	pthread_mutex_lock(&output->lock);
	full = output->filling.len >= OUTPUT_FULL;
	pthread_mutex_unlock(&output->lock);
	while (full && output->error == 0 && !output->stopped) {
		if (output_drain(output) < 0)
			output_stop(output);
		pthread_mutex_lock(&output->lock);
		full = output->filling.len >= OUTPUT_FULL;
		pthread_mutex_unlock(&output->lock);
	}
	pthread_mutex_lock(&output->lock);
	return &output->filling;
}

void output_end(struct output *output)
{
	bool wake = output->filling.len >= OUTPUT_WAKE;

	if (output->stopped) {
		buf_clear(&output->filling);
		wake = false;
	}
	pthread_mutex_unlock(&output->lock);
	if (wake)
		waiter_wake(output->waiter);
}

void output_stop(struct output *output)
{
	pthread_mutex_lock(&output->lock);
	output->stopped = true;
	buf_clear(&output->filling);
	pthread_cond_broadcast(&output->room);
	pthread_mutex_unlock(&output->lock);
}

/* Swaps the two buffers.  False when there is nothing to write. */
static bool output_take(struct output *output)
{
	struct buf taken;

	pthread_mutex_lock(&output->lock);
	taken = output->filling;
	output->filling = output->writing;
	buf_clear(&output->filling);
	output->writing = taken;
	output->written = 0;
	if (taken.error && !output->truncated)
		output->truncated = taken.error;
	pthread_cond_broadcast(&output->room);
	pthread_mutex_unlock(&output->lock);
	return taken.len > 0;
}

/* Writes what was taken.  Before a signal it may wait for ever; a signal ends the call, to be told to the
 * work; after one, a reader who takes nothing for LAST_WAIT_MS is not waited for any longer. */
static int output_write(struct output *output)
{
	unsigned signals = output->waiter->signals;
	const struct buf *writing = &output->writing;
	size_t left;
	ssize_t n;

	while (output->written < writing->len) {
		if (!waiter_wait(output->waiter, output->fd, signals ? LAST_WAIT_MS : -1)) {
			if (output->waiter->signals > signals)
				return 0;
			if (signals)
				return -ETIMEDOUT;
			continue;
		}
		left = writing->len - output->written;
		n = write(output->fd, writing->data + output->written, left < PIECE ? left : PIECE);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (n > 0)
			output->written += (size_t)n;
	}
	return 0;
}

int output_drain(struct output *output)
{
	if (output->error)
		return output->error;
	if (output->written == output->writing.len && !output_take(output))
		return output->error;
	output->error = output_write(output);
	return output->error;
}
