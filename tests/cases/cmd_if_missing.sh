#!/bin/bash
# --if-missing: an object that appears at the destination after it was listed is not overwritten, and counts as skipped.
. "$(dirname "$0")/lib.sh"
[ "${FERRYFS_REAL:-}" != rgw ] || skip "Ceph ignores If-None-Match on a copy"
start_s3d --seed=src,prefix=x/,count=30,size=10 --bucket=dst
name=$(keys src x/ | sed -n 20p)
admin POST hook "when=copy,nth=5,do=put,bucket=dst,key=y/${name#x/},text=theirs" >/dev/null
"$FERRYFS" cp -r --inflight 1 --if-missing s3://src/x s3://dst/y 2>err || fail "exit status $?: $(cat err)"
equal "theirs" "$(object dst "y/${name#x/}" | field size)" 6
equal "keys" "$(keys dst y/ | wc -l)" 30
grep -q '1 skipped' err || fail "summary: $(cat err)"
# One that can't be copied for another reason is still a failure.
admin DELETE "object?bucket=dst&key=y/${name#x/}" >/dev/null
admin POST fault 'op=copy,action=403:AccessDenied' >/dev/null
refuse "$FERRYFS" cp -r --if-missing s3://src/x s3://dst/y
