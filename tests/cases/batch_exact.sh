#!/bin/bash
# Exit 0 means: at the instant the tool returned the server's own list was what it has to be, for cp -r, cp -a, mv inside a
# mount and between mounts, rm -r and rm -rf.  30 runs, of random sizes and latencies
# (10 with sanitizers); RUNS and SEED change that.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt
seed=${SEED:-$RANDOM}
echo "SEED=$seed RUNS=${RUNS:=$([ -n "${SANITIZED:-}" ] && echo 10 || echo 30)}"
RANDOM=$seed
# All of it before the mount, which need not know of what others make meanwhile.
for ((run = 1; run <= RUNS; run++)); do
	admin POST "seed?bucket=bkt&prefix=src$run&count=$((RANDOM % 40 + 1))&size=$((RANDOM % 3000))&dirs=$((RANDOM % 4))&depth=$((RANDOM % 2 + 1))" >/dev/null
	((RANDOM % 2)) && put bkt "src$run/empty/" ""
	((RANDOM % 2)) && put bkt "src$run/zz-empty/" ""
	((RANDOM % 2)) && put bkt "src$run/nothing" ""
done
mount_s3 m s3://bkt
mkdir from
mount --bind m from || skip "no right to bind-mount"
MOUNTS+=("$WORK/from")

# What the server holds below a prefix, without the prefix: each key with its size and ETag.
below() { admin GET "keys?brief=1&bucket=bkt&prefix=$1/" | sed "s|^$1/||"; }
# exact DIR...: at once, what the source had and nothing else; gone DIR
exact() { equal "run $run: $what: $1" "$(below "$1")" "$want"; }
gone() { equal "run $run: $what: $1" "$(below "$1")" ""; }
tool() {
	what=$*
	"$@" || fail "run $run: $what"
}

for ((run = 1; run <= RUNS; run++)); do
	src=src$run
	admin POST "set?latency.copy=$((RANDOM % 30))&latency.deletes=$((RANDOM % 30))&latency.put=$((RANDOM % 30))&latency.list=$((RANDOM % 6))" >/dev/null
	want=$(below $src)
	[ -n "$want" ] || fail "nothing to copy"
	tool cp -r m/$src m/one
	exact one
	tool cp -a m/$src m/two
	exact two
	tool mv m/one m/three
	exact three && gone one
	tool mv from/two m/four
	exact four && gone two
	tool rm -r m/three
	gone three && exact four
	tool rm -rf m/four m/$src
	gone four && gone $src
done
