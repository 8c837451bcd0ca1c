#!/bin/bash
# A kept connection that is reset after a file's bytes were sent on it: the upload is sent again at once on another one, and no
# close waits for the time-out.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt
mount_s3 m s3://bkt -o timeout=900,part_threshold=6M,part_size=5M
head -c 12000000 /dev/urandom >large
echo first >small
cp small large m/ || fail "several connections"
for round in 1 2 3; do
	echo $round >>small
	admin POST fault 'op=put,nth=1,action=reset-after' >/dev/null
	timeout 240 cp small m/small || fail "$round: $?"
	equal "fired" "$(admin DELETE fault | field 0.fired)" 1
	equal "$round" "$(object bkt small | field md5)" "$(md5sum <small | cut -d' ' -f1)"
done
