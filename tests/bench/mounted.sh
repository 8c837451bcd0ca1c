# Sourced by mount.sh and views.sh: rows of plain tools on mounts of ours, and their table.
#   measure WHAT CMD ...   one run of a row, by the daemon $PID at the server $ENDPOINT, into $RESULTS; OBJECTS of them
#   show_rows              the medians of what is in $RESULTS

measure() {
	local what=$1
	shift
	python3 "$HERE/measure.py" --into "$RESULTS" --label "mounts/$what/ferryfs" --objects "$OBJECTS" --server "$ENDPOINT" \
		--daemon "$PID" --limit "${RUN_LIMIT:-600}" --log "$WORK/tool.log" -- "$@" || fail "$what: exit status $?"
}

show_rows() {
	python3 - "$RESULTS" <<'PYTHON'
import json, statistics, sys

rows = {}
for line in open(sys.argv[1]):
    result = json.loads(line)
    rows.setdefault(result["what"], []).append(result)
wide = max(len(what) for what in rows)
print(f"{'':{wide}}{'objects/s':>11}  {'(each run)':34}{'tool':>7}{'daemon':>8}{'server':>8}{'others':>8}"
      f"{'requests':>10}{'bytes':>7}{'in flight':>11}{'MB':>7}")
print(f"{'':{wide}}{'':47}{'µs CPU an object':>23}{'%':>8}{'an object':>10}")
for what, runs in rows.items():
    middle = lambda value: statistics.median(map(value, runs))
    speeds = [r["objects"] / r["seconds"] for r in runs]
    cost = lambda name: middle(lambda r: r[name] / r["objects"] * 1e6)
    print(f"{what:{wide}}{statistics.median(speeds):11,.0f}  {' '.join(f'{s:,.0f}' for s in speeds):34}{cost('cpu'):7.0f}"
          f"{cost('daemon_cpu'):8.0f}{cost('server_cpu'):8.0f}{middle(lambda r: r['others'] * 100):8.0f}"
          f"{middle(lambda r: r['requests'] / r['objects']):10.3f}{max(r['object_bytes'] for r in runs):7,}"
          f"{middle(lambda r: r['in_flight']):11.0f}{max(r['daemon_peak'] for r in runs) / 1e6:7.1f}")
PYTHON
}
