#!/bin/bash
# The matrices' mount namespace (tests/matrix/own_mounts.py): it keeps no daemon of others alive, and who copies everybody's
# mounts meanwhile gets none of its.
. "$(dirname "$0")/lib.sh"
any_server "the matrices' own mounts"
[ "$(id -u)" = 0 ] || skip "needs root: only root has a namespace of its own"
unshare -m true 2>/dev/null || skip "unshare -m does not work here"

start_s3d --seed=alpha,count=5,size=3
mount_s3 m s3://alpha
pid=$(daemon_of m)
gone() { ! readlink "/proc/$1/exe" >/dev/null; }
mkdir inside
# Ends with its input.
exec {end}> >(PYTHONPATH="$TOP/tests/matrix" PYTHONDONTWRITEBYTECODE=1 exec python3 -c '
import subprocess, sys
from own_mounts import own_mounts
own_mounts()
subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "inside"], check=True)
print(open("/proc/self/mountinfo").read(), file=open("seen", "w"), flush=True)
open("ready", "w").write("ready")
sys.stdin.read()
')
other=$!
until_true 120 test -s ready
grep -q "$WORK/inside " seen || fail "it mounted nothing: the case shows nothing"
! grep -q fuse.ferryfs seen || fail "it has mounts of ours: $(grep fuse.ferryfs seen)"
! grep "$WORK/inside " /proc/self/mountinfo || fail "its mount is everybody's"

umount_s3 m
until_true 120 gone "$pid"
exec {end}>&-
wait "$other"
