#!/bin/bash
# Ctrl-C: nothing new is begun, what was done is said, exit 130; a move that has not begun to delete keeps its sources.
. "$(dirname "$0")/lib.sh"
start_s3d --seed=src,prefix=x/,count=4000,size=10,dirs=4 --bucket=dst --latency=copy=300
started() { [ "$(requests copy)" -ge "$1" ]; }
set -m
for words in "cp -r" "mv -r" "cp -r --sync"; do
	admin POST reset >/dev/null
	"$FERRYFS" $words --inflight 20 s3://src/x s3://dst/y 2>err &
	pid=$!
	until_true 120 started 21
	kill -INT $pid
	kill -INT $pid
	wait $pid
	equal "status of $words" $? 130
	grep -q '^interrupted: ' err || fail "$words: $(cat err)"
	refuse grep -q '^failed' err
	equal "$words: nothing lost" "$(keys src | wc -l)" 4000
	[ "$(requests copy)" -lt 4000 ] || fail "$words went on to the end"
	equal "$words: nothing deleted" "$(requests delete) $(requests deletes)" "0 0"
done

# One object, and a server that does not answer: it ends as well.
admin POST 'fault' 'op=head,action=stall' >/dev/null
"$FERRYFS" cp s3://src/x/dir0000/file000000.txt s3://dst/one 2>err &
pid=$!
until_true 120 sh -c "curl -s $ENDPOINT/_s3d/stats | python3 -c 'import json,sys; sys.exit(json.load(sys.stdin)[\"requests\"].get(\"head\",0) < 1)'"
kill -TERM $pid
wait $pid
equal "status of one" $? 130
