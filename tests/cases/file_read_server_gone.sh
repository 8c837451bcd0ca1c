#!/usr/bin/env bash
# A server that answers nothing but errors: the read fails within bounds, and works again when the server is back.
. "$(dirname "$0")/lib.sh"
start_s3d
admin POST 'seed?bucket=data&count=0' >/dev/null
put data file.txt content
mount_s3 m s3://data -o retries=1
ls m >/dev/null
admin POST fault 'op=get,action=reset' >/dev/null
refuse cat m/file.txt 2>err
grep -qE 'Input/output error|timed out' err || fail "$(cat err)"
grep -q 'read.*file.txt' mount.log || fail "the log does not name the object"
admin DELETE fault >/dev/null
equal "when it is back" "$(cat m/file.txt)" content
