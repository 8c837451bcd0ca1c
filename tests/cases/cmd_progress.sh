#!/bin/bash
# A terminal gets a line that is rewritten; what is no terminal does not.
. "$(dirname "$0")/lib.sh"
any_server "what a terminal shows"
command -v script >/dev/null || skip "no script(1) to make a terminal"
script -qec true /dev/null >/dev/null 2>&1 </dev/null || skip "script(1) can make no terminal here"
start_s3d --seed=src,prefix=x/,count=60,size=10 --bucket=dst --latency=copy=200
COLUMNS=60 script -qec "'$FERRYFS' cp -r --inflight 5 s3://src/x s3://dst/x" /dev/null >out </dev/null || fail "cp"
tr '\r' '\n' <out | grep -Eq '^copying: [0-9]+ of 60\+? objects, [0-9]+/s' || fail "no progress: $(cat -v out)"
[ "$(tr '\r' '\n' <out | grep '^copying' | sed 's/\x1b\[K.*//' | wc -L)" -le 59 ] || fail "wider than COLUMNS"
grep -q 'copied 60 objects' out || fail "no summary"
"$FERRYFS" cp -r --inflight 5 s3://src/x s3://dst/y 2>err >out || fail "cp without a terminal"
equal "lines without a terminal" "$(wc -l <err) $(wc -c <out)" "1 0"
