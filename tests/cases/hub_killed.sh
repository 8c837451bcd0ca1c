#!/bin/bash
# kill -9 of a hub: a new mount at the same place replaces the dead one by itself and names the others with what clears them.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root: a hub is root's"

start_s3d --seed=alpha,prefix=dir/,count=3,size=10 --bucket=beta
mount_s3 a s3://alpha
mount_s3 b s3://beta
# mountpoint(1) asks the mount itself, and of a dead one the kernel remembers an answer for cache_ttl only.
listed() { grep -q " $WORK/$1 " /proc/self/mountinfo; }
gone() { ! readlink "/proc/$1/exe" >/dev/null; }
pid=$(daemon_of a)
home=$(hubs | cut -d' ' -f2)
(cd a && exec 3<dir && cd ../b && exec sleep 1000) &
inside=$!
stands() { [ "$(readlink "/proc/$inside/cwd")" = "$WORK/b" ]; }
until_true 120 stands
kill -KILL "$pid"
until_true 120 gone "$pid"
refuse ls a/dir >/dev/null 2>&1

# a service that does not answer: nothing is shown in its place, so nothing is taken away
refuse "$FERRYFS" mount --retries=0 --endpoint-url http://127.0.0.1:1 s3://alpha a 2>/dev/null
listed a || fail "the dead one went, for nothing"

# elsewhere: a hub of its own, the dead one's hidden mount is cleared away, and what is left is named
mkdir -p c
MOUNTS+=("$WORK/c")
"$FERRYFS" mount -o "log_file=$WORK/mount.log,staging=$WORK" s3://alpha c 2>err.log || fail "mount: $(<err.log)"
equal "files" "$(ls c/dir | wc -l)" 3
[ "$(daemon_of c)" != "$pid" ] || fail "the same daemon"
equal "hubs" "$(hubs | wc -l)" 1
[ ! -e "$home" ] || fail "left behind: $home"
for dir in a b; do
	grep -q "a mount whose daemon is gone is still at $WORK/$dir; 'ferryfs umount $WORK/$dir' clears it" err.log || fail "said: $(<err.log)"
done
equal "lines said" "$(wc -l <err.log)" 2

# inside a dead one nothing can be mounted: what is in the way is named
refuse "$FERRYFS" mount s3://beta a/dir 2>err.log
grep -q "the daemon of the mount on $WORK/a is gone; 'ferryfs umount $WORK/a' clears it" err.log || fail "said: $(<err.log)"

# at the place of a dead one, though a process still has a file there: replaced, by several at once only once
MOUNTS+=("$WORK/a")
"$FERRYFS" mount -o "staging=$WORK" s3://alpha a 2>err.log &
other=$!
"$FERRYFS" mount -o "staging=$WORK" s3://alpha a 2>err2.log
first=$?
wait "$other"
equal "of two at once one is told" "$(((first != 0) + ($? != 0)))" 1
grep -q "still at $WORK/b" err.log && grep -q "already mounted" err.log err2.log || fail "said: $(cat err.log err2.log)"
equal "mounted once" "$(grep -c " $WORK/a " /proc/self/mountinfo)" 1
equal "one hub again" "$(daemon_of a)" "$(daemon_of c)"

# cleared by the command that was named, then mounted anew
"$FERRYFS" umount b || fail "umount of a dead one in use"
! listed b || fail "still there"
mount_s3 b s3://beta 2>err.log
[ ! -s err.log ] || fail "said: $(<err.log)"
cp -r a/dir b/ || fail "cp after all"
equal "copied" "$(keys beta | wc -l)" 3
kill "$inside"
wait "$inside" 2>/dev/null

# something that lives inside a dead one: left alone, named
mkdir c/dir/live
mount -t tmpfs none c/dir/live || fail "mount -t tmpfs"
pid=$(daemon_of a)
kill -KILL "$pid"
until_true 120 gone "$pid"
refuse "$FERRYFS" mount s3://alpha c 2>err.log
grep -q "$WORK/c/dir/live is mounted inside it; 'umount -l $WORK/c' clears both" err.log || fail "said: $(<err.log)"
grep -q " $WORK/c/dir/live " /proc/self/mountinfo || fail "the inner one went"
umount -l c
anew() { "$FERRYFS" mount -o "log_file=$WORK/mount.log,staging=$WORK" "${@:3}" "$2" "$1" 2>err.log || fail "mount on $1: $(<err.log)"; }
anew a s3://alpha
anew b s3://beta
anew c s3://alpha
rmdir c/dir/live || fail rmdir
equal "files" "$(ls a/dir | wc -l)" 3

# one with a daemon of its own
umount_s3 b
mount_s3 b s3://beta -o hub=no
pid=$(daemon_of b)
kill -KILL "$pid"
until_true 120 gone "$pid"
anew b s3://beta -o hub=no
equal "files" "$(ls b/dir | wc -l)" 3
equal "mounted once" "$(grep -c " $WORK/b " /proc/self/mountinfo)" 1

# a socket file that leads nowhere does not matter
umount_s3 a
umount_s3 b
umount_s3 c
until_true 120 no_hub
python3 -c 'import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])' "$FERRYFS_RUN_DIR/hub-$(command stat -Lc %i /proc/self/ns/mnt).sock"
mount_s3 a s3://alpha
equal "files" "$(ls a/dir | wc -l)" 3
