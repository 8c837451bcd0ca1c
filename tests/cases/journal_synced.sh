#!/bin/bash
# The journal's "all copied" is on the disk before the first delete: where that sync fails, nothing is deleted and the copies are
# taken back, by command and by mount; a journal's beginning and its name are synced before the first copy.
. "$(dirname "$0")/lib.sh"
[ -z "${SANITIZED:-}" ] || skip "a sanitizer's library wants to be the first"
cat >shim.c <<'C'
/* Before the C library: writes down each sync of a journal or its directory, with what was in it, and fails the one that has
 * the "all copied" line, or the first, as $SYNC_FAILS says. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int seen(int fd)
{
	static char text[1 << 20];
	char link[64], path[4096];
	const char *fails = getenv("SYNC_FAILS");
	struct stat st;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, path, sizeof(path) - 1);
	if (len < 0 || fstat(fd, &st) < 0)
		return 0;
	path[len] = '\0';
	if (!strstr(path, "/journal"))
		return 0;
	ssize_t got = S_ISREG(st.st_mode) ? pread(fd, text, sizeof(text) - 1, 0) : 0;
	text[got < 0 ? 0 : got] = '\0';
	const char *all = strstr(text, " D ");
	int log = open(getenv("SYNC_LOG"), O_WRONLY | O_APPEND | O_CREAT, 0600);
	const char *what = S_ISDIR(st.st_mode) ? "directory" : all ? "all copied" : "file";
	dprintf(log, "%s\n", what);
	close(log);
	if (fails && strcmp(fails, what) == 0) {
		errno = EIO;
		return -1;
	}
	return 0;
}

int fsync(int fd)
{
	int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
	return seen(fd) < 0 ? -1 : next(fd);
}

int fdatasync(int fd)
{
	int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
	return seen(fd) < 0 ? -1 : next(fd);
}
C
cc -shared -fPIC -w -o shim.so shim.c -ldl || skip "no compiler"
start_s3d --bucket=bkt
admin POST "seed?bucket=bkt&prefix=a/&count=30&size=10" >/dev/null
sources=$(keys bkt)
export SYNC_LOG=$WORK/syncs
preloaded() { LD_PRELOAD=$WORK/shim.so "$@"; }
by_command() { preloaded "$FERRYFS" mv -r --quiet s3://bkt/a s3://bkt/b; }
by_mount() {
	LD_PRELOAD=$WORK/shim.so mount_s3 m s3://bkt
	mv -T m/a m/b
	local status=$?
	umount_s3 m
	return $status
}
for way in by_command by_mount; do
	for fails in "all copied" file directory; do
		: >syncs
		admin POST reset >/dev/null
		SYNC_FAILS=$fails refuse $way 2>err
		grep -qx "$fails" syncs || fail "$way never synced '$fails': $(<syncs)"
		equal "sources ($way, $fails)" "$(keys bkt)" "$sources"
		[ "$fails" = "all copied" ] || equal "copies before it ($way, $fails)" "$(requests copy)" 0
		equal "journals ($way, $fails)" "$(ls journal)" ""
	done
	: >syncs
	$way || fail "$way without a fault"
	equal "the last sync before the deletes ($way)" "$(grep -c 'all copied' syncs)" 1
	equal "moved ($way)" "$(keys bkt | sed 's/^b/a/')" "$sources"
	"$FERRYFS" mv -r --quiet s3://bkt/b s3://bkt/a || fail "and back"
done
