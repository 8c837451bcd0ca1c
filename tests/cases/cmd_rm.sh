#!/bin/bash
# rm removes one object, which must exist; rm -r a prefix at its slash, 1,000 keys a request.
. "$(dirname "$0")/lib.sh"
start_s3d --seed=src,prefix=x/,count=2500,size=10,dirs=3
put src xy text
put src x text
"$FERRYFS" rm s3://src/xy || fail "one"
"$FERRYFS" rm s3://src/xy 2>err
equal "missing" $? 1
grep -q 'no such object: s3://src/xy' err || fail "$(cat err)"
"$FERRYFS" rm -r s3://src/x 2>err || fail "tree"
grep -q '^removed 2500 objects' err || fail "summary: $(cat err)"
equal "left" "$(keys src)" "x"
equal "single deletes" "$(requests delete)" 1
[ "$(requests deletes)" -le 8 ] || fail "$(requests deletes) DeleteObjects for 2,500 keys"
refuse "$FERRYFS" rm s3://src 2>/dev/null
