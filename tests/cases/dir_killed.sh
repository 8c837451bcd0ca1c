#!/bin/bash
# A caller that is killed while S3 does not answer goes at once; one that is merely stopped gets its answer.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket bkt
put bkt d/x 1
mount_s3 m s3://bkt
ls m/d >/dev/null
gone() { ! kill -0 "$1" 2>/dev/null; }
admin POST fault 'op=read,action=stall' >/dev/null
stalled() { [ "$(admin GET fault | python3 -c 'import json,sys; print(sum(f.get("fired", 0) for f in json.load(sys.stdin)))')" -ge "$1" ]; }
ls m/d >/dev/null 2>&1 &
pid=$!
until_true 120 stalled 1
kill -9 $pid
until_true 120 gone $pid
command stat m/unknown >/dev/null 2>&1 &
pid=$!
until_true 120 stalled 2
kill -TERM $pid
until_true 120 gone $pid
ls m/d >out 2>&1 &
pid=$!
until_true 120 stalled 4
kill -STOP $pid
kill -CONT $pid
admin DELETE fault >/dev/null
wait $pid || fail "a stopped ls failed: $(cat out)"
equal "listed" "$(cat out)" x
