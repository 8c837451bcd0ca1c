/*
 * placement: on which CPU the reading thread of a session runs (-o fuse_cpu=auto|none|N).
 *
 * A value of the reading thread's own, from placement_start to placement_end.  Only this thread is ever
 * moved: not its callers, and no other thread of this process.
 */
#ifndef FERRYFS_FS_HOST_FUSE_CPU_H
#define FERRYFS_FS_HOST_FUSE_CPU_H

#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

/* Values of fuse_cpu beside the number of a CPU. */
enum { PLACEMENT_AUTO = -1, PLACEMENT_NONE = -2 };

enum {
	PLACEMENT_AFTER = 64, /* requests on end of one thread before it is followed */
	PLACEMENT_EVERY = 128, /* requests between two looks at where it is */
	PLACEMENT_LOST = 8, /* looks on end that found it elsewhere */
	PLACEMENT_REST = 16384, /* requests for which it is then left alone */
};

struct placement {
	int wanted; /* a CPU, or one of the above */
	/* Given; NULL: nobody is followed.  Finds out, anywhere, on which CPU this thread runs, and says so by
	 * placement_told, at once or later, or never. */
	void (*ask)(struct placement *placement, pid_t thread);
	void *user;
	atomic_int_least64_t told; /* thread << 32 | CPU + 1; 0: nothing new */
	cpu_set_t allowed; /* as it was at the start */
	int at; /* the CPU it is held on; -1: none */
	pid_t caller; /* the thread whose requests came last */
	int run; /* so many of them on end, counted from below 0 after a look */
	unsigned lost; /* looks on end that found it elsewhere than at `at` */
	unsigned rest; /* requests still to come before anybody is followed again */
};

/* "auto", "none" or the number of a CPU: -EINVAL for anything else, -ENODEV for a CPU that this process may
 * not use.  Any thread. */
int placement_parse(const char *text, int *ret);
/* The word or number again. */
void placement_text(int wanted, char ret[16]);

/* On the reading thread.  A CPU that it can't have is logged, and the thread left alone. */
void placement_start(struct placement *placement, int wanted,
	void (*ask)(struct placement *placement, pid_t thread), void *user);
/* After each request that was read: of which thread; 0: of none that we can see. */
void placement_request(struct placement *placement, pid_t thread);
/* The answer to ask; cpu -1: it is not known.  Any thread. */
void placement_told(struct placement *placement, pid_t thread, int cpu);
/* Where the thread runs, or ran last, as proc says ("/proc", or a folder of the same shape); -1: that is not
 * known.  In a helper (fs/host/caller_helper.h), or a test. */
int placement_cpu_of(const char *proc, pid_t thread);
/* The thread may run where it could before. */
void placement_end(struct placement *placement);

#endif
