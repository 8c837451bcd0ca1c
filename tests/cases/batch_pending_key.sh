#!/usr/bin/env bash
# While cp -r's copies are pending others write, rename, copy and remove the same names: each waits for its own key, and a rename of a source whose pending copy fails leaves it.
. "$(dirname "$0")/lib.sh"
[ -z "${FERRYFS_REAL:-}" ] || skip "which call waits for which is the daemon's alone"
start_s3d --bucket=bkt --seed=bkt,prefix=src,count=12,size=50 --seed=bkt,prefix=other,count=12,size=60
mount_s3 m s3://bkt -o retries=0,cache_ttl=600
ls m/src m/other >/dev/null
name() { printf 'file%06d.txt' "$1"; }
# pending DST CONDITION: cp -r into it is under way, and comes that far; its copies take a while.
pending() {
	admin POST 'set?latency.copy=2500' >/dev/null
	cp -r m/src "m/$1" 2>"$1.err" &
	copier=$!
	until_true 120 "$2"
	admin POST 'set?latency.copy=0' >/dev/null
}
all_asked() { [ "$(stat now.copy)" = 12 ]; }
stalled() { admin GET fault | grep -q '"fired": [1-9]'; }

# A write, a rename, a second copy and an unlink at pending names: all take effect after the copy, none is lost.
pending a all_asked
[ "$(keys bkt a/ | wc -l)" -eq 0 ] || fail "they were not pending"
echo written >m/a/$(name 0) & p0=$!
mv m/a/$(name 1) m/a/renamed & p1=$!
cp m/other/$(name 2) m/a/$(name 2) & p2=$!
rm m/a/$(name 3) & p3=$!
mv m/src/$(name 4) m/src/away & p4=$!
rm m/src/$(name 5) & p5=$!
echo changed >m/src/$(name 6) & p6=$!
for p in $p0 $p1 $p2 $p3 $p4 $p5 $p6; do wait "$p" || fail "one of them"; done
wait "$copier" || fail "cp -r: $(cat a.err)"
equal "written" "$(cat m/a/$(name 0))" written
equal "renamed" "$(object bkt a/renamed | field etag)" "$(object bkt src/$(name 1) | field etag)"
cmp m/a/$(name 2) m/other/$(name 2) || fail "the first copy won"
equal "names" "$(keys bkt a/ | sed 's|^a/||' | tr '\n' ' ')" \
	"$(for i in 0 2 4 5 6 7 8 9 10 11; do name $i; echo -n ' '; done)renamed "
equal "sources" "$(keys bkt src/ | sed 's|^src/||' | tr '\n' ' ')" "away $(for i in 0 1 2 3 6 7 8 9 10 11; do name $i; echo -n ' '; done)"
equal "what was copied of a changed source" "$(object bkt a/$(name 6) | field size)" 50
equal "the changed source" "$(cat m/src/$(name 6))" changed

# A pending copy fails: whoever moves or removes its source fails too, and the source stays.  (One after the other: the
# kernel lets only one of them into a directory at a time.)
for i in 4 5; do cp m/other/$(name $i) m/src/ || fail cp; done
rm m/src/away
for what in mv rm; do
	source=m/src/$(name 1)
	admin POST fault "op=copy,key=$what/$(name 1),action=stall:700" >/dev/null
	pending $what stalled
	if [ $what = mv ]; then mv "$source" m/src/gone 2>/dev/null & else rm "$source" 2>/dev/null & fi
	other=$!
	refuse wait "$other"
	refuse wait "$copier"
	admin DELETE fault >/dev/null
	[ -e "$source" ] && [ -n "$(keys bkt src/$(name 1))" ] || fail "$what: the source is gone, and it has no copy"
	[ ! -e m/src/gone ] || fail "$what: moved"
	[ ! -e m/$what/$(name 1) ] || fail "$what: a copy that failed is shown"
done
