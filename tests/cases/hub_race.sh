#!/bin/bash
# First mounts at the same instant end with one hub; a mount that meets a hub that is just leaving gets a fresh one.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root: a hub is root's"

start_s3d --seed=alpha,prefix=dir/,count=3,size=10
for round in 1 2 3; do
	pids=()
	for i in 1 2 3 4 5 6; do
		mkdir -p "m$i"
		MOUNTS+=("$WORK/m$i")
		"$FERRYFS" mount -o "log_file=$WORK/mount.log,staging=$WORK" s3://alpha "m$i" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || fail "a mount failed"
	done
	equal "hubs" "$(hubs | wc -l)" 1
	for i in 1 2 3 4 5 6; do
		equal "files of m$i" "$(ls "m$i/dir" | wc -l)" 3
	done
	# unmounted and mounted again by several at once: whoever comes last finds a hub, or makes one
	pids=()
	for i in 1 2 3 4 5 6; do
		(umount "m$i" && "$FERRYFS" mount -o "log_file=$WORK/mount.log,staging=$WORK" s3://alpha "m$i") &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || fail "a mount failed after an umount"
	done
	for i in 1 2 3 4 5 6; do
		equal "files of m$i" "$(ls "m$i/dir" | wc -l)" 3
		umount "m$i" || fail "umount m$i"
	done
	until_true 120 no_hub
done

# one after the other, each the first and the last
for round in 1 2 3 4 5 6 7 8; do
	"$FERRYFS" mount -o "log_file=$WORK/mount.log,staging=$WORK" s3://alpha m1 || fail "mount in round $round"
	umount m1 || fail "umount in round $round"
done
until_true 120 no_hub
