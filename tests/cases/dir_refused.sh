#!/bin/bash
# A listing that S3 refuses, or that breaks off midway, is an error and a line in the log, never a short directory.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket bkt
admin POST 'seed?bucket=bkt&prefix=d/&count=3500&size=1' >/dev/null
mount_s3 m s3://bkt
admin POST fault 'op=list,nth=4,action=403:AccessDenied' >/dev/null
refuse ls m/d >list 2>err
grep -q 'Permission denied' err || fail "$(cat err)"
[ "$(wc -l <list)" -lt 3500 ] || fail "the refused page was never needed"
grep -q AccessDenied mount.log || fail "not in the log"
admin DELETE fault >/dev/null
equal "again" "$(ls m/d | wc -l)" 3500
admin POST fault 'op=list,action=garbage' >/dev/null
refuse ls m/d >/dev/null 2>&1
admin DELETE fault >/dev/null
equal "and again" "$(ls m/d | wc -l)" 3500
