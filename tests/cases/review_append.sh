#!/bin/bash
# Many processes append to one file at once: every line is there once.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket bkt --latency=5
put bkt log start
mount_s3 m s3://bkt
for i in $(seq 40); do echo "line $i" >>m/log & done
wait $(jobs -p | grep -v "^${S3D_PIDS[0]}$")
sort m/log >got
{ printf start; for i in $(seq 40); do echo "line $i"; done; } | sort >want
cat m/log | sed 's/^start//' | sort -u | grep -c line >count
equal "lines" "$(cat count)" 40
umount_s3 m
mount_s3 m s3://bkt
equal "lines at S3" "$(sed 's/^start//' m/log | sort -u | grep -c line)" 40
