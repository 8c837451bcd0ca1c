# Law 2: a source goes only after its copy.  cp -r && rm -r with one in a hundred refused: every
# object is at the old place, the new one, or both.
. "$(dirname "$0")/lib.sh"
start_s3d --latency=10 --bucket=bkt
for i in 1 2 3; do admin POST "seed?bucket=bkt&prefix=src$i&count=500&size=20&dirs=5" >/dev/null; done
mount_s3 m s3://bkt
cd m
check() {
	local want got
	want=$(printf '%s\n' "$all" | sort)
	got=$({ keys bkt "src$1/" | sed "s|^src$1/||"; keys bkt "dst$1/" | sed "s|^dst$1/||"; } | sort -u)
	equal "$2: all objects" "$got" "$want"
}
all=$(keys bkt src1/ | sed 's|^src1/||')

admin POST fault "op=copy,share=0.01,seed=7,action=403:AccessDenied" >/dev/null
cp -r src1 dst1 2>/dev/null && rm -r src1
check 1 "cp && rm"
equal "what cp could not copy" "$(keys bkt src1/ | wc -l)" 500

# While a copy is under way its source can't go, and when the copy fails it stays.
admin POST "set?latency.copy=8000" >/dev/null
admin POST reset >/dev/null
admin POST fault "op=copy,key=two/*,action=403:AccessDenied" >/dev/null
mkdir two
cp -r src2/dir0000 two/ 2>/dev/null &
pid=$!
copying() { [ "$(stat now.copy)" -ge 1 ]; }
until_true 120 copying
refuse rm src2/dir0000/file000000.txt 2>/dev/null
[ -e src2/dir0000/file000000.txt ] || fail "the source is gone, its copy was refused"
wait "$pid" && fail "cp succeeded"
admin DELETE fault >/dev/null
admin POST "set?latency.copy=10" >/dev/null
admin POST fault "op=deletes-key,share=0.01,seed=9,action=403:AccessDenied" >/dev/null
cp -r src3 dst3 || fail cp
refuse rm -r src3 2>/dev/null
check 3 "rm with refusals"
[ "$(keys bkt dst3/ | wc -l)" = 500 ] || fail "the copy is not whole"
