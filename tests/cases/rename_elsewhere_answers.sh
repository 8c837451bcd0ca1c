#!/bin/bash
# While a long rename runs, the rest of the mount answers.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket bkt --latency copy=50
admin POST 'seed?bucket=bkt&prefix=d/&count=400&size=10' >/dev/null
put bkt elsewhere/x 1
mount_s3 m s3://bkt -o inflight=16
ls m/elsewhere >/dev/null
mkdir m/d2
mv m/d m/new &
pid=$!
copied() { [ "$(requests copy)" -ge 10 ]; }
until_true 120 copied
equal "elsewhere" "$(ls m/elsewhere)" x
mkdir m/elsewhere/made || fail mkdir
kill -0 $pid 2>/dev/null || fail "the rename had ended: nothing was shown"
wait $pid || fail mv
equal "moved" "$(keys bkt new/ | wc -l)" 400
