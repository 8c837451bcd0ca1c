#!/usr/bin/env bash
# What compilers don't look for: clang-tidy with .clang-tidy and cppcheck with cppcheck.txt, on all C files.
#   CPPFLAGS="..." tests/style/analysis.sh [-j N] [-b SECONDS] [FILE ...]    prints what was found and exits 1, else exits 0
#   -b SECONDS   a sample: clang-tidy begins no file later than that; the files that changed within a day of the newest
#                commit come first, then the others in an order that SEED gives
# Headers are read with the files that include them.
set -u
cd "$(dirname "$0")/../.."
jobs=$(nproc)
budget=
while getopts j:b: o; do case $o in j) jobs=$OPTARG ;; b) budget=$OPTARG ;; *) exit 2 ;; esac; done
shift $((OPTIND - 1))
[ $# -gt 0 ] || mapfile -t files < <(find s3 engine fs tests -name '*.c' | sort)
[ $# -eq 0 ] || files=("$@")
work=$(mktemp -d "${TMPDIR:-/tmp}/ferryfs-analysis.XXXXXX")
trap 'rm -rf "$work"' EXIT
bad=0

cppcheck --quiet -j "$jobs" --std=c11 --enable=warning,performance,portability --inline-suppr --library=posix \
	--library=tests/style/cppcheck.cfg --suppressions-list=<(grep -v '^#' tests/style/cppcheck.txt) \
	-D_GNU_SOURCE -D__linux__ -D__x86_64__ -DFERRYFS_VERSION='""' -I. --cppcheck-build-dir="$work" --error-exitcode=1 \
	--template='{file}:{line}: {severity}: {message} [{id}]' "${files[@]}" 2>"$work/cppcheck.log" || bad=1
sort -u "$work/cppcheck.log"
echo "cppcheck: ${#files[@]} files, $(sort -u "$work/cppcheck.log" | grep -c .) findings (${SECONDS}s)"

sampled() {
	local newest
	newest=$(git log -1 --format=%ct 2>/dev/null) || newest=
	{
		[ -z "$newest" ] || git log --since="$((newest - 86400))" --name-only --format= -- '*.c' | sort -u | grep -xFf <(printf '%s\n' "${files[@]}")
		printf '%s\n' "${files[@]}" | shuf --random-source=<(yes "${SEED:-0}")
	} | awk '!seen[$0]++'
}
[ -z "$budget" ] || mapfile -t files < <(sampled)

# A few files a process: each start costs, and the slow ones should not be behind each other.
began=$SECONDS
end=$((EPOCHSECONDS + ${budget:-86400}))
export CPPFLAGS work end
# shellcheck disable=SC2016
printf '%s\n' "${files[@]}" | xargs -P "$jobs" -n 4 sh -c '[ "$(date +%s)" -lt "$end" ] || exit 0
	printf "%s\n" "$@" >"$work/begun.$$"
	clang-tidy --quiet "$@" -- -std=c11 -DFERRYFS_VERSION=\"\" $CPPFLAGS >"$work/tidy.$$" 2>"$work/error.$$" ||
	{ cat "$work/tidy.$$"; grep -E "error:" "$work/error.$$"; exit 1; }' tidy >"$work/tidy.log" || bad=1
cat "$work/tidy.log"
echo "clang-tidy: $(cat "$work"/begun.* | wc -l) of ${#files[@]} files, $(grep -cE '(warning|error): ' "$work/tidy.log") findings ($((SECONDS - began))s)"
exit $bad
