#!/bin/bash
# Signals that do not end a caller change nothing: a program that handles SIGINT, SIGTERM, SIGUSR1 and SIGWINCH gets them in the
# middle of its rename of a directory, and its rename succeeds, whichever comes first; one whose SIGTERM is not handled is undone
# with nothing deleted, also after others that were (the kernel tells of the first signal only).
. "$(dirname "$0")/lib.sh"
any_server "what a signal does to a rename"
start_s3d --bucket=bkt --latency copy=100
admin POST "seed?bucket=bkt&prefix=a/&count=1000&size=10" >/dev/null
mount_s3 m s3://bkt -o inflight=8,cache_ttl=0
at_least() { [ "$(requests copy)" -ge "$1" ]; }
cat >handles.py <<'PY'
import os, signal, sys
for name in sys.argv[1:]:
    signal.signal(getattr(signal, name), lambda *got: None)
open("ready", "w").close()
os.rename("m/a", "m/b")
PY
for first in INT TSTP; do
	admin POST reset >/dev/null
	python3 handles.py SIGINT SIGTERM SIGUSR1 SIGWINCH 2>err &
	pid=$!
	until_true 120 at_least 20
	for signal in $first WINCH USR1 INT TERM CONT USR1; do
		kill -$signal $pid || fail "it ended before SIG$signal: $(<err)"
		copied=$(requests copy)
		until_true 120 at_least $((copied + 1))
	done
	admin POST 'set?latency.copy=0' >/dev/null
	wait $pid || fail "a rename whose caller handles its signals: $(<err)"
	equal "moved" "$(keys bkt a/ | wc -l) $(keys bkt b/ | wc -l)" "0 1000"
	mv -T m/b m/a || fail "and back"
	admin POST 'set?latency.copy=100' >/dev/null
done

for first in WINCH TSTP; do
	admin POST reset >/dev/null
	python3 handles.py SIGINT SIGWINCH 2>err &
	pid=$!
	until_true 120 at_least 20
	kill -$first $pid
	copied=$(requests copy)
	until_true 120 at_least $((copied + 20))
	[ "$first" != TSTP ] || kill -CONT $pid
	kill -TERM $pid
	wait $pid
	equal "the status of one that was ended after SIG$first" $? 143
	undone() { [ "$(keys bkt a/ | wc -l) $(keys bkt b/ | wc -l)" = "1000 0" ]; }
	until_true 120 undone
done
equal "journals" "$(ls journal)" ""
umount_s3 m
