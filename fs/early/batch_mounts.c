#include "fs/early/batch_mounts.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "fs/core/hub.h"

enum { LOOK_MS = 5 }; /* between two looks at the mounts: each is a system call */

void batch_mounts_init(struct batch *batch)
{
	char path[64];

	batch->clear = batch->caller.clear;
	batch->mounts = -1;
	if (batch->caller.tool == CALLER_RM)
		return;
	/* The file is only opened and polled here: that reads neither the process's memory nor a file
	 * system. */
	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)batch->caller.pid);
	batch->mounts = open(path, O_RDONLY | O_CLOEXEC);
	if (batch->mounts < 0)
		batch->clear = false;
}

void batch_mounts_release(struct batch *batch)
{
	if (batch->mounts >= 0)
		close(batch->mounts);
}

static void on_read(struct resolve *resolve)
{
	struct batch *batch = resolve->user;
	struct batches *batches = batch->batches;

	if (resolve->pidfd >= 0)
		close(resolve->pidfd);
	pthread_mutex_lock(&batches->lock);
	batch->reading = batch->stale = false;
	batch->clear = resolve->caller.start == batch->caller.start && resolve->caller.clear;
	pthread_mutex_unlock(&batches->lock);
	batch_unref(batch);
}

/* The kernel reports a change once (proc_pid_mountinfo(5): POLLERR and POLLPRI). */
static bool batch_mounts_changed(int mounts)
{
	struct pollfd poll_fd = {.fd = mounts, .events = POLLPRI};

	return poll(&poll_fd, 1, 0) > 0;
}

static void read_again(struct batch *batch)
{
	batch->again = (struct resolve){.pid = batch->caller.pid,
		.device = batch->caller.device,
		.on_done = on_read,
		.user = batch_ref(batch)};
	if (resolver_ask(batch->batches->resolver, &batch->again) == 0)
		return;
	pthread_mutex_lock(&batch->batches->lock);
	batch->reading = false;
	pthread_mutex_unlock(&batch->batches->lock);
	batch_unref(batch);
}

bool batch_is_clear(struct batch *batch)
{
	struct batches *batches = batch->batches;
	uint64_t now = clock_ms();
	bool again = false;

	if (batch->mounts < 0)
		return false;
	pthread_mutex_lock(&batches->lock);
	if (!batch->reading && now - batch->looked_ms >= LOOK_MS) {
		batch->looked_ms = now;
		batch->stale |= batch_mounts_changed(batch->mounts);
		again = batch->reading = batch->stale;
	}
	if (batch->stale)
		batch->clear = false;
	bool clear = batch->clear;

	pthread_mutex_unlock(&batches->lock);
	if (again)
		read_again(batch);
	return clear;
}
