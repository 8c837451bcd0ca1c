#!/bin/bash
# While credentials are held nobody but root may look into the process or have a core of it, be it a command's or a mount's
# daemon; --dumpable and -o dumpable allow it.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root to become another user"
[ -z "${SANITIZED:-}" ] || skip "LeakSanitizer has to look into the process itself"
start_s3d --seed=src,prefix=x/,count=20,size=10 --bucket=dst
chmod 711 "$WORK"
mkdir -m 0700 user
install -m 755 "$FERRYFS" program
chown 65534:65534 user
stalls() { [ "$(stat suspended)" -gt 0 ]; }
# The owner of a process's files in /proc is root where it is not dumpable (proc(5)).
owner() { command stat -c %u "/proc/$1/environ"; }
another_user() { exec env -u FERRYFS_RUN_DIR FERRYFS_JOURNAL="$WORK/user/journal" HOME="$WORK/user" TMPDIR="$WORK/user" setpriv --reuid 65534 \
	--regid 65534 --clear-groups --inh-caps=-all "$@"; }
for words in "" --dumpable; do
	admin POST fault 'op=copy,action=stall' >/dev/null
	another_user "$WORK/program" cp -r --retries 0 $words s3://src/x s3://dst/y 2>err &
	pid=$!
	until_true 120 stalls
	equal "who may look into cp $words" "$(owner $pid)" "$([ -z "$words" ] && echo 0 || echo 65534)"
	kill -KILL $pid
	wait $pid 2>/dev/null
	admin DELETE fault >/dev/null
	still() { [ "$(stat suspended)" = 0 ]; }
	until_true 120 still
done

[ -u "$(command -v fusermount3)" ] && [ -c /dev/fuse ] || skip "no mounts by others here"
mode=$(command stat -c %a /dev/fuse)
trap 'ended=$?; chmod "$mode" /dev/fuse; (exit "$ended"); cleanup' EXIT
chmod 666 /dev/fuse || skip "/dev/fuse cannot be opened to others"
mkdir user/m
chown 65534:65534 user/m
for option in rw dumpable; do
	(another_user "$WORK/program" mount -f -o "$option,log=$WORK/user/log" s3://dst "$WORK/user/m") 2>mount.err &
	pid=$!
	MOUNTS+=("$WORK/user/m")
	until_true 120 grep -q " $WORK/user/m " /proc/self/mountinfo
	equal "who may look into a mount with $option" "$(owner $pid)" "$([ "$option" = rw ] && echo 0 || echo 65534)"
	umount "$WORK/user/m" || fail "umount: $(<mount.err)"
	wait $pid 2>/dev/null
done
