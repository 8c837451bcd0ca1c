#include "fs/host/fatal_signal.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t mask_of(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, 16) : 0;
}

static uint64_t bit(int signal)
{
	return (uint64_t)1 << (signal - 1);
}

bool interrupt_fatal_status(const char *text)
{
	uint64_t pending = mask_of(text, "\nSigPnd:") | mask_of(text, "\nShdPnd:");
	/* What ends a process with a core (SIGQUIT) stays itself; of what simply ends it the kernel makes
	 * SIGKILL. */
	uint64_t held_off =
		mask_of(text, "\nSigBlk:") | mask_of(text, "\nSigIgn:") | mask_of(text, "\nSigCgt:");
	uint64_t fatal = bit(SIGINT) | bit(SIGTERM) | bit(SIGHUP) | bit(SIGQUIT);

	return (pending & bit(SIGKILL)) || (pending & ~held_off & fatal);
}

bool interrupt_fatal(const char *proc, pid_t pid)
{
	char path[256], text[8192];

	if (pid <= 0)
		return false;
	snprintf(path, sizeof(path), "%s/%d/status", proc, (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	ssize_t got = read(fd, text, sizeof(text) - 1);

	close(fd);
	if (got <= 0)
		return false;
	text[got] = '\0';
	return interrupt_fatal_status(text);
}
