#!/bin/bash
# ls -r of 20,000 keys: each exactly once, by several listings at once and by one in order.
. "$(dirname "$0")/lib.sh"
start_s3d --seed=src,prefix=x/,count=20000,size=1,dirs=9
"$FERRYFS" ls -r s3://src | cut -c32- >any || fail "ls -r"
equal "any order" "$(sort any | md5sum)" "$(keys src | md5sum)"
"$FERRYFS" ls -r --ordered s3://src | cut -c32- >ordered || fail "--ordered"
equal "in order" "$(md5sum <ordered)" "$(keys src | md5sum)"
"$FERRYFS" ls -r s3://src | head -n 1 >out
equal "a reader that leaves" "${PIPESTATUS[1]} $(wc -l <out)" "0 1"
