#!/bin/bash
# ferryfs recover and mounts settle what a crash left: says what it would do, does it once however many try, leaves alone what
# is another machine's, another account's, or under way; keeps what was changed by hand at either side.
. "$(dirname "$0")/lib.sh"
any_server "who may settle which journal; crash_matrix is what becomes of the objects"
[ -x "${FERRYFS_CRASHING:-}" ] || skip "no program that crashes: make check-cases builds it"
start_s3d --bucket=bkt
words=(--inflight 4 --workers 1 --list-streams 1 --retries 0)

# A move of $1/old to $1/new that died: during the copies, or after the last of them.
crash() { # name, "copying" or "deleting"
	local n
	# The step is found by trying, the first time.
	for ((n = ${step[$2]:-20}; n < 200; n++)); do
		step[$2]=$n
		admin POST "seed?bucket=bkt&prefix=$1/old/&count=12&size=10" >/dev/null
		(FERRYFS_CRASH_AT=$n "$FERRYFS_CRASHING" mv -r --quiet "${words[@]}" s3://bkt/$1/old s3://bkt/$1/new; exit $?) 2>/dev/null
		[ $? = 137 ] || fail "no step left for $1 $2"
		local all=no
		grep -q '^........ D ' journal/*.journal && all=yes
		[ $all = "$([ "$2" = deleting ] && echo yes || echo no)" ] && [ "$(keys bkt $1/new/ | wc -l)" -ge 6 ] && return
		"$FERRYFS" recover -q || fail "recover"
		admin POST "seed?bucket=bkt&prefix=$1/new/&count=0" >/dev/null
		"$FERRYFS" rm -r --quiet s3://bkt/$1 2>/dev/null
	done
	fail "never got to $1 $2"
}
declare -A step=([deleting]=35)
[ "${FERRYFS_REAL:-}" != rgw ] || step[deleting]=20 # Ceph refuses no probe, and the move is shorter
count() { keys bkt "$1/" | wc -l; }

# Says, then does.
crash a copying
refuse "$FERRYFS" recover --dry-run >out
grep -q '^would undo: s3://bkt/a/old/ -> s3://bkt/a/new/' out || fail "$(cat out)"
equal "dry" "$(count a/old)" 12
"$FERRYFS" recover >out 2>err || fail "$(cat out err)"
grep -q '^undone: s3://bkt/a/old/' out || fail "$(cat out)"
grep -q 'recovery: move of s3://bkt/a/old/ to s3://bkt/a/new/: undone' err || fail "$(cat err)"
equal "undone" "$(count a/old) $(count a/new)" "12 0"
"$FERRYFS" recover >out || fail "nothing to do"
equal "nothing" "$(cat out)" ""

crash b deleting
refuse "$FERRYFS" recover --dry-run >out
grep -q '^would finish: s3://bkt/b/old/' out || fail "$(cat out)"
# Two at once: each journal is one's.
"$FERRYFS" recover >out1 2>&1 & pid=$!
"$FERRYFS" recover >out2 2>&1
wait $pid
equal "once" "$(cat out1 out2 | grep -c '^finished')" 1
equal "finished" "$(count b/old) $(count b/new)" "0 12"

# By a mount, which says so in its log.
crash c copying
mount_s3 m s3://bkt
grep -q 'recovery: move of s3://bkt/c/old/ to s3://bkt/c/new/: undone' mount.log || fail "$(cat mount.log)"
equal "undone by a mount" "$(count c/old) $(count c/new)" "12 0"
umount_s3 m

# By hand: all of the new place is gone, so no source goes.
crash d deleting
first=$(keys bkt d/old/ | wc -l)
"$FERRYFS" rm -r --quiet s3://bkt/d/new || fail "rm"
"$FERRYFS" recover >out 2>err
equal "sources whose copy is gone" "$(count d/old)" "$first"
equal "told once" "$(ls journal)" ""

# By hand: the old place is edited.
crash e copying
victim=$(keys bkt e/old/ | head -n 1)
put bkt "$victim" edited-by-hand
"$FERRYFS" recover >out 2>err
equal "edited" "$(object bkt "$victim" | field size)" 14
equal "the others" "$(count e/old)" 12
crash f deleting
victim=$(keys bkt f/old/ | tail -n 1)
if [ -n "$victim" ]; then
	put bkt "$victim" edited-by-hand
	"$FERRYFS" recover >out 2>err
	equal "edited before its delete" "$(object bkt "$victim" | field size)" 14
fi
equal "all copies" "$(count f/new)" 12
# A source that is missing: nothing is undone.
crash g copying
"$FERRYFS" rm --quiet "s3://bkt/$(keys bkt g/old/ | head -n 1)" || fail "rm"
new=$(count g/new)
"$FERRYFS" recover >out 2>err
grep -q '^left at both places' out || fail "$(cat out)"
equal "kept" "$(count g/old) $(count g/new)" "11 $new"

# Not ours: another machine's, another account's, another service's.
crash h copying
before="$(count h/old) $(count h/new)"
AWS_ACCESS_KEY_ID=other AWS_SECRET_ACCESS_KEY=other "$FERRYFS" recover --dry-run --endpoint-url http://127.0.0.1:1 >out
grep -q '^left alone: s3://bkt/h/old/' out || fail "$(cat out)"
# A mount of another service leaves it alone as well, and names it.
if [ -z "${FERRYFS_REAL:-}" ]; then
	first=$ENDPOINT
	start_s3d --bucket=bkt
	mount_s3 m s3://bkt
	grep -q 's3://bkt/h/old/ to s3://bkt/h/new/: left alone' mount.log || fail "$(cat mount.log)"
	umount_s3 m
	export ENDPOINT=$first AWS_ENDPOINT_URL=$first
	equal "left alone" "$(count h/old) $(count h/new)" "$before"
fi
journal=$(ls journal/*.journal)
python3 - "$journal" <<'PY'
import sys
def crc(data):
    c = 0xffffffff
    for b in data:
        c ^= b
        for _ in range(8):
            c = c >> 1 ^ (0x82f63b78 if c & 1 else 0)
    return c ^ 0xffffffff
path = sys.argv[1]
lines = open(path, "rb").read().split(b"\n")
fields = lines[0][9:].split(b" ")
fields[11] = b"another-machine"
lines[0] = b"%08x " % crc(b" ".join(fields)) + b" ".join(fields)
open(path, "wb").write(b"\n".join(lines))
PY
refuse "$FERRYFS" recover >out 2>err
grep -q '^left alone: s3://bkt/h/old/.*another machine' out || fail "$(cat out)"
mount_s3 m s3://bkt
grep -q 's3://bkt/h/old/ to s3://bkt/h/new/: left alone: another machine' mount.log || fail "$(cat mount.log)"
umount_s3 m
equal "left alone" "$(count h/old) $(count h/new)" "$before"
rm "$journal"

# Under way.
admin POST "seed?bucket=bkt&prefix=live/old/&count=200&size=10" >/dev/null
admin POST 'set?latency.copy=50' >/dev/null
"$FERRYFS" mv -r --quiet --inflight 4 s3://bkt/live/old s3://bkt/live/new & pid=$!
begun() { [ -n "$(ls journal)" ] && [ "$(count live/new)" -gt 4 ]; }
until_true 120 begun
"$FERRYFS" recover >out || fail "a live move is nothing to be recovered: $(cat out)"
grep -q '^under way' out || fail "$(cat out)"
wait $pid || fail "the move that was under way failed"
equal "moved" "$(count live/old) $(count live/new)" "0 200"
[ "$(stat_mode() { command stat -c %a "$1"; }; stat_mode journal)" = 700 ] || fail "mode of the directory"
