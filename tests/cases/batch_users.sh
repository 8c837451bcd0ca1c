#!/bin/bash
# Two users at once, each with copies, moves and removals of the same names' trees: each exit status is its own truth, and a
# refusal that meets one is never told to the other.
. "$(dirname "$0")/lib.sh"
any_server "whose exit status is whose"
[ "$(id -u)" = 0 ] && command -v setpriv >/dev/null || skip "needs root, and setpriv"
start_s3d --latency=5 --bucket=bkt --seed=bkt,prefix=src,count=200,size=50,dirs=4
chmod 711 "$WORK"
mkdir -m 700 staging
mount_s3 m s3://bkt -o "allow_other,umask=000,staging=$WORK/staging"
as() {
	local user=$1
	shift
	setpriv --reuid "$user" --regid "$user" --clear-groups "$@"
}
want=$(keys bkt src/ | sed 's|^src/||')
below() { keys bkt "$1/" | sed "s|^$1/||"; }

# user NAME UID ROUNDS WANTED: what its processes exit with
user() {
	local n
	for ((n = 0; n < $3; n++)); do
		as "$2" cp -r m/src "m/$1$n" 2>/dev/null
		echo "cp $?"
		as "$2" mv "m/$1$n" "m/$1-moved$n" 2>/dev/null
		echo "mv $?"
		as "$2" rm -r "m/$1-moved$n" 2>/dev/null
		echo "rm $?"
	done
}
admin POST fault 'op=copy,key=bad*/*1.txt,action=403:AccessDenied' >/dev/null
user good 1001 6 >good.out &
good=$!
user bad 1002 6 >bad.out &
bad=$!
# Both read what the other makes.
as 1003 sh -c 'for i in 1 2 3 4 5 6; do find m -type f -exec cat {} + >/dev/null 2>&1; done' &
reader=$!
wait "$good" "$bad"
wait "$reader"
equal "the one" "$(sort good.out | uniq -c | xargs)" "6 cp 0 6 mv 0 6 rm 0"
equal "the other's cp" "$(grep -c 'cp 1' bad.out)" 6
admin DELETE fault >/dev/null
equal "the source" "$(below src)" "$want"
equal "left of the one" "$(keys bkt good)" ""

# One copies what the other has just copied, while a third directory is renamed.
as 1001 cp -r m/src m/one || fail cp
as 1002 cp -r m/one m/two &
two=$!
as 1001 mv m/src m/three || fail mv
wait "$two" || fail "cp of the other"
equal "two" "$(below two)" "$want"
equal "three" "$(below three)" "$want"
