#!/usr/bin/env bash
# A file that is kept open reaches S3 by itself: a log soon, anything else when nothing was written for flush_after, or after ten times that; never with 0.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt
put bkt app.log start
put bkt report old
put bkt other old
mount_s3 m s3://bkt -o flush_after=0.6
mkdir never
mount_s3 never s3://bkt/never -o flush_after=0
size() { [ -n "$(keys bkt "$1")" ] && object bkt "$1" | field size || echo none; }
cat >keep.py <<'P'
import os, sys, time
files = {name: open(path, mode, buffering=0) for name, path, mode in (
    ("log", "m/app.log", "ab"), ("new", "m/new.log", "ab"), ("quiet", "m/quiet", "wb"), ("busy", "m/busy", "wb"),
    ("emptied", "m/report", "wb"), ("edited", "m/other", "r+b"), ("never", "never/f", "ab"), ("refused", "m/refused", "ab"))}
for name in ("log", "new", "quiet", "edited", "never", "refused"): files[name].write(b"12345")
while not os.path.exists("stop"):
    files["busy"].write(b"x"); time.sleep(0.01)
for f in files.values(): f.close()
P
admin POST fault 'op=put,key=refused,count=1,action=403:AccessDenied' >/dev/null
python3 keep.py 2>err & writer=$!
until_true 120 eval '[ "$(size app.log)" = 10 ]'
until_true 120 eval '[ "$(size new.log)" = 5 ]'
until_true 120 eval '[ "$(size quiet)" = 5 ]'
until_true 120 eval '[ "$(size other)" = 5 ]'
until_true 120 eval '[ "$(size busy)" != none ]'
until_true 120 grep -q refused mount.log
# What was emptied and not written yet has not replaced what it will; nothing is stored with 0.
equal "emptied" "$(size report)" 3
equal "never" "$(size never/f)" none
# One more line after it was stored.
kill -0 $writer || fail "the writer ended: $(cat err)"
touch stop
wait $writer || fail "the writer: $(cat err)"
equal "emptied, closed" "$(size report)" 0
equal "never, closed" "$(size never/f)" 5
equal "refused at first" "$(size refused)" 5
grep -q "refused.*AccessDenied" mount.log || fail "the refusal is not in the log"
refuse "$FERRYFS" mount -o flush_after=soon s3://bkt m 2>err
grep -q "flush_after: 'soon' is not a number of seconds" err || fail "$(cat err)"
