#!/bin/bash
# SIGTERM ends a hub: what was accepted is stored first, what could not be is reported, and no mount of it is left.
. "$(dirname "$0")/lib.sh"
any_server "how a hub ends"
[ "$(id -u)" = 0 ] || skip "needs root: a hub is root's"

start_s3d --seed=alpha,prefix=dir/,count=50,size=10 --bucket=beta
gone() { ! readlink "/proc/$1/exe" >/dev/null; }
mount_s3 a s3://alpha
mount_s3 b s3://beta
mkdir a/dir/inside
mount_s3 a/dir/inside s3://beta/more
pid=$(daemon_of a)
cp -r a/dir b/ || fail cp
echo text >b/last
kill -TERM "$pid"
until_true 120 gone "$pid"
for dir in a b; do
	! mountpoint -q $dir || fail "$dir is still mounted"
done
until_true 120 no_hub
equal "stored" "$(keys beta last)" last
equal "copied" "$(keys beta dir/f | wc -l)" 50
[ -z "$(ls -A "$FERRYFS_RUN_DIR" | grep -v '\.lock$')" ] || fail "left behind: $(ls -A "$FERRYFS_RUN_DIR")"

# one that does not get an answer is cut off after a while, and said
mount_s3 a s3://alpha -o retries=0,timeout=120
pid=$(daemon_of a)
admin POST fault "op=put,action=stall:60000" >/dev/null
(echo more >a/stuck) 2>/dev/null &
stalled() { [ "$(stat in_flight)" -gt 0 ]; }
until_true 120 stalled
kill -TERM "$pid"
until_true 120 gone "$pid"
wait $!
admin DELETE fault >/dev/null
grep -q "cut off" mount.log || fail "not said: $(<mount.log)"
grep -q "stuck" mount.log || fail "the key is not named: $(<mount.log)"
! mountpoint -q a || fail "still mounted"
