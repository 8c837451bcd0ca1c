#!/usr/bin/env bash
# Runs fuzzers, each on a copy of its committed corpus, as many side by side as there are processors, and prints
# what they did.
#   tests/fuzz/run.sh SECONDS PROGRAM ...
# A crash, a leak or a time-out ends with 1; the input that caused it lies beside the program.
set -u
cd "$(dirname "$0")/../.."
seconds=$1
shift
work=$(mktemp -d "${TMPDIR:-/tmp}/ferryfs-fuzz.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'kill $(jobs -p) 2>/dev/null; exit 130' INT TERM

fuzz() { # PROGRAM
	local program=$1 name=${1##*/} status count edges
	mkdir -p "$work/$name"
	cp -r "tests/fuzz/corpus/$name/." "$work/$name" || return 1
	"$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$program." "$work/$name" >"$work/$name.log" 2>&1
	status=$?
	count=$(awk '/stat::number_of_executed_units/ {print $2}' "$work/$name.log")
	edges=$(grep -oE 'cov: [0-9]+' "$work/$name.log" | tail -n 1)
	echo "${count:-0}" >"$work/$name.count"
	if [ "$status" -eq 0 ]; then
		printf '%-16s %10s executions in %s s, %s\n' "$name" "${count:-?}" "$seconds" "$edges"
	else
		printf '%-16s FAILED (status %d)\n' "$name" "$status"
		grep -vE '^(#[0-9]+.*(NEW|REDUCE|pulse)|INFO:)' "$work/$name.log" | tail -n 60
	fi
	if [ -n "${KEEP:-}" ]; then
		mkdir -p "$KEEP"
		cp -r "$work/$name" "$KEEP"
	fi
	return "$status"
}

bad=0 running=0
for program in "$@"; do
	if [ "$running" -ge "$(nproc)" ]; then
		wait -n || bad=1
		running=$((running - 1))
	fi
	fuzz "$program" &
	running=$((running + 1))
done
while [ "$running" -gt 0 ]; do
	wait -n || bad=1
	running=$((running - 1))
done
echo "fuzzers: $# programs, $(cat "$work"/*.count | awk '{s += $1} END {print s + 0}') executions"
exit $bad
