#!/bin/bash
# A move is killed at its n-th step, for n after n until it completes (STEP=1: for every n): journal writes (also torn ones) and completed requests
# are steps.  After each restart it is finished or undone, every object is whole, at its old place or at the new one, and no
# multipart upload and no journal is left.
. "$(dirname "$0")/lib.sh"
[ -x "${FERRYFS_CRASHING:-}" ] || skip "no program that crashes: make check-cases builds it"
mkdir -m 700 "$FERRYFS_JOURNAL"
words=(--inflight 6 --workers 1 --part-threshold 6M --part-size 5M --list-streams 1 --retries 0)

# Key, size and ETag of what is below; one that was copied in parts has another ETag.
below() { admin GET "keys?brief=1&bucket=bkt&prefix=$1/" | awk '{print $1, $2, $1 ~ /large$/ ? "" : $3}' | sed "s|^$1/||" | sort; }
# What the dead process had sent may still be under way: a recovery that comes before its end can't see what it does.
quiet() { admin GET stats | grep -q '"in_flight": *0[,}]'; }
uploads() { admin GET stats | grep -o '"open_uploads": *[0-9]*' | grep -o '[0-9]*$'; }
plant() {
	admin POST "seed?bucket=bkt&prefix=$1/old/&count=24&size=20&dirs=3&depth=2" >/dev/null
	admin POST "sparse?bucket=bkt&key=$1/old/dir0001/large&size=12582912" >/dev/null
	put bkt "$1/old/odd%0a%25%20name" odd
}

check() { # what
	local new old
	old=$(below "$base/old") new=$(below "$base/new")
	equal "uploads left ($1)" "$(uploads)" 0
	equal "journals left ($1)" "$(ls "$FERRYFS_JOURNAL")" ""
	if [ -z "$old" ]; then
		equal "moved ($1)" "$new" "$names"
		finished=$((finished + 1))
	else
		equal "undone: the old place ($1)" "$old" "$names"
		equal "undone: the new place ($1)" "$new" ""
		undone=$((undone + 1))
	fi
}

crashed=0 finished=0 undone=0
matrix() { # mode step
	local mode=$1 step=$2 n status
	for ((n = 1 + ${SEED:-0} % step; ; n += step)); do
		base=$mode$n
		plant "$base"
		names=$(below "$base/old")
		(FERRYFS_CRASH_AT=$n "$FERRYFS_CRASHING" mv -r --quiet "${words[@]}" "s3://bkt/$base/old" "s3://bkt/$base/new"; exit $?) 2>err
		status=$?
		[ "$status" = 137 ] || break
		crashed=$((crashed + 1))
		until_true 120 quiet
		"$FERRYFS" recover >out 2>>err || fail "recover after step $n ($mode): $(cat out err)"
		check "step $n, $mode"
	done
	equal "the whole move ($mode): $(cat err)" "$status" 0
	check "whole, $mode"
	[ "$n" -gt 40 ] || fail "only $n steps"
}

# By a mount: the daemon dies, the next mount settles it before it is there.
mounts() { # step
	local n
	for ((n = 1 + ${SEED:-0} % $1; ; n += $1)); do
		base=mount$n
		plant "$base"
		names=$(below "$base/old")
		FERRYFS=$FERRYFS_CRASHING FERRYFS_CRASH_AT=$n mount_s3 m s3://bkt -o inflight=6,workers=1,part_threshold=6M,part_size=5M,retries=0
		mv "m/$base/old" "m/$base/new" 2>err && break
		umount -l m
		crashed=$((crashed + 1))
		until_true 120 quiet
		mount_s3 m s3://bkt
		check "step $n, mount"
		[ -d "m/$base/old" ] || [ -d "m/$base/new" ] || fail "neither is shown after step $n"
		umount_s3 m
	done
	umount_s3 m
	check "whole, mount"
	[ "$n" -gt 40 ] || fail "only $n steps"
}

start_s3d --bucket=bkt
if [ -n "${FERRYFS_REAL:-}" ]; then # it has its own ways with conditions, and takes a second for a step
	matrix real 5
	mounts 12
	echo "$crashed crashes, $finished finished, $undone undone"
	exit 0
fi
# STEP=1 takes every step; without it every third is taken, from one that SEED chooses, and fewer where each takes seconds.
matrix enforced "${STEP:-3}"
mounts "${STEP:-$([ -n "${SANITIZED:-}" ] && echo 12 || echo 5)}"
admin POST 'set?conditional-copy=0&conditional-delete=0&conditional-put=0' >/dev/null
matrix ignored "${STEP:-7}"
admin POST 'set?conditional-copy=1&conditional-delete=1&conditional-put=1&versioning=1' >/dev/null
matrix versions "${STEP:-9}"
[ "$undone" -gt 5 ] && [ "$finished" -gt 5 ] || fail "$undone undone, $finished finished: one side was not tried"
echo "$crashed crashes, $finished finished, $undone undone"
