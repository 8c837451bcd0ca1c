#!/usr/bin/env bash
# cp -r and mv between two mounts beside the same inside one: as fast, with no object byte through this machine.
#
#   RUNS=3  OBJECTS=10000  DIRS=10  LATENCY=30 (ms a request)  FERRYFS, S3D
#   RESULTS=FILE   every single run as a line of JSON, as measure.py writes it (table "mounts")
#
# The two take turns, so that a noisy minute is both's.  Needs root: a hub is root's.  No time is asserted; what is wrong at the
# server is.
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
RESULTS=${RESULTS:+$(readlink -f "$RESULTS")}
. "$HERE/../cases/lib.sh"
. "$HERE/mounted.sh"
[ "$(id -u)" = 0 ] || skip "needs root: a hub is root's"

RUNS=${RUNS:-3} OBJECTS=${OBJECTS:-10000} DIRS=${DIRS:-10} LATENCY=${LATENCY:-30}
RESULTS=${RESULTS:-$WORK/results.json}

there() { keys "$1" "$2" | wc -l; }

start_s3d --latency "$LATENCY" --bucket one --bucket two
admin POST "seed?bucket=one&prefix=src/&count=$OBJECTS&size=1024&dirs=$DIRS" >/dev/null
for ((run = 0; run < RUNS; run++)); do
	mount_s3 "$WORK/one" s3://one
	mount_s3 "$WORK/two" s3://two
	PID=$(daemon_of "$WORK/one")
	admin POST reset >/dev/null
	measure "cp -r, inside one mount" cp -r "$WORK/one/src" "$WORK/one/copy$run"
	equal "objects copied inside one" "$(there one "copy$run/")" "$OBJECTS"
	measure "cp -r, to another mount" cp -r "$WORK/one/src" "$WORK/two/copy$run"
	equal "objects copied to another" "$(there two "copy$run/")" "$OBJECTS"
	measure "mv, to another mount" mv "$WORK/one/copy$run" "$WORK/two/moved$run"
	equal "objects moved to another" "$(there two "moved$run/")+$(there one "copy$run/")" "$OBJECTS+0"
	equal "object bytes" "$(stat object_bytes_in)+$(stat object_bytes_out)" 0+0
	umount_s3 "$WORK/one"
	umount_s3 "$WORK/two"
done

show_rows
