#!/bin/bash
# While a mount waits for the moves of its account to be recovered, on a server that does not answer, the hub goes on answering
# others: status and umount.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root: a hub is root's"

start_s3d --seed=alpha,prefix=old/,count=12,size=10 --bucket=beta
mount_s3 b s3://beta
mkdir a
MOUNTS+=("$WORK/a")

# a move that died among its copies, some of which are there
admin POST fault 'op=copy,key=new/file000007.txt,action=stall:60000' >/dev/null
"$FERRYFS" mv -r --quiet --retries 0 s3://alpha/old s3://alpha/new 2>/dev/null &
mover=$!
stalled() { [ "$(stat in_flight)" -gt 0 ]; }
copied() { [ "$(keys alpha new/ | wc -l)" -ge 4 ]; }
until_true 120 copied
kill -KILL "$mover"
{ wait "$mover"; } 2>/dev/null
admin DELETE fault >/dev/null
[ -n "$(ls journal)" ] || fail "no journal"

# the copies that it takes back are not answered for
admin POST fault 'op=deletes,action=stall:60000' >/dev/null
admin POST reset >/dev/null
"$FERRYFS" mount -o "staging=$WORK" s3://alpha a 2>err.log &
mount=$!
until_true 120 stalled
for i in 1 2 3; do
	"$FERRYFS" status >out 2>err2.log || fail "status while a mount waits: $(<err2.log)"
done
grep -q "^s3://beta on $WORK/b " out || fail "said: $(<out)"
kill -0 "$mount" || fail "the mount did not wait: nothing was shown"
! mountpoint -q a || fail "shown before the recovery"
# It does not wait for ever, though, and whoever unmounts what looked like the last one does not wait for the hub's end.
"$FERRYFS" umount b || fail "umount while a mount waits"
wait "$mount" || fail "mount: $(<err.log)"
mountpoint -q a || fail "not mounted"
refuse grep -q recovery: mount.log
admin DELETE fault >/dev/null
undone() { grep -q "recovery: move of s3://alpha/old/ to s3://alpha/new/: undone" mount.log; }
until_true 120 undone
equal "undone" "$(keys alpha old/ | wc -l)+$(keys alpha new/ | wc -l)" 12+0

umount_s3 a
until_true 120 no_hub
