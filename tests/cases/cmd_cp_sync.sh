#!/bin/bash
# --sync copies what differs, --if-missing what is not there, --if-newer what is newer.
. "$(dirname "$0")/lib.sh"
start_s3d --seed=src,prefix=x/,count=2500,size=10,dirs=3 --bucket=dst
"$FERRYFS" cp -r --sync s3://src/x s3://dst/y || fail "all"
equal "keys" "$(keys dst y/ | wc -l)" 2500
admin POST reset >/dev/null
"$FERRYFS" cp -r --sync s3://src/x s3://dst/y 2>err || fail "nothing"
equal "copies of nothing" "$(requests copy)" 0
grep -q '2500 skipped' err || fail "summary: $(cat err)"

# A new one, one of another size, one of another content and a later time, one gone at the destination,
# and two more at the destination that are nobody's business.
put src x/new text
put src x/dir0000/file000001.txt longer-than-ten-bytes
until_true 120 sh -c 'test "$(date +%s)" -gt '"$(date +%s)"
put src x/dir0000/file000002.txt 0123456789
admin DELETE 'object?bucket=dst&key=y/dir0000/file000000.txt' >/dev/null
put dst y/aaa text
put dst y/zzz text
"$FERRYFS" cp -r --sync -v s3://src/x s3://dst/y >out || fail "some"
equal "copied" "$(sed 's/.* -> //' out | sort | tr '\n' ' ')" \
	"s3://dst/y/dir0000/file000000.txt s3://dst/y/dir0000/file000001.txt s3://dst/y/dir0000/file000002.txt s3://dst/y/new "
equal "keys" "$(keys dst y/ | wc -l)" 2503

# Equal size, another content, and the destination is the younger one: the ETags decide.  Those of what is encrypted with KMS are
# no MD5s, and the times decide as they do for objects in parts.  (Real servers here have no KMS.)
put src x/same 0123456789
"$FERRYFS" cp -q s3://src/x/same s3://src/kms/other || fail "other"
until_true 120 sh -c 'test "$(date +%s)" -gt '"$(date +%s)"
put src x/same 9876543210
put dst y/same abcdefghij
[ -n "${FERRYFS_REAL:-}" ] || {
	put src x/sealed 9876543210
	"$FERRYFS" cp -q --sse aws:kms s3://src/kms/other s3://dst/y/sealed || fail "sealed"
}
"$FERRYFS" rm -r -q s3://src/kms || fail "rm"
"$FERRYFS" cp -r --sync --dry-run -v s3://src/x s3://dst/y >out || fail "other content, dry run"
equal "other content, dry run" "$(cat out)" "(dry run) copy: s3://src/x/same -> s3://dst/y/same"
"$FERRYFS" cp -r --sync -v s3://src/x s3://dst/y >out || fail "other content"
equal "other content" "$(cat out)" "copy: s3://src/x/same -> s3://dst/y/same"
equal "its content" "$(object dst y/same | field etag)" "$(object src x/same | field etag)"
# Who may not look at them is told nothing new: the times decide.
until_true 120 sh -c 'test "$(date +%s)" -gt '"$(date +%s)"
put dst y/same abcdefghij
admin POST fault 'op=head,action=403:AccessDenied' >/dev/null
"$FERRYFS" cp -r --sync -v s3://src/x s3://dst/y >out || fail "denied"
equal "denied" "$(cat out)" ""
admin DELETE fault >/dev/null
admin POST fault 'op=head,action=400:InvalidArgument' >/dev/null
refuse "$FERRYFS" cp -r --sync -v s3://src/x s3://dst/y >out 2>err
grep -q '^failed: copy: s3://src/x/same' err || fail "$(cat err)"
admin DELETE fault >/dev/null
"$FERRYFS" cp -r --sync -q s3://src/x s3://dst/y || fail "at the end"

put src x/new other
put src x/new2 text
"$FERRYFS" cp -r --if-missing -v s3://src/x s3://dst/y >out || fail "if missing"
equal "if missing" "$(cat out)" "copy: s3://src/x/new2 -> s3://dst/y/new2"
until_true 120 sh -c 'test "$(date +%s)" -gt '"$(date +%s)"
put src x/new third
"$FERRYFS" cp -r --if-newer -v s3://src/x s3://dst/y >out || fail "if newer"
equal "if newer" "$(cat out)" "copy: s3://src/x/new -> s3://dst/y/new"
"$FERRYFS" cp -r --sync s3://src/x s3://nobucket/y 2>err && fail "no bucket"
"$FERRYFS" cp -r --sync s3://src/none s3://dst/y 2>err
equal "empty source" $? 1
