#include "engine/journal/journal_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* At most size - 1 bytes of it, up to the first new line. */
static bool read_word(const char *path, char *ret, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t len = read(fd, ret, size - 1);
	close(fd);
	ret[len > 0 ? len : 0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return ret[0] != '\0';
}

/* 0 where there is no such process.  The name in brackets may hold anything (proc_pid_stat(5)). */
static unsigned long long process_start(pid_t pid)
{
	char path[64], text[2048];
	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	char *at = read_word(path, text, sizeof(text)) ? strrchr(text, ')') : NULL;
	for (unsigned field = 2; at && field < 22; field++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	return at ? strtoull(at, NULL, 10) : 0;
}

void journal_self(struct journal_self *ret)
{
	struct utsname name;
	*ret = (struct journal_self){.pid = getpid()};
	if (!read_word("/etc/machine-id", ret->machine, sizeof(ret->machine)) && uname(&name) == 0)
		snprintf(ret->machine, sizeof(ret->machine), "host:%.64s", name.nodename);
	if (!read_word("/proc/sys/kernel/random/boot_id", ret->boot, sizeof(ret->boot)))
		ret->boot[0] = '\0';
	ret->start = process_start(ret->pid);
}
