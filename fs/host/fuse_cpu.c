/*
 * Most of the cost of a FUSE call is waking a CPU that sleeps, twice: the caller's request wakes the reading
 * thread, the answer wakes the caller.  When both sit on one CPU nothing is woken: each hands the CPU to the
 * other, since a caller sleeps while it waits.  The scheduler does not see that; it prefers an idle CPU to
 * one that is just about to become idle.
 *
 *   auto   follows one caller as long as it is the only one: after PLACEMENT_AFTER requests on end of the
 *          same thread, the reading thread is held on that thread's CPU, and each PLACEMENT_EVERY requests
 *          it looks where that is now.  The first request of any other thread lets it go: with several at
 *          work it roams, so that none of them waits behind another's CPU.  Where the scheduler moves the
 *          caller away each time (PLACEMENT_LOST looks on end), following is no use and is left for
 *          PLACEMENT_REST requests.
 *   N      held on that CPU from the start: for tools that are bound to that CPU as well.
 *   none   as the scheduler has it.
 *
 * Measured with cp -r of 20,000 objects of 1 KiB at 30 ms, two CPUs (a virtual machine, Linux 6.18) shared
 * with the server, nothing else running, objects/s of each run:
 *
 *   none                      2,420 2,580 5,760 2,550 7,820 in one minute, 8,770 4,900 5,880 in another
 *   0                         2,770 3,450 7,310 in one minute, 3,960 2,840 5,380 in another
 *   0, cp bound to CPU 0      9,430 9,300 9,690
 *   0, cp bound to CPU 1      1,980 1,940 1,830
 *   auto, looks every 16      8,400 6,900 9,110
 *         every 64            8,940 7,640 7,980
 *         every 128           9,270 8,320 8,620 and, in a slower minute, 8,550 8,180 7,310
 *         every 256           7,540 8,990 9,540
 *
 * Four cp -r at once made 4,820 and 4,860 with auto, 4,870 and 4,970 with none (another program running).
 * The thread was moved 6 to 18 times in 140,000 requests; a look (open, read, close of /proc/PID/stat) took
 * 0.5 % of all CPU time at every 128.  A helper process looks (fs/host/caller_resolver.h), and its answer is taken by the
 * next request after it: this thread never reads another process's /proc.
 *
 * Not tried: polling /dev/fuse before sleeping.  It spares one of the two wakings only, and takes a CPU from
 * the worker that this thread feeds.
 */
#include "fs/host/fuse_cpu.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/log.h"

/* proc_pid_stat(5): field 39; the second, a name in brackets, may hold spaces and brackets. */
enum { STAT_NAME = 2, STAT_PROCESSOR = 39 };

static bool may_use(int cpu)
{
	cpu_set_t allowed;

	return sched_getaffinity(0, sizeof(allowed), &allowed) == 0 && cpu < CPU_SETSIZE &&
	       CPU_ISSET((unsigned)cpu, &allowed);
}

int placement_parse(const char *text, int *ret)
{
	size_t len = strlen(text);

	if (strcmp(text, "auto") == 0) {
		*ret = PLACEMENT_AUTO;
	} else if (strcmp(text, "none") == 0) {
		*ret = PLACEMENT_NONE;
	} else if (len == 0 || len > 6 || strspn(text, "0123456789") != len) {
		return -EINVAL;
	} else {
		int cpu = atoi(text);

		if (!may_use(cpu))
			return -ENODEV;
		*ret = cpu;
	}
	return 0;
}

void placement_text(int wanted, char ret[16])
{
	if (wanted >= 0)
		snprintf(ret, 16, "%d", wanted);
	else
		snprintf(ret, 16, "%s", wanted == PLACEMENT_AUTO ? "auto" : "none");
}

