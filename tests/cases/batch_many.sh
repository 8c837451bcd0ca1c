# Several at once: cp -r of eight, readers of what is being copied, and a rename of another directory; each exit status is its own
# truth.
. "$(dirname "$0")/lib.sh"
any_server "several tools at once, and the kernel between them"
start_s3d --latency=5 --bucket=bkt
for i in 1 2 3 4 5 6 7 8; do admin POST "seed?bucket=bkt&prefix=src$i&count=80&size=50&dirs=4" >/dev/null; done
admin POST "seed?bucket=bkt&prefix=other&count=200&size=50" >/dev/null
mount_s3 m s3://bkt
want=$(keys bkt src1/ | sed 's|^src1/||')
admin POST fault "op=copy,key=dst5/*1.txt,action=403:AccessDenied" >/dev/null
cat >one.sh <<'SH'
cp -r "m/src$1" "m/dst$1" 2>/dev/null
echo $? >"status$1"
SH
seq 8 | xargs -P 8 -n 1 sh one.sh &
pids=($!)
for i in 1 2 3; do (for n in $(seq 20); do find m -type f -path '*dst*' -exec cat {} + >/dev/null 2>&1; done) & pids+=($!); done
mv m/other m/moved || fail mv
wait "${pids[0]}"
for i in 1 2 3 4 6 7 8; do
	equal "cp $i" "$(cat "status$i")" 0
	equal "copy $i" "$(keys bkt "dst$i/" | sed "s|^dst$i/||")" "$want"
done
equal "the refused one, $(keys bkt dst5/ | wc -l) keys" "$(cat status5)" 1
equal "its copy" "$(keys bkt dst5/ | sed 's|^dst5/||')" "$(grep -v '1\.txt$' <<<"$want")"
for pid in "${pids[@]:1}"; do wait "$pid"; done
equal "moved" "$(keys bkt moved/ | wc -l)" 200
seq 8 | xargs -P 8 -I{} rm -rf "m/dst{}" || fail rm
for i in 1 2 3 4 5 6 7 8; do equal "rm $i" "$(keys bkt "dst$i/")" ""; done
