#!/bin/bash
# A process that was stopped (Ctrl-Z, a laptop's lid) for longer than the time-out takes the answers that came meanwhile: no
# request is sent twice.
. "$(dirname "$0")/lib.sh"
[ -z "${FERRYFS_REAL:-}" ] || skip "counts requests of the embedded server"
start_s3d --seed=src,prefix=x/,count=3000,size=10 --bucket=dst --latency=copy=300
"$FERRYFS" cp -r --timeout 10 s3://src/x s3://dst/y >out 2>err &
pid=$!
started() { [ "$(requests copy)" -ge 600 ]; }
until_true 120 started
kill -STOP $pid
before=$(awk '{print $1 + 13}' /proc/uptime)
paused() { awk -v end="$before" '{exit !($1 >= end)}' /proc/uptime; }
until_true 120 paused
kill -CONT $pid
wait $pid || fail "status $?: $(cat err)"
equal "copied" "$(keys dst y/ | wc -l)" 3000
! grep -q retried err || fail "asked again: $(cat err)"
equal "copies" "$(requests copy)" 3000