/* Where the kernel does not let us, the thread stays as it is. */
static int fuse_cpu_hold(struct placement *placement, int cpu)
{
	cpu_set_t set = placement->allowed;

	if (cpu == placement->at)
		return 0;
	if (cpu >= 0) {
		CPU_ZERO(&set);
		CPU_SET((unsigned)cpu, &set);
	}
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		return -errno;
	placement->at = cpu;
	return 0;
}

static int cpu_in(const char *stat)
{
	const char *at = strrchr(stat, ')');

	for (int field = STAT_NAME; at && field < STAT_PROCESSOR; field++)
		at = strchr(at + 1, ' ');
	return at && at[1] >= '0' && at[1] <= '9' ? atoi(at + 1) : -1;
}

int placement_cpu_of(const char *proc, pid_t thread)
{
	char path[256], text[1024];

	snprintf(path, sizeof(path), "%s/%d/stat", proc, (int)thread);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	ssize_t len = read(fd, text, sizeof(text) - 1);

	close(fd);
	if (len <= 0)
		return -1;
	text[len] = '\0';
	return cpu_in(text);
}

void placement_start(struct placement *placement, int wanted,
	void (*ask)(struct placement *placement, pid_t thread), void *user)
{
	int error = 0;

	*placement = (struct placement){.wanted = wanted, .at = -1, .ask = ask, .user = user};
	if (sched_getaffinity(0, sizeof(placement->allowed), &placement->allowed) < 0) {
		/* More CPUs than a set of fixed size holds. */
		log_text(LOG_LEVEL_DEBUG, "fuse_cpu: %s: the reading thread is left alone", strerror(errno));
		placement->wanted = PLACEMENT_NONE;
	}
	if (placement->wanted >= 0)
		error = fuse_cpu_hold(placement, wanted);
	if (error < 0)
		log_text(LOG_LEVEL_WARNING, "fuse_cpu=%d: %s: the reading thread is left alone", wanted,
			strerror(-error));
}

/* It runs there; -1: nobody knows where. */
static void placement_follow(struct placement *placement, int cpu)
{
	if (cpu >= CPU_SETSIZE || cpu < 0 || !CPU_ISSET((unsigned)cpu, &placement->allowed))
		cpu = -1; /* no CPU that we may use */
	placement->lost = placement->at >= 0 && cpu != placement->at ? placement->lost + 1 : 0;
	if (placement->lost == PLACEMENT_LOST) {
		placement->lost = 0;
		placement->rest = PLACEMENT_REST;
		cpu = -1;
	}
	fuse_cpu_hold(placement, cpu);
}

void placement_told(struct placement *placement, pid_t thread, int cpu)
{
	atomic_store(&placement->told, (int64_t)thread << 32 | (int64_t)(cpu + 1));
}

/* An answer that came meanwhile, about the thread that is still the only one. */
static void placement_take_told(struct placement *placement)
{
	if (atomic_load_explicit(&placement->told, memory_order_relaxed) == 0)
		return;
	int64_t told = atomic_exchange(&placement->told, 0);

	if ((pid_t)(told >> 32) == placement->caller && placement->rest == 0)
		placement_follow(placement, (int)(told & INT32_MAX) - 1);
}

void placement_request(struct placement *placement, pid_t thread)
{
	/* Requests that the kernel sends by itself (forget, release) belong to no process. */
	if (placement->wanted != PLACEMENT_AUTO || thread == 0)
		return;
	if (placement->rest > 0) {
		placement->rest--;
		return;
	}
	placement_take_told(placement);
	if (thread != placement->caller) {
		placement->caller = thread;
		placement->run = placement->lost = 0;
		fuse_cpu_hold(placement, -1);
		return;
	}
	if (++placement->run >= PLACEMENT_AFTER) {
		placement->run = PLACEMENT_AFTER - PLACEMENT_EVERY;
		if (placement->ask)
			placement->ask(placement, thread);
		placement_take_told(placement);
	}
}

void placement_end(struct placement *placement)
{
	fuse_cpu_hold(placement, -1);
}
