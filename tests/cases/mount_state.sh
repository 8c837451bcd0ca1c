#!/usr/bin/env bash
# kill -USR2 writes what the daemon knows and has under way to the log, also while requests hang, and changes nothing.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=data
put data dir/one text
mount_s3 m s3://data
cat m/dir/one >/dev/null
pid=$(daemon_of m)
admin POST fault 'op=put,action=stall' >/dev/null
# One process, one descriptor: its close hangs until the fault ends.
python3 -c 'open("m/new", "w").write("secretly")' &
writer=$!
ends() { [ "$(grep -c 'state: end' mount.log)" -ge "$1" ]; }
asked=0
stores() {
	kill -USR2 "$pid"
	asked=$((asked + 1))
	until_true 120 ends "$asked"
	grep -q 'data/new: data, storing' mount.log
}
until_true 120 stores
for what in 'nodes: 1 buckets' 'handles: 1, 1 of them write' 'claims: 1;' 'batches:' 'drafts: 1, 1 dirty, 0 loading, 1 storing' \
	'draft of data/new: data, storing, dirty, waited for, 8 bytes' 'engine: 1 active'; do
	grep -qF "state: $what" mount.log || fail "no '$what' in $(grep state: mount.log)"
done
grep -q testsecret mount.log && fail "the secret key is in the log"
admin DELETE fault >/dev/null
wait "$writer"
kill -USR2 "$pid"
until_true 120 ends $((asked + 1))
equal "stored" "$(object data new | field size)" 8
equal "still there" "$(cat m/dir/one)" text
umount_s3 m
