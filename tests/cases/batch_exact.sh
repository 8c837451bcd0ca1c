# Exit 0 means: at the instant the tool returned the server's own list was what it has to be.  Random sizes and latencies;
# RUNS=100 for longer.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt
seed=${SEED:-$RANDOM}
echo "SEED=$seed RUNS=${RUNS:=25}"
RANDOM=$seed
for ((run = 1; run <= RUNS; run++)); do
	admin POST "seed?bucket=bkt&prefix=src$run&count=$((RANDOM % 150 + 1))&size=$((RANDOM % 3000))&dirs=$((RANDOM % 5))&depth=$((RANDOM % 3))" >/dev/null
	((RANDOM % 2)) && put bkt "src$run/empty/" ""
	((RANDOM % 2)) && put bkt "src$run/zz-empty/" ""
	((RANDOM % 2)) && put bkt "src$run/nothing" ""
done
mount_s3 m s3://bkt
for ((run = 1; run <= RUNS; run++)); do
	admin POST "set?latency.copy=$((RANDOM % 40))&latency.deletes=$((RANDOM % 40))&latency.put=$((RANDOM % 40))&latency.list=$((RANDOM % 20))" >/dev/null
	want=$(keys bkt "src$run/" | sed "s|^src$run/||")
	cp -r "m/src$run" "m/dst$run" || fail "run $run: cp"
	equal "run $run: cp -r" "$(keys bkt "dst$run/" | sed "s|^dst$run/||")" "$want"
	rm -r "m/src$run" || fail "run $run: rm"
	equal "run $run: rm -r" "$(keys bkt "src$run/")" ""
	equal "run $run: the copy" "$(keys bkt "dst$run/" | sed "s|^dst$run/||")" "$want"
	rm -rf "m/dst$run" || fail "run $run: rm -rf"
	equal "run $run: rm -rf" "$(keys bkt "dst$run/")" ""
done
