#!/bin/bash
# A destination that answers 403 for some keys: the others are copied, the refused ones listed, exit 1.
. "$(dirname "$0")/lib.sh"
start_s3d --seed=src,prefix=x/,count=300,size=10 --bucket=dst --fault='op=copy,key=*00.txt,action=403:AccessDenied'
"$FERRYFS" cp -r s3://src/x s3://dst/x 2>err
equal "status" $? 1
equal "copied" "$(keys dst | wc -l)" 297
equal "listed" "$(grep -c '^failed: copy: s3://src/x/.*00.txt -> s3://dst/x/.*AccessDenied.* (request id [^)]*)$' err)" 3
grep -q '^copied 297 of 300 objects, .*3 failed' err || fail "summary: $(cat err)"
admin DELETE fault >/dev/null
admin POST fault 'op=copy,action=403:AccessDenied' >/dev/null
"$FERRYFS" cp -r s3://src/x s3://dst/z 2>err
equal "status" $? 1
equal "listed at most" "$(grep -c '^failed: copy' err)" 100
grep -qx 'failed: 200 more' err || fail "the rest is not counted"
