#!/bin/bash
# A killed mv of a directory is undone while nothing was deleted; a stopped and continued one goes on.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket bkt --latency copy=20
admin POST 'seed?bucket=bkt&prefix=d/&count=3000&size=10' >/dev/null
mount_s3 m s3://bkt -o inflight=8
before=$(keys bkt)
mv m/d m/new &
pid=$!
copied() { [ "$(requests copy)" -ge "$1" ]; }
until_true 120 copied 50
kill -9 $pid
wait $pid 2>/dev/null
same() { [ "$(keys bkt)" = "$before" ]; }
until_true 120 same
[ "$(requests copy)" -lt 3000 ] || fail "the kill came too late to show anything"
equal "shown" "$(ls m)" d
equal "files" "$(ls m/d | wc -l)" 3000
admin POST reset >/dev/null
admin POST 'set?latency.copy=1' >/dev/null
mv m/d m/new &
pid=$!
until_true 120 copied 50
kill -STOP $pid
kill -CONT $pid
wait $pid || fail "a stopped mv failed"
equal "moved" "$(keys bkt new/ | wc -l)" 3000
equal "source" "$(keys bkt d/)" ""
