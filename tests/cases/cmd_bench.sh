#!/bin/bash
# bench runs the five strategies, each over all objects, and prints a row of each.
. "$(dirname "$0")/lib.sh"
any_server "the rows of a table"
start_s3d --seed=src,prefix=x/,count=150,size=10 --bucket=dst --latency=copy=2
"$FERRYFS" bench --threads 4 s3://src/x s3://dst/y >out || fail "bench"
equal "rows" "$(awk '{print $1}' out | tr '\n' ' ')" "strategy serial parallel async async-parallel async-parallel2 "
equal "copies" "$(requests copy)" 750
equal "gets" "$(requests get)" 0
equal "keys" "$(keys dst | wc -l)" 150
admin POST reset >/dev/null
"$FERRYFS" bench --strategy serial --json s3://src/x s3://dst/z >out || fail "one strategy"
equal "one at a time" "$(stat peak.copy)" 1
python3 -c '
import json, sys
r = json.load(open("out"))
assert r["strategy"] == "serial" and r["copied"] == 150 and r["failed"] == 0 and r["peak_bytes"] > 0, r' || fail "JSON"
admin POST reset >/dev/null
"$FERRYFS" bench --strategy parallel --threads 4 s3://src/x s3://dst/z >out || fail "parallel"
[ "$(stat peak.copy)" -le 4 ] || fail "$(stat peak.copy) at once with four threads"
refuse "$FERRYFS" bench s3://src/x s3://nowhere/z >out 2>&1
refuse "$FERRYFS" bench --strategy none s3://src/x s3://dst/z 2>/dev/null
