#!/usr/bin/env bash
# stat right after close is exact and asks for nothing; the time is the object's.
. "$(dirname "$0")/lib.sh"
start_s3d
admin POST 'seed?bucket=data&count=0' >/dev/null
mount_s3 m s3://data
ls m >/dev/null
head -c 5000 /dev/urandom >m/file
admin POST reset >/dev/null
equal size "$(command stat -c %s m/file)" 5000
equal HEADs "$(requests head)" 0
mtime=$(command stat -c %Y m/file) at=$(object data file | field last_modified)
[ $((mtime - at)) -ge -1 ] && [ $((mtime - at)) -le 1 ] || fail "time $mtime, the object's is $at"
