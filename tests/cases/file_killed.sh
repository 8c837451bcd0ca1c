#!/usr/bin/env bash
# A program that waits for a server that says nothing can be killed; a signal that it handles does not disturb its read.
. "$(dirname "$0")/lib.sh"
start_s3d
admin POST 'seed?bucket=data&count=0' >/dev/null
put data file.txt content
mount_s3 m s3://data
ls m >/dev/null
stalled() { admin GET stats | field suspended | grep -qx 1; }
admin POST fault 'op=get,count=1,action=stall' >/dev/null
cat m/file.txt >out 2>/dev/null &
reader=$!
until_true 120 stalled
kill -KILL "$reader"
gone() { ! kill -0 "$reader" 2>/dev/null; }
until_true 120 gone
admin DELETE fault >/dev/null
equal "read again" "$(cat m/file.txt)" content
umount_s3 m
mount_s3 m s3://data
ls m >/dev/null
admin POST fault 'op=get,count=1,action=stall' >/dev/null
python3 -c '
import signal
signal.signal(signal.SIGUSR1, lambda *a: None)
open("ready", "w").close()
print(open("m/file.txt").read(), end="")' >out 2>err &
reader=$!
until_true 120 stalled
kill -USR1 "$reader"
admin DELETE fault >/dev/null
wait "$reader" || fail "the reader: $(cat err)"
equal "what it read" "$(cat out)" content
