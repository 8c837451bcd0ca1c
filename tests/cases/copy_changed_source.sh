#!/usr/bin/env bash
# The source is replaced between open and copy: one of the same size is copied as it is now, another is ESTALE.
. "$(dirname "$0")/lib.sh"
start_s3d
admin POST 'seed?bucket=data&count=0' >/dev/null
put data same.txt aaaa
put data other.txt aaaa
mount_s3 m s3://data -o cache_ttl=60
ls -l m >/dev/null
put data same.txt bbbb
put data other.txt longer
cp m/same.txt m/same.copy || fail "a source of the same size"
equal "what it is now" "$(cat m/same.copy)" bbbb
refuse cp m/other.txt m/other.copy 2>err
grep -q 'Stale' err || fail "$(cat err)"
refuse ls m/other.copy 2>/dev/null
