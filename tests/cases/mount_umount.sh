#!/bin/bash
# umount waits for the daemon, says what is in use, and clears a dead mount; a signal ends a mount like an unmount.
. "$(dirname "$0")/lib.sh"
any_server "how a mount ends"

start_s3d --seed=alpha,count=5,size=3
daemon() { daemon_of "$WORK/m"; }
gone() { ! readlink "/proc/$1/exe" >/dev/null; } # a zombie, where nobody reaps orphans, has ended too
[ "$(id -u)" = 0 ] || skip "needs root: a hub is root's"

# in use, then not; when umount is back the process is gone
mount_s3 m s3://alpha
pid=$(daemon)
kill -0 "$pid" || fail "no daemon"
equal "its directory" "$(readlink "/proc/$pid/cwd")" /
equal "its terminal" "$(readlink "/proc/$pid/fd/0")$(readlink "/proc/$pid/fd/2")" /dev/null/dev/null
(cd m && refuse "$FERRYFS" umount "$WORK/m" 2>"$WORK/err.log")
grep -q "in use" err.log || fail "said: $(<err.log)"
mountpoint -q m || fail "unmounted though in use"
umount_s3 m
gone "$pid" || fail "the daemon is still there"
[ -z "$(grep -ls "^$pid\$" "$FERRYFS_RUN_DIR"/* 2>/dev/null)" ] || fail "its runtime file is still there"

# not ours, not mounted, not there
refuse "$FERRYFS" umount m 2>err.log
grep -q "nothing is mounted there" err.log || fail "said: $(<err.log)"
refuse "$FERRYFS" umount /proc 2>err.log
grep -q "not a ferryfs mount" err.log || fail "said: $(<err.log)"
refuse "$FERRYFS" umount none 2>err.log
grep -q "No such file" err.log || fail "said: $(<err.log)"
"$FERRYFS" umount 2>err.log
equal "status of umount without words" $? 2

# plain umount works too
mount_s3 m s3://alpha
pid=$(daemon)
umount m || fail "plain umount"
until_true 120 gone "$pid"

# signals
for signal in TERM INT HUP; do
	mount_s3 m s3://alpha
	pid=$(daemon)
	ls m >/dev/null || fail "ls"
	kill -"$signal" "$pid"
	until_true 120 gone "$pid"
	! mountpoint -q m || fail "still mounted after SIG$signal"
done

# a request under way is waited for, but not for long, before a signal ends it
mount_s3 m s3://alpha -o retries=0,timeout=60
pid=$(daemon)
admin POST fault "op=any,action=stall:30000" >/dev/null
ls -l m/some >/dev/null 2>&1 &
stalled() { [ "$(stat in_flight)" -gt 0 ]; }
until_true 120 stalled
kill -TERM "$pid"
until_true 120 gone "$pid"
wait $!
admin DELETE fault >/dev/null
! mountpoint -q m || fail "still mounted"
grep -q "they are cut off" mount.log || fail "not logged: $(<mount.log)"

# kill -9 leaves a dead mount: cleared by umount, or replaced by the next one
mount_s3 m s3://alpha
pid=$(daemon)
kill -KILL "$pid"
until_true 120 gone "$pid"
refuse ls m 2>/dev/null
umount_s3 m
mount_s3 m s3://alpha
pid=$(daemon)
kill -KILL "$pid"
until_true 120 gone "$pid"
"$FERRYFS" mount -o "staging=$WORK" s3://alpha m || fail "mount on a dead mount"
equal "files" "$(ls m | wc -l)" 5
umount_s3 m

# in the foreground it logs to the terminal and ends by a signal with 0
"$FERRYFS" mount -f -o log_level=info s3://alpha m 2>fg.log &
pid=$!
until_true 120 mountpoint -q m
ls m >/dev/null || fail "ls"
kill -TERM "$pid"
wait "$pid"
equal "status of a foreground mount" $? 0
grep -q "mounted s3://alpha" fg.log || fail "log: $(<fg.log)"
