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
until_true 10 sh -c 'test "$(date +%s)" -gt '"$(date +%s)"
put src x/dir0000/file000002.txt 0123456789
admin DELETE 'object?bucket=dst&key=y/dir0000/file000000.txt' >/dev/null
put dst y/aaa text
put dst y/zzz text
"$FERRYFS" cp -r --sync -v s3://src/x s3://dst/y >out || fail "some"
equal "copied" "$(sed 's/.* -> //' out | sort | tr '\n' ' ')" \
	"s3://dst/y/dir0000/file000000.txt s3://dst/y/dir0000/file000001.txt s3://dst/y/dir0000/file000002.txt s3://dst/y/new "
equal "keys" "$(keys dst y/ | wc -l)" 2503

put src x/new other
put src x/new2 text
"$FERRYFS" cp -r --if-missing -v s3://src/x s3://dst/y >out || fail "if missing"
equal "if missing" "$(cat out)" "copy: s3://src/x/new2 -> s3://dst/y/new2"
until_true 10 sh -c 'test "$(date +%s)" -gt '"$(date +%s)"
put src x/new third
"$FERRYFS" cp -r --if-newer -v s3://src/x s3://dst/y >out || fail "if newer"
equal "if newer" "$(cat out)" "copy: s3://src/x/new -> s3://dst/y/new"
"$FERRYFS" cp -r --sync s3://src/x s3://nobucket/y 2>err && fail "no bucket"
"$FERRYFS" cp -r --sync s3://src/none s3://dst/y 2>err
equal "empty source" $? 1
