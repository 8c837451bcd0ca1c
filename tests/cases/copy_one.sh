#!/usr/bin/env bash
# cp of one file is one CopyObject: no GET, no PUT, no object byte; type, metadata and class come along.
. "$(dirname "$0")/lib.sh"
[ "${FERRYFS_REAL:-}" != swift ] || skip "Swift answers If-None-Match with 501: what was refused once is asked twice"
start_s3d
admin POST 'seed?bucket=data&count=0' >/dev/null
mount_s3 m s3://data
head -c 3000000 /dev/urandom >want
cp want m/src.html
umount_s3 m
mount_s3 m s3://data
admin POST reset >/dev/null
cp m/src.html m/dst || fail cp
equal copies "$(requests copy)" 1
equal GETs "$(requests get)" 0
equal PUTs "$(requests put)" 0
equal "object bytes" "$(stat object_bytes_in) $(stat object_bytes_out)" "0 0"
equal type "$(object data dst | field headers.content-type)" text/html
equal "stat" "$(command stat -c %s m/dst)" 3000000
cmp want m/dst || fail content
cp want m/other
cp m/src.html m/other || fail "onto an existing file"
cmp want m/other || fail "content over an existing file"
cat m/src.html >m/third || fail cat
cmp want m/third || fail "content of cat"
