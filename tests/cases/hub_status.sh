#!/bin/bash
# ferryfs status: the views, what is under way, what went wrong of late.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root: a hub is root's"

refuse "$FERRYFS" status 2>err.log
grep -q "no hub runs" err.log || fail "said: $(<err.log)"
start_s3d --seed=alpha,prefix=dir/,count=3,size=10 --bucket=beta
mount_s3 a s3://alpha
mount_s3 b s3://beta/part -o ro
"$FERRYFS" status >out || fail status
grep -q "s3://alpha on $WORK/a " out || fail "said: $(<out)"
grep -q "s3://beta/part on $WORK/b (read only" out || fail "said: $(<out)"
"$FERRYFS" status b >out || fail "status of one"
! grep -q "s3://alpha on" out || fail "said: $(<out)"
mkdir none
refuse "$FERRYFS" status none >/dev/null 2>err.log
grep -q "no mount of yours is served there" err.log || fail "said: $(<err.log)"

"$FERRYFS" status --json >json || fail "status --json"
equal "views" "$(field views <json | python3 -c 'import json, sys; print(sorted(v["source"] for v in json.load(sys.stdin)))')" "['s3://alpha', 's3://beta/part']"
equal "pid" "$(field hub.pid <json)" "$(daemon_of a)"
! grep -q testsecret json out || fail "a secret was printed"

# a move under way, and what went wrong
admin POST fault "op=copy,action=stall:30000" >/dev/null
mv a/dir a/other 2>/dev/null & pid=$! # until_true's own waiting changes $!
moving() { "$FERRYFS" status | grep -q "moving s3://alpha/dir/ to s3://alpha/other/"; }
until_true 120 moving
admin DELETE fault >/dev/null
kill "$pid"
wait "$pid" 2>/dev/null
admin POST fault "op=head,action=403:AccessDenied" >/dev/null
admin POST fault "op=list,action=403:AccessDenied" >/dev/null
refuse ls b/secret/thing 2>/dev/null
admin DELETE fault >/dev/null
"$FERRYFS" status >out
grep -q "failures of late" out && grep -q "beta/part/secret" out || fail "said: $(<out)"

# a cp -r under way: what it was promised
admin POST "seed?bucket=alpha&prefix=many/&count=300&size=10" >/dev/null
admin POST fault "op=copy,from=50,action=stall:30000" >/dev/null
cp -r a/many a/copied 2>/dev/null & pid=$!
copying() { "$FERRYFS" status >out && grep -qE "^cp \(process $pid\): [0-9]+ operations done, [1-9][0-9]* promised" out; }
until_true 120 copying
"$FERRYFS" status --json | python3 -c 'import json, sys; batch, = json.load(sys.stdin)["work"]["batches"]; assert batch["tool"] == "cp" and batch["promised"] > 0, batch' || fail "said: $("$FERRYFS" status --json)"
kill "$pid"
admin DELETE fault >/dev/null
wait "$pid" 2>/dev/null

# --watch ends when the hub does
"$FERRYFS" status --watch >watched &
watcher=$!
seen() { [ "$(grep -c ^hub: watched)" -ge 2 ]; }
until_true 120 seen
umount_s3 a
umount_s3 b
wait "$watcher" || fail "status --watch ended with $?"
