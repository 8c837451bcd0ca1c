#!/usr/bin/env bash
# kill -USR2 writes what the daemon knows and has under way to the log, also while requests hang, and changes nothing.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=data
put data dir/one text
mount_s3 m s3://data
cat m/dir/one >/dev/null
pid=$(daemon_of m)
exec 5>m/new
admin POST fault 'op=put,nth=1,action=stall' >/dev/null
admin POST reset >/dev/null
# The shell closes its copy of the descriptor: that hangs.
printf secretly >&5 &
writer=$!
until_true 10 eval '[ "$(requests put)" = 1 ]'
ends() { [ "$(grep -c 'state: end' mount.log)" -ge "$1" ]; }
kill -USR2 "$pid"
until_true 10 ends 1
for what in 'nodes: 1 buckets' 'handles: 1, 1 of them write' 'claims: 1;' 'batches:' 'drafts: 1, 1 dirty, 0 loading, 1 storing' \
	'draft of data/new: data, storing, dirty, waited for, 8 bytes' 'engine: 1 active'; do
	grep -qF "state: $what" mount.log || fail "no '$what' in $(grep state: mount.log)"
done
grep -q testsecret mount.log && fail "the secret key is in the log"
admin DELETE fault >/dev/null
wait "$writer"
exec 5>&-
kill -USR2 "$pid"
until_true 10 ends 2
equal "stored" "$(object data new | field size)" 8
equal "still there" "$(cat m/dir/one)" text
umount_s3 m
