#!/bin/bash
# 5,000 objects over several pages: one CopyObject each, no GET.
. "$(dirname "$0")/lib.sh"
start_s3d --seed=src,prefix=x/,count=5000,size=100,dirs=7 --bucket=dst
"$FERRYFS" cp -r --quiet s3://src/x s3://dst/x 2>err || fail "cp -r: $(cat err)"
equal "quiet" "$(cat err)" ""
equal "keys" "$(keys dst | md5sum)" "$(keys src | md5sum)"
equal "copies" "$(requests copy)" 5000
equal "gets" "$(requests get)" 0
