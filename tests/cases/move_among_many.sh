#!/bin/bash
# A few objects that are moved to where there are many: what is between them is not listed, neither before the sources go, nor
# when the move is undone, nor in a recovery.  Where the many are between all of them, each key is found all the same.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=src --bucket=dst --seed=dst,prefix=y/,count=60000,size=1
one=(--workers 1 --list-streams 1 --inflight 4)
names=(a file010000.txt0 file025000.txtÿ file040000.txt- 'file059999.txt 1' zz)
few() { for name in "${names[@]}"; do put src "x/$(printf %s "$name" | sed 's/ÿ/%C3%BF/; s/ /%20/')" text; done; }
lists() { # MOST WHAT: requests since the last reset
	local now
	now=$(requests list)
	[ "$now" -le "$1" ] || fail "$2: $now lists"
	admin POST reset >/dev/null
}
few
admin POST reset >/dev/null
"$FERRYFS" mv -r -q s3://src/x s3://dst/y 2>err || fail "mv: $(cat err)"
lists 25 "mv"
equal "source" "$(keys src)" ""
equal "destination" "$(keys dst y/ | wc -l)" 60006

# Killed before the deletes: recovery looks at both sides, and finds all.
few
admin POST fault 'op=deletes,action=stall' >/dev/null
before=$(requests deletes)
"$FERRYFS" mv -r -q "${one[@]}" s3://src/x s3://dst/y 2>err &
pid=$!
until_true 120 eval '[ "$(requests deletes)" -gt $before ]'
kill -9 $pid
wait $pid 2>/dev/null
admin DELETE fault >/dev/null
admin POST reset >/dev/null
"$FERRYFS" recover -q 2>err || fail "recover: $(cat err)"
lists 25 "recover"
equal "source, recovered" "$(keys src)" ""

# Every 700th of many: a page has some of them, or a jump finds the next.
for i in $(seq 0 700 5600); do put src "$(printf 'x/file%06d.txt' "$i")" text; done
"$FERRYFS" mv -r -q s3://src/x s3://dst/y 2>err || fail "mv: $(cat err)"
equal "source, spread" "$(keys src)" ""
equal "destination, spread" "$(keys dst y/ | wc -l)" 60006
