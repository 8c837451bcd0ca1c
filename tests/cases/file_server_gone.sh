#!/usr/bin/env bash
# The server goes away and comes back: reads and closes fail within bounds meanwhile, and work again afterwards.
. "$(dirname "$0")/lib.sh"
start_s3d
admin POST 'seed?bucket=data&count=0' >/dev/null
put data file.txt content
mount_s3 m s3://data -o retries=1,connect_timeout=2,timeout=5
ls m >/dev/null
kill "${S3D_PIDS[0]}"
wait "${S3D_PIDS[0]}" 2>/dev/null
refuse cat m/file.txt 2>err
grep -qE 'Input/output error|timed out' err || fail "$(cat err)"
refuse bash -c 'set -o pipefail; dd if=/dev/zero of=m/new bs=1 count=9 status=none' 2>err
grep -qE 'Input/output error|timed out' err || fail "$(cat err)"
"$S3D" --port "$S3_PORT" --port-file "$WORK/port.again" --with-parent >>"$WORK/s3d.log" 2>&1 &
S3D_PIDS=($!)
until_true 120 test -s "$WORK/port.again"
admin POST 'seed?bucket=data&count=0' >/dev/null
put data file.txt content
until_true 120 grep -qx content m/file.txt 2>/dev/null
echo back >m/new || fail "write after it is back"
equal "stored" "$(object data new | field size)" 5
