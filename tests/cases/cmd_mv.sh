#!/bin/bash
# mv of one object and of a tree: copies, then deletes; no byte passes.
. "$(dirname "$0")/lib.sh"
start_s3d --seed=src,prefix=x/,count=2500,size=10,dirs=3 --bucket=dst
put src one text
"$FERRYFS" mv s3://src/one s3://dst/sub/ || fail "one"
equal "one is there" "$(keys dst)" "sub/one"
before=$(keys src | md5sum)
"$FERRYFS" mv -r s3://src/x s3://dst/x 2>err || fail "tree: $(cat err)"
grep -q '^moved 2500 objects' err || fail "summary: $(cat err)"
equal "source" "$(keys src | wc -l)" 0
equal "destination" "$(keys dst x/ | md5sum)" "$before"
equal "gets" "$(requests get)" 0
