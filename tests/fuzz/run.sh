#!/usr/bin/env bash
# Runs fuzzers, each on a copy of its committed corpus, and prints what they did.
#   tests/fuzz/run.sh SECONDS PROGRAM ...
# A crash, a leak or a time-out ends with 1; the input that caused it lies beside the program.
set -u
cd "$(dirname "$0")/../.."
seconds=$1
shift
work=$(mktemp -d "${TMPDIR:-/tmp}/ferryfs-fuzz.XXXXXX")
trap 'rm -rf "$work"' EXIT
bad=0
for program in "$@"; do
	name=${program##*/}
	mkdir -p "$work/$name"
	cp -r "tests/fuzz/corpus/$name/." "$work/$name" || bad=1
	"$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$program." "$work/$name" >"$work/$name.log" 2>&1
	status=$?
	count=$(awk '/stat::number_of_executed_units/ {print $2}' "$work/$name.log")
	edges=$(grep -oE 'cov: [0-9]+' "$work/$name.log" | tail -n 1)
	if [ "$status" -eq 0 ]; then
		printf '%-16s %10s executions in %s s, %s\n' "$name" "${count:-?}" "$seconds" "$edges"
	else
		bad=1
		printf '%-16s FAILED (status %d)\n' "$name" "$status"
		grep -vE '^(#[0-9]+.*(NEW|REDUCE|pulse)|INFO:)' "$work/$name.log" | tail -n 60
	fi
	if [ -n "${KEEP:-}" ]; then
		mkdir -p "$KEEP"
		cp -r "$work/$name" "$KEEP"
	fi
done
exit $bad
