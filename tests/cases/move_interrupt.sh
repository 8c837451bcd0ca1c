#!/bin/bash
# Ctrl-C, twice, and SIGTERM of the daemon: before the first delete a move is undone, afterwards it goes on to its end; Ctrl-Z
# changes nothing; by mount and by command.
. "$(dirname "$0")/lib.sh"
any_server "what a signal does to a rename"
start_s3d --bucket=bkt
at_least() { [ "$(requests "$1")" -ge "$2" ]; }
plant() {
	admin POST reset >/dev/null
	admin POST "seed?bucket=bkt&prefix=$1/&count=1500&size=10" >/dev/null
}
set -m
slow() { admin POST "set?latency.copy=$1&latency.deletes=$2" >/dev/null; }
mount_s3 m s3://bkt -o inflight=8,cache_ttl=0

# During the copies.
plant a
slow 100 0
mv -T m/a m/b 2>err & pid=$!
until_true 120 at_least copy 50
kill -INT $pid
kill -INT $pid 2>/dev/null
wait $pid
[ $? -ne 0 ] || fail "an interrupted mv reports success"
undone() { [ "$(keys bkt b/)" = "" ] && [ "$(keys bkt a/ | wc -l)" = 1500 ]; }
until_true 300 undone
equal "deletes of sources" "$(keys bkt a/ | wc -l)" 1500

# During the deletes: 1,000 are gone or on their way.
slow 0 1500
admin POST reset >/dev/null
mv -T m/a m/b 2>err & pid=$!
until_true 300 at_least deletes 1
kill -INT $pid
kill -INT $pid 2>/dev/null
wait $pid
finished() { [ "$(keys bkt a/)" = "" ] && [ "$(keys bkt b/ | wc -l)" = 1500 ]; }
until_true 300 finished

# Stopped and continued.
slow 30 0
admin POST reset >/dev/null
mv -T m/b m/a & pid=$!
until_true 120 at_least copy 50
kill -STOP $pid
until_true 300 at_least deletes 1
kill -CONT $pid
status=147
while [ $status = 147 ]; do # 128 and SIGSTOP: it was stopped
	wait $pid
	status=$?
done
equal "a stopped mv" $status 0
equal "moved" "$(keys bkt a/ | wc -l)" 1500

# The command likewise, at one Ctrl-C: a second one ends it at once (cmd_interrupt_twice), if it comes as a signal of its own.
slow 100 0
admin POST reset >/dev/null
"$FERRYFS" mv -r --inflight 8 s3://bkt/a s3://bkt/c 2>err & pid=$!
until_true 120 at_least copy 50
kill -INT $pid
wait $pid
equal "status" $? 130
equal "sources" "$(keys bkt a/ | wc -l)" 1500
equal "copies" "$(keys bkt c/)" ""
slow 0 1500
admin POST reset >/dev/null
"$FERRYFS" mv -r s3://bkt/a s3://bkt/c 2>err & pid=$!
until_true 300 at_least deletes 1
kill -INT $pid
wait $pid
equal "sources after the first delete" "$(keys bkt a/)" ""
equal "copies after the first delete" "$(keys bkt c/ | wc -l)" 1500

# The daemon is asked to end; a plain umount meanwhile is refused.
slow 100 0
admin POST reset >/dev/null
mv -T m/c m/d 2>err & pid=$!
until_true 120 at_least copy 50
umount m 2>/dev/null && fail "umount of a busy mount"
kill -TERM "$(daemon_of m)" || fail "no daemon to end"
wait $pid
[ $? -ne 0 ] || fail "a cut off mv reports success"
gone() { ! mountpoint -q m && no_hub; }
until_true 120 gone
equal "sources after SIGTERM" "$(keys bkt c/ | wc -l)" 1500
equal "copies after SIGTERM" "$(keys bkt d/)" ""
equal "journals" "$(ls journal)" ""
