# While a cp -r waits for slow copies and fifty readers for its pending files, the rest of the mount answers.
. "$(dirname "$0")/lib.sh"
any_server "which calls wait"
start_s3d --bucket=bkt --seed=bkt,prefix=src,count=300,size=100,dirs=1 --seed=bkt,prefix=else,count=20,size=100
for i in 1 2 3 4 5; do admin POST "seed?bucket=bkt&prefix=cold$i&count=3&size=10" >/dev/null; done
mount_s3 m s3://bkt -o timeout=600
ls m/else >/dev/null
# A minute on a real server; the embedded one's are released below.
admin POST "set?latency.copy=$([ -n "${FERRYFS_REAL:-}" ] && echo 60000 || echo 500000)" >/dev/null
cp -r m/src m/dst &
cp=$!
copying() { [ "$(stat now.copy)" -ge 1 ] && [ "$(ls m/dst/* 2>/dev/null | wc -l)" -ge 50 ]; }
until_true 120 copying
pids=()
for file in $(ls m/dst/* | head -n 50); do
	for dir in m/dst/*; do
		[ -e "$dir/$file" ] && { cat "$dir/$file" >"read.$file" & pids+=($!); }
	done
done
# All of this is through before the first of them could be.
for i in 1 2 3 4 5; do
	equal "ls" "$(ls m/else | wc -l)" 20
	cat "m/else/$(ls m/else | head -n1)" >/dev/null || fail "read elsewhere"
	ls -l m/dst/* >/dev/null || fail "stat of what is pending"
	# Asked of the server: these go before the copies that wait for their turn.
	equal "ls of what nobody listed" "$(ls "m/cold$i" | wc -l)" 3
	cat "m/cold$i/file000001.txt" >/dev/null || fail "read of what nobody listed"
done
kill -0 "$cp" || fail "the copy is over already"
for pid in "${pids[@]}"; do kill -0 "$pid" 2>/dev/null && parked=1; done
[ -n "${parked:-}" ] || fail "no reader waited"
admin POST 'set?latency.copy=0' >/dev/null
[ -n "${FERRYFS_REAL:-}" ] || admin POST release >/dev/null
wait "$cp" || fail cp
for pid in "${pids[@]}"; do wait "$pid" || fail "a reader of a pending file"; done
for file in read.*; do
	cmp "$file" m/src/*/"${file#read.}" || fail "$file"
done
