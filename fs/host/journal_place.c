#include "fs/host/journal_place.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/host/mountinfo.h"

static int default_place(char *ret, size_t size)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int len = -1;

	if (geteuid() == 0)
		len = snprintf(ret, size, "/var/lib/ferryfs");
	else if (state && state[0] == '/')
		len = snprintf(ret, size, "%s/ferryfs", state);
	else if (home && home[0] == '/')
		len = snprintf(ret, size, "%s/.local/state/ferryfs", home);
	return len < 0 ? -ENOENT : (size_t)len < size ? 0 : -ENAMETOOLONG;
}

int journal_place_open(const char *wanted, struct journal_dir **ret, char *why)
{
	const char *environment = getenv("FERRYFS_JOURNAL");
	char path[PATH_MAX];
	struct journal_dir *dir;
	bool made_up = false;
	int error = 0;

	if (!wanted && environment && environment[0])
		wanted = environment;
	if (!wanted) {
		error = default_place(path, sizeof(path));
		wanted = path;
		made_up = true;
	}
	if (error < 0) {
		snprintf(why, JOURNAL_WHY_MAX,
			"no directory for journals: neither XDG_STATE_HOME nor HOME is set");
		return error;
	}
	error = journal_dir_open(wanted, made_up, &dir, why);
	if (error < 0)
		return error;
	if (mountinfo_is_ferryfs(journal_dir_device(dir))) {
		snprintf(why, JOURNAL_WHY_MAX, "journal directory %.256s: is on a ferryfs mount", wanted);
		journal_dir_free(dir);
		return -ELOOP;
	}
	*ret = dir;
	return 0;
}
