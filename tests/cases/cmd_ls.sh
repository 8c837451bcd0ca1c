#!/bin/bash
# ls: buckets, one level as aws shows it, a tree; time and size, and with -l class and ETag.
. "$(dirname "$0")/lib.sh"
export TZ=UTC0
start_s3d --bucket=src --bucket=other
for key in a.txt d/b.txt d/c/e.txt dd; do put src "$key" text; done
equal "buckets" "$("$FERRYFS" ls | cut -c21- | tr '\n' ' ')" "other src "
equal "same" "$("$FERRYFS" ls s3://)" "$("$FERRYFS" ls)"
stamp='^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}'
"$FERRYFS" ls s3://src >out || fail "ls"
equal "one level" "$(sed -E "s/$stamp/TIME/" out)" "TIME          4 a.txt
                           PRE d/
TIME          4 dd"
equal "below a prefix" "$("$FERRYFS" ls s3://src/d/ | sed -E "s/$stamp/TIME/")" "TIME          4 b.txt
                           PRE c/"
equal "beginning with" "$("$FERRYFS" ls s3://src/d | sed -E "s/$stamp/TIME/")" "                           PRE d/
TIME          4 dd"
"$FERRYFS" ls -l s3://src/a | grep -Eq "$stamp {10}4 STANDARD {12}$(object src a.txt | field etag | tr -d '"') +a.txt\$" || fail "-l"
equal "--long" "$("$FERRYFS" ls --long s3://src/d/)" "$("$FERRYFS" ls -l s3://src/d/)"
equal "tree" "$("$FERRYFS" ls -r --ordered s3://src | cut -c32- | tr '\n' ' ')" "a.txt d/b.txt d/c/e.txt dd "
equal "json" "$("$FERRYFS" ls --json s3://src/d | python3 -c '
import json, sys
print([(o["type"], o["key"], o.get("size")) for o in map(json.loads, sys.stdin)])')" "[('prefix', 'd/', None), ('object', 'dd', 4)]"
"$FERRYFS" ls s3://src/nothing 2>err
equal "nothing" $? 1
"$FERRYFS" ls s3://other || fail "an empty bucket is no error"
"$FERRYFS" ls s3://missing 2>err
equal "no bucket" $? 1
grep -q NoSuchBucket err || fail "$(cat err)"
