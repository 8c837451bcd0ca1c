# -o copy_ack=close: nothing is answered early, and everything is right nevertheless.
. "$(dirname "$0")/lib.sh"
start_s3d --latency=5 --bucket=bkt --seed=bkt,prefix=src,count=30,size=10,dirs=3
mount_s3 m s3://bkt -o copy_ack=close
admin POST reset >/dev/null
cp -r m/src m/dst || fail cp
equal "copies at once" "$(stat peak.copy)" 1
equal "the copy" "$(keys bkt dst/ | grep -v '/$' | sed 's|^dst/||')" "$(keys bkt src/ | sed 's|^src/||')"
rm -r m/dst || fail rm
equal "what is left" "$(keys bkt dst/)" ""
