#!/usr/bin/env bash
# Thousands of random calls on files, open, renamed, removed and copied in parts below each other, do on a mount what they do on a local directory.  SEED=N repeats a run.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt
mount_s3 m s3://bkt
mkdir local
timeout 600 python3 "$TOP/tests/matrix/calls.py" --mount m --local local --calls "${CALLS:-2000}" ${SEED:+--seed "$SEED"} >out 2>&1 || fail "$(cat out)"
cat out
umount_s3 m
# A fresh mount shows the same.
mount_s3 again s3://bkt
same_tree local again
