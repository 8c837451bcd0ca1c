#!/usr/bin/env bash
# A mount with ro takes no change: EROFS; names and keys that are too long are refused before any request.
. "$(dirname "$0")/lib.sh"
start_s3d
admin POST 'seed?bucket=data&count=0' >/dev/null
put data f.txt x
mount_s3 m s3://data -o ro
refuse bash -c 'echo y >m/new' 2>err
grep -q 'Read-only' err || fail "$(cat err)"
refuse bash -c 'echo y >>m/f.txt' 2>/dev/null
equal content "$(cat m/f.txt)" x
mount_s3 w s3://data
refuse touch "w/$(printf 'n%.0s' {1..256})" 2>err
grep -q 'too long' err || fail "$(cat err)"
