/*
 * output: lines from several threads on their way to standard output, through one bounded buffer.
 *
 * Any thread appends whole lines between output_begin and output_end; only the main thread writes
 * (output_drain), never holding the lock.  When OUTPUT_FULL bytes wait, output_begin waits for the main
 * thread: a reader that does not read stops the work rather than filling memory.  After output_stop (Ctrl-C,
 * or a write that failed) lines are dropped and no thread waits any more.
 *
 * The main thread may append too: output_begin_main drains first instead of waiting for itself.
 */
#ifndef FERRYFS_FS_CMD_OUTPUT_H
#define FERRYFS_FS_CMD_OUTPUT_H

#include <pthread.h>
#include "fs/cmd/main_wait.h"
#include "s3/buf.h"

enum { OUTPUT_MAX = 2 << 20, OUTPUT_FULL = 1 << 20, OUTPUT_WAKE = 64 << 10 };

struct output {
	struct waiter *waiter; /* lent */
	int fd;
	int error; /* main thread: -errno of the first write that failed */
	int truncated; /* main thread: lines were lost for want of memory (-ENOMEM) */
	pthread_mutex_t lock;
	pthread_cond_t room;
	struct buf filling; /* protected by lock; as is stopped */
	bool stopped;
	struct buf writing; /* main thread, as is how much of it is out */
	size_t written;
};

void output_init(struct output *output, struct waiter *waiter, int fd);
void output_release(struct output *output);

/* Takes the lock and returns the buffer to append to; output_end gives both back.  Where memory for a line is
 * short, it and those after it until the next drain are lost, and `truncated` says so. */
struct buf *output_begin(struct output *output);
struct buf *output_begin_main(struct output *output);
void output_end(struct output *output);

/* Main thread: writes what is there; a signal ends it early (once: after one, a reader who takes nothing for
 * a second is given up with -ETIMEDOUT).  0, or -errno of the first write that failed, from then on. */
int output_drain(struct output *output);
/* Any thread: drops the lines that wait and those that come. */
void output_stop(struct output *output);

#endif
