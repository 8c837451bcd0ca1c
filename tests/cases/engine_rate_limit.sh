#!/usr/bin/env bash
# A server that allows 2,000 copies a second and refuses the rest with 503 SlowDown: everything arrives, nothing is
# told as failed, and what was refused is a small share.  (How near to 2,000 a second it gets, `make bench` prints.)
. "$(dirname "$0")/lib.sh"
start_s3d --rate=copy=2000 --latency=10 --seed=data,prefix=x,count=6000,size=10,dirs=3 --bucket=other
"$FERRYFS" cp -r s3://data/x/ s3://other/y/ >out 2>err || { cat out err; fail "cp -r"; }
equal "what arrived" "$(keys other y/ | wc -l)" "$(keys data x/ | wc -l)"
equal "what it says of failures" "$(grep -c failed out err)" "$(printf 'out:0\nerr:0')"
sent=$(requests copy)
wanted=$(keys data x/ | wc -l)
echo "$sent copies sent for $wanted objects"
# Refusals are what it goes by, so there are some; a window that ignored them would meet thousands.
[ "$sent" -lt $((wanted + wanted / 2)) ] || fail "$sent requests for $wanted objects"

# One that allows a hundred a second: three at a time, which whole numbers do not meet.
start_s3d --rate=copy=100 --latency=30 --seed=data,prefix=x,count=400,size=10,dirs=3 --bucket=other
"$FERRYFS" cp -r s3://data/x/ s3://other/y/ >out 2>err || { cat out err; fail "cp -r, slowly"; }
equal "what arrived slowly" "$(keys other y/ | wc -l)" "$(keys data x/ | wc -l)"
sent=$(requests copy)
wanted=$(keys data x/ | wc -l)
echo "$sent copies sent for $wanted objects"
[ "$sent" -lt $((wanted + wanted / 2)) ] || fail "$sent requests for $wanted objects at 100 a second"
