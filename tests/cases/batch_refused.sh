# One object that is refused, the first, one in the middle, the very last: the tool exits non-zero, the log names it, it
# is not shown (or shown again, after rm), and every other object is right.
. "$(dirname "$0")/lib.sh"
start_s3d --latency=5 --bucket=bkt --seed=bkt,prefix=src,count=60,size=100,dirs=3 --seed=bkt,prefix=other,count=60,size=100,dirs=3
mount_s3 m s3://bkt
mkdir from to
mount --bind m from || skip "no right to bind-mount"
MOUNTS+=("$WORK/from")
all=$(keys bkt src/ | sed 's|^src/||')
first=$(head -n1 <<<"$all") middle=$(sed -n 31p <<<"$all") last=$(tail -n1 <<<"$all")

# what TOOL... with the key of one object refused; WHERE is the tree that it makes or leaves.
check_copy() {
	local what=$1 refused=$2 where=$3
	shift 3
	: >mount.log
	admin POST fault "op=copy,key=$where/$refused,action=403:AccessDenied" >/dev/null
	refuse "$@" 2>err
	admin DELETE fault >/dev/null
	grep -q "$where/$refused" mount.log || fail "$what: the log does not name $refused"
	[ ! -e "m/$where/$refused" ] || fail "$what: $refused is shown"
	equal "$what, $refused: the others" "$(keys bkt "$where/" | sed "s|^$where/||")" "$(grep -vxF "$refused" <<<"$all")"
	[ -z "$(ls "m/$where/$(dirname "$refused")" | grep -xF "$(basename "$refused")")" ] || fail "$what: $refused is listed"
}

n=0
for refused in "$first" "$middle" "$last"; do
	n=$((n + 1))
	check_copy "cp -r" "$refused" "r$n" cp -r m/src "m/r$n"
	check_copy "cp -a" "$refused" "a$n" cp -a m/src "m/a$n"
	# mv between mounts of one file system copies, then removes: nothing is removed when a copy failed.
	check_copy "mv" "$refused" "v$n" mv from/src "m/v$n"
	equal "mv, $refused: the source" "$(keys bkt src/ | sed 's|^src/||')" "$all"

	cp -r m/src "m/rm$n" || fail "cp"
	: >mount.log
	admin POST fault "op=deletes-key,key=rm$n/$refused,action=403:AccessDenied" >/dev/null
	admin POST fault "op=delete,key=rm$n/$refused,action=403:AccessDenied" >/dev/null
	refuse rm -r "m/rm$n" 2>err
	grep -q "rm$n/$refused" mount.log || fail "rm -r: the log does not name $refused"
	equal "rm -r, $refused: what is left" "$(keys bkt "rm$n/")" "rm$n/$refused"
	equal "rm -r, $refused: what is shown" "$(cd m && find "rm$n" -type f)" "rm$n/$refused"
	refuse rm -rf "m/rm$n" 2>err
	admin DELETE fault >/dev/null
	rm -rf "m/rm$n" || fail "rm -rf without a fault"
	equal "rm -rf: what is left" "$(keys bkt "rm$n/")" ""
done
