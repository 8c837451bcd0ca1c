#!/usr/bin/env bash
# A refused copy: cp exits 1 and nothing goes through the client instead; the destination is not shown; an old one stays.
. "$(dirname "$0")/lib.sh"
start_s3d
admin POST 'seed?bucket=data&count=0' >/dev/null
put data src.txt source
put data old.txt old
mount_s3 m s3://data
ls m >/dev/null
admin POST fault 'op=copy,action=403:AccessDenied' >/dev/null
admin POST reset >/dev/null
refuse cp m/src.txt m/new.txt 2>err
grep -q 'Permission denied' err || fail "$(cat err)"
refuse ls m/new.txt 2>/dev/null
equal GETs "$(requests get)" 0
equal PUTs "$(requests put)" 0
refuse cp m/src.txt m/old.txt 2>/dev/null
equal "the old one" "$(cat m/old.txt)" old
refuse install m/src.txt m/third.txt 2>/dev/null
grep -q 'copy.*new.txt' mount.log || fail "the log does not name it"
admin DELETE fault >/dev/null
cp m/src.txt m/new.txt || fail "after the fault"
equal content "$(cat m/new.txt)" source
