#!/usr/bin/env bash
# One mount on the embedded server, alone: plain cp -r, mv and rm -r of a tree, the median of RUNS runs of each.
#
#   RUNS=5  OBJECTS=20000  DIRS=20  LATENCY=30 (ms a request)  OPTIONS="fuse_cpu=none" (of the mount)  FERRYFS, S3D
#   WHAT="mv rm"   rows beside cp -r
#   BIG=1          one run of cp -r of 1,000,000 objects in 1,000 directories (some three minutes), and how many inodes the
#                  kernel still holds then: each is a node of some 250 bytes that the daemon cannot let go of by itself
#
# Less than a minute, so that a change can be tried: make bench has the peers as well (run.sh).  No time is asserted;
# what is wrong at the server is.
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/../cases/lib.sh"
. "$HERE/mounted.sh"

[ -z "${BIG:-}" ] || { OBJECTS=1000000 DIRS=1000 RUNS=1 WHAT=; }
RUNS=${RUNS:-5} OBJECTS=${OBJECTS:-20000} DIRS=${DIRS:-20} LATENCY=${LATENCY:-30} WHAT=${WHAT-mv rm}
RESULTS=$WORK/results.json

wanted() { [[ " $WHAT " == *" $1 "* ]]; }
there() { keys bench "$1" | wc -l; }

say_nodes() {
	kill -USR2 "$PID"
	until_true 60 grep -q 'state: end' "$WORK/mount.log"
	grep -o 'nodes: .*' "$WORK/mount.log" | tail -n 1
}

start_s3d --latency "$LATENCY" --bucket bench
admin POST "seed?bucket=bench&prefix=src/&count=$OBJECTS&size=1024&dirs=$DIRS" >/dev/null
for ((run = 0; run < RUNS; run++)); do
	mount_s3 "$WORK/m" s3://bench ${OPTIONS:+-o "$OPTIONS"}
	PID=$(daemon_of "$WORK/m")
	at=copied$run
	measure "cp -r" cp -r "$WORK/m/src" "$WORK/m/$at"
	equal "objects copied" "$(there "$at/")" "$OBJECTS"
	[ -z "${BIG:-}" ] || say_nodes
	if wanted mv; then
		measure "mv" mv "$WORK/m/$at" "$WORK/m/moved$run"
		equal "objects left by mv" "$(there "$at/")" 0
		at=moved$run
		equal "objects moved" "$(there "$at/")" "$OBJECTS"
	fi
	if wanted rm; then
		measure "rm -r" rm -r "$WORK/m/$at"
		equal "objects left by rm -r" "$(there "$at/")" 0
	fi
	umount_s3 "$WORK/m"
done

show_rows
