#!/bin/bash
# kill -9 of a hub: its mounts are dead and named with what clears them; a new mount starts a new hub beside what is left.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root: a hub is root's"

start_s3d --seed=alpha,prefix=dir/,count=3,size=10 --bucket=beta
mount_s3 a s3://alpha
mount_s3 b s3://beta
mkdir c
gone() { ! readlink "/proc/$1/exe" >/dev/null; }
pid=$(daemon_of a)
home=$(hubs | cut -d' ' -f2)
kill -KILL "$pid"
until_true 20 gone "$pid"
refuse ls a/dir >/dev/null 2>&1

# at the place of a dead one: what to do about it
refuse "$FERRYFS" mount s3://alpha a 2>err.log
grep -q "a mount whose daemon is gone is still there; 'ferryfs umount a' clears it" err.log || fail "said: $(<err.log)"

# elsewhere: a hub of its own, and the dead one's hidden mount is cleared away
mount_s3 c s3://alpha
equal "files" "$(ls c/dir | wc -l)" 3
[ "$(daemon_of c)" != "$pid" ] || fail "the same daemon"
equal "hubs" "$(hubs | wc -l)" 1
[ ! -e "$home" ] || fail "left behind: $home"

# the dead ones are replaced without umount -l
umount_s3 a
mount_s3 a s3://alpha
equal "one hub again" "$(daemon_of a)" "$(daemon_of c)"
umount_s3 b
mount_s3 b s3://beta
cp -r a/dir b/ || fail "cp after all"
equal "copied" "$(keys beta | wc -l)" 3

# a socket file that leads nowhere does not matter
umount_s3 a
umount_s3 b
umount_s3 c
until_true 20 no_hub
python3 -c 'import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])' "$FERRYFS_RUN_DIR/hub-$(command stat -Lc %i /proc/self/ns/mnt).sock"
mount_s3 a s3://alpha
equal "files" "$(ls a/dir | wc -l)" 3
