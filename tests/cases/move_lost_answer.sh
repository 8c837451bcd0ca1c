#!/bin/bash
# One answer that is lost undoes no move: what the lost attempt made is known by its size and time where ETags tell nothing
# (uploaded in parts), whatever the difference between the clocks.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=src --bucket=dst --bucket=bkt
for ahead in 30 -30; do
	admin POST "set?clock-ahead=$ahead" >/dev/null
	for i in 1 2 3 4 5 6; do
		put src "plain/f$i" "text-$i"
	done
	admin POST "sparse?bucket=src&key=x/zero&size=12000000" >/dev/null
	for i in 1 2 3; do
		"$FERRYFS" cp -q --part-threshold 5M --part-size 5M s3://src/x/zero "s3://src/parts/f$i" || fail "parts"
	done
	object src parts/f1 | field etag | grep -q -- - || fail "not in parts"
	for from in plain parts; do
		count=$(keys src $from/ | wc -l)
		# Not the first of them, which is asked in other ways.
		admin POST fault "op=copy,key=to/*f2,nth=1,action=reset-after" >/dev/null
		"$FERRYFS" mv -r -q s3://src/$from s3://dst/to 2>err || fail "$ahead, $from: $(cat err)"
		admin DELETE fault >/dev/null
		equal "$ahead, $from: moved" "$(keys src $from/ | wc -l) $(keys dst to/ | wc -l)" "0 $count"
		equal "$ahead, $from: journal" "$(ls journal)" ""
		"$FERRYFS" rm -r -q s3://dst/to || fail rm
	done
done
admin POST "set?clock-ahead=0" >/dev/null

# On a mount: a directory, and a single file.
"$FERRYFS" cp -q --part-threshold 5M --part-size 5M s3://src/x/zero s3://bkt/d/one || fail "parts"
"$FERRYFS" cp -q s3://bkt/d/one s3://bkt/d/two || fail "parts"
mount_s3 m s3://bkt
admin POST fault "op=copy,key=e/one,nth=1,action=reset-after" >/dev/null
mv m/d m/e || fail "mv of a directory"
admin POST fault "op=copy,key=e/three,nth=1,action=reset-after" >/dev/null
mv m/e/one m/e/three || fail "mv of a file"
equal "on a mount" "$(keys bkt | tr '\n' ' ')" "e/three e/two "
