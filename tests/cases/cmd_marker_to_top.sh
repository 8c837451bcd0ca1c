#!/bin/bash
# The marker of a prefix that goes to the top of a bucket: no key is left for it there.  cp leaves it out, mv deletes it with the
# other sources, also after a crash; a move that is undone leaves it; an object of that key that has content stays, and is told.
. "$(dirname "$0")/lib.sh"
buckets=(--bucket=src)
for name in copy sync missing move undo killed content first; do buckets+=(--bucket=$name); done
start_s3d "${buckets[@]}"
one=(--workers 1 --list-streams 1 --inflight 4)
tree() { # a marker, and three objects
	put src x/ ''
	for i in 1 2 3; do put src x/$i text; done
}
all=$'x/\nx/1\nx/2\nx/3'
there=$'1\n2\n3'
tree

"$FERRYFS" cp -r s3://src/x s3://copy 2>err || fail "cp: $(cat err)"
grep -q '^copied 3 of 4 objects.* 1 skipped' err || fail "cp: $(cat err)"
"$FERRYFS" cp -r --sync s3://src/x s3://sync 2>err || fail "sync: $(cat err)"
"$FERRYFS" cp -r --sync s3://src/x s3://sync 2>err || fail "sync again: $(cat err)"
grep -q '4 skipped' err || fail "sync again: $(cat err)"
"$FERRYFS" cp -r --if-missing s3://src/x s3://missing 2>err || fail "if-missing: $(cat err)"
"$FERRYFS" mv -r -v --dry-run s3://src/x s3://move >out 2>err || fail "dry run: $(cat err)"
grep -Fxq '(dry run) move: s3://src/x/' out || fail "dry run: $(cat out)"
equal "source" "$(keys src)" "$all"
"$FERRYFS" mv -r s3://src/x s3://move 2>err || fail "mv: $(cat err)"
grep -q '^moved 4 objects' err || fail "mv: $(cat err)"
for bucket in copy sync missing move; do equal "$bucket" "$(keys $bucket)" "$there"; done
equal "source after mv" "$(keys src)" ""

# The marker alone; and within one bucket.
put src x/ ''
"$FERRYFS" mv -r -q s3://src/x s3://move || fail "a marker alone"
equal "a marker alone" "$(keys src)" ""
tree
"$FERRYFS" mv -r -q s3://src/x s3://src || fail "within one bucket"
equal "within one bucket" "$(keys src)" "$there"
"$FERRYFS" rm -r -q s3://src || fail rm
tree

# One copy is refused: nothing has gone, and no word of the marker.
admin POST fault 'op=copy,key=3,action=403:AccessDenied' >/dev/null
refuse "$FERRYFS" mv -r "${one[@]}" s3://src/x s3://undo 2>err
admin DELETE fault >/dev/null
equal "refused" "$(grep -c '^failed: ' err)" 1
equal "refused, source" "$(keys src)" "$all"

# Killed while copying, and while deleting: recover undoes, and finishes.
cut_off() { # FAULT CONDITION
	admin POST fault "$1" >/dev/null
	"$FERRYFS" mv -r -q "${one[@]}" s3://src/x s3://killed 2>err &
	local pid=$!
	until_true 120 eval "$2"
	kill -9 $pid
	wait $pid 2>/dev/null
	admin DELETE fault >/dev/null
	"$FERRYFS" recover >out 2>err || fail "$1: $(cat out err)"
	equal "$1: journal" "$(ls journal)" ""
}
cut_off 'op=copy,key=3,action=stall' '[ "$(keys killed | wc -l)" -ge 2 ]'
equal "undone, source" "$(keys src)" "$all"
before=$(requests deletes)
cut_off 'op=deletes,action=stall' '[ "$(requests deletes)" -gt $before ]'
equal "finished" "$(keys src)" ""
equal "finished, destination" "$(keys killed | tail -n 3)" "$there"

# With content it is no marker.
tree
put src x/ precious
refuse "$FERRYFS" cp -r s3://src/x s3://content 2>err
grep -q '^failed: copy: s3://src/x/: it has content' err || fail "$(cat err)"
equal "cp with content" "$(keys content)" "$there"
refuse "$FERRYFS" cp -r --sync s3://src/x s3://first 2>err
grep -q '^failed: copy: s3://src/x/: it has content' err || fail "$(cat err)"
refuse "$FERRYFS" mv -r s3://src/x s3://content/ 2>err
grep -q '^failed: copy: s3://src/x/: it has content' err || fail "$(cat err)"
equal "mv with content" "$(keys src)" "$all"
