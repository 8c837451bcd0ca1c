#!/usr/bin/env bash
# rm -r of directories that have no marker: each goes with its last object, but rm, which removes it a moment later, finds it.
. "$(dirname "$0")/lib.sh"
any_server "what rm finds after its last unlink"
start_s3d --bucket=data
mount_s3 m s3://data -o cache_ttl=0
for round in 1 2 3; do
	path=r$round
	for ((i = 0; i < 60; i++)); do
		path+=/d
		put data "$path/file" x
	done
	rm -r "m/r$round" || fail "rm -r"
	equal "left" "$(keys data)" ""
done
umount_s3 m
