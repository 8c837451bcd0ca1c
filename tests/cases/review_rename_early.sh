#!/bin/bash
# A directory that a cp -r has just made, of which S3 knows nothing yet, can be renamed and synced by others.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket bkt
put bkt src/a/f text
mount_s3 m s3://bkt
ls -lR m >/dev/null
admin POST set?latency.list=1500 >/dev/null
cp -r m/src m/dst 2>cp.err &
cp=$!
until_true 120 test -d m/dst
python3 -c '
import os
fd = os.open("m/dst", os.O_RDONLY)
os.fsync(fd)' || fail "fsync of it"
# its own marker, or what cp made below it meanwhile, which takes the marker's place
case $(keys bkt dst/) in dst/*) ;; *) fail "S3 knows nothing of it after fsync" ;; esac
wait $cp || fail "cp: $(cat cp.err)"
cp -r m/src m/other 2>cp.err &
cp=$!
until_true 120 test -d m/other
mv -T m/other m/moved || fail "mv"
wait $cp
keys bkt moved/ | grep -q . || fail "nothing at the new place"
[ -d m/moved ] || fail "not shown"
equal "nothing at the old place" "$(keys bkt other/)" ""
