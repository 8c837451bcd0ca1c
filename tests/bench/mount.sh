#!/usr/bin/env bash
# One mount on the embedded server, alone: plain cp -r, mv and rm -r of a tree, the median of RUNS runs of each.
#
#   RUNS=5  OBJECTS=20000  DIRS=20  LATENCY=30 (ms a request)  OPTIONS="fuse_cpu=none" (of the mount)  FERRYFS, S3D
#   WHAT="mv rm"   rows beside cp -r
#
# Less than a minute, so that a change can be tried: make bench has the peers as well (run.sh).  No time is asserted;
# what is wrong at the server is.
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/../cases/lib.sh"

RUNS=${RUNS:-5} OBJECTS=${OBJECTS:-20000} DIRS=${DIRS:-20} LATENCY=${LATENCY:-30} WHAT=${WHAT-mv rm}
RESULTS=$WORK/results.json

measure() { # WHAT CMD ...
	local what=$1
	shift
	python3 "$HERE/measure.py" --into "$RESULTS" --label "mounts/$what/ferryfs" --objects "$OBJECTS" --server "$ENDPOINT" \
		--daemon "$PID" --log "$WORK/tool.log" -- "$@" || fail "$what: exit status $?"
}
wanted() { [[ " $WHAT " == *" $1 "* ]]; }
there() { keys bench "$1" | wc -l; }

start_s3d --latency "$LATENCY" --bucket bench
admin POST "seed?bucket=bench&prefix=src/&count=$OBJECTS&size=1024&dirs=$DIRS" >/dev/null
for ((run = 0; run < RUNS; run++)); do
	mount_s3 "$WORK/m" s3://bench ${OPTIONS:+-o "$OPTIONS"}
	PID=$(daemon_of "$WORK/m")
	at=copied$run
	measure "cp -r" cp -r "$WORK/m/src" "$WORK/m/$at"
	equal "objects copied" "$(there "$at/")" "$OBJECTS"
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

python3 - "$RESULTS" <<'PYTHON'
import json, statistics, sys

rows = {}
for line in open(sys.argv[1]):
    result = json.loads(line)
    rows.setdefault(result["what"], []).append(result)
print(f"{'':8}{'objects/s':>10}  {'(each run)':34}{'tool':>7}{'daemon':>8}{'server':>8}{'others':>8}"
      f"{'requests':>10}{'bytes':>7}{'in flight':>11}{'MB':>7}")
print(f"{'':54}{'µs CPU an object':>23}{'%':>8}{'an object':>10}")
for what, runs in rows.items():
    middle = lambda value: statistics.median(map(value, runs))
    speeds = [r["objects"] / r["seconds"] for r in runs]
    cost = lambda name: middle(lambda r: r[name] / r["objects"] * 1e6)
    print(f"{what:8}{statistics.median(speeds):10,.0f}  {' '.join(f'{s:,.0f}' for s in speeds):34}{cost('cpu'):7.0f}"
          f"{cost('daemon_cpu'):8.0f}{cost('server_cpu'):8.0f}{middle(lambda r: r['others'] * 100):8.0f}"
          f"{middle(lambda r: r['requests'] / r['objects']):10.3f}{max(r['object_bytes'] for r in runs):7,}"
          f"{middle(lambda r: r['in_flight']):11.0f}{max(r['daemon_peak'] for r in runs) / 1e6:7.1f}")
PYTHON
