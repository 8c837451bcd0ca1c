#!/bin/bash
# --sync: a listing that fails ends it with exit 1; a copy that fails does not stop the others.
. "$(dirname "$0")/lib.sh"
start_s3d --seed=src,prefix=x/,count=3000,size=10 --bucket=dst --fault='op=copy,key=*000.txt,action=403:AccessDenied'
"$FERRYFS" cp -r --sync s3://src/x s3://dst/y 2>err
equal "status" $? 1
equal "copied" "$(keys dst | wc -l)" 2997
equal "listed" "$(grep -c '^failed: copy: ' err)" 3
admin DELETE fault >/dev/null
admin POST fault 'op=list,bucket=dst,action=403:AccessDenied' >/dev/null
admin POST reset >/dev/null
"$FERRYFS" cp -r --sync s3://src/x s3://dst/z 2>err
equal "status without the destination's listing" $? 1
equal "no copies in the dark" "$(keys dst z/ | wc -l)" 0
grep -q 'AccessDenied' err || fail "$(cat err)"
