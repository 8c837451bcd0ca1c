#include "engine/base/crash.h"

#ifdef FERRYFS_CRASH

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_uint armed, steps;

void crash_arm(void)
{
	atomic_fetch_add(&armed, 1);
}

void crash_disarm(void)
{
	atomic_fetch_sub(&armed, 1);
}

void crash_step(void)
{
	const char *at = getenv("FERRYFS_CRASH_AT");
	if (!at || atomic_load(&armed) == 0)
		return;
	if (atomic_fetch_add(&steps, 1) + 1 == (unsigned)strtoul(at, NULL, 10))
		kill(getpid(), SIGKILL);
}

#endif
