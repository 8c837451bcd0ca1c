#!/bin/bash
# Ctrl-C while objects are copied in parts: exit 130, what was done is said, and no upload is left open.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=src --bucket=dst --latency=copy-part=200
for i in 1 2 3 4 5 6; do admin POST "sparse?bucket=src&key=x/$i&size=536870912" >/dev/null; done
started() { [ "$(requests copy-part)" -ge 9 ]; }
open_uploads() { admin GET 'uploads?bucket=dst' | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))'; }
set -m
for words in "cp -r" "mv -r" "cp -r --sync"; do
	admin POST reset >/dev/null
	"$FERRYFS" $words --inflight 4 --part-threshold 8M --part-size 8M s3://src/x s3://dst/y 2>err &
	pid=$!
	until_true 120 started
	[ "$(open_uploads)" -ge 1 ] || fail "$words: nothing is under way"
	kill -INT $pid
	wait $pid
	equal "status of $words" $? 130
	grep -Eq '^interrupted: (copied|moved) [0-9]+ of [0-9]+' err || fail "$words: $(cat err)"
	equal "$words: open uploads" "$(open_uploads)" 0
	equal "$words: sources" "$(keys src | wc -l)" 6
	[ "$(requests copy-part)" -lt 384 ] || fail "$words went on to the end"
done
