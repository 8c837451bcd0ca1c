#!/bin/bash
# --no-sign-request sends no credentials: enough for public data, refused elsewhere.
. "$(dirname "$0")/lib.sh"
[ -z "${FERRYFS_REAL:-}" ] || skip "a real server's test accounts have no public buckets"
start_s3d --seed=src,prefix=x/,count=3,size=1
refuse "$FERRYFS" ls -r --no-sign-request s3://src/ >out 2>err
grep -q AccessDenied err || fail "private data: $(<err)"
refuse "$FERRYFS" mount --no-sign-request s3://src m >out 2>err
mkdir m
refuse "$FERRYFS" mount --no-sign-request s3://src m >out 2>err
grep -qi 'denie\|AccessDenied\|refuse' err || fail "mount of private data: $(<err)"
admin POST 'set?anonymous=1' >/dev/null
# Wrong keys are not even looked at; none are needed.
AWS_SECRET_ACCESS_KEY=wrong "$FERRYFS" ls -r --no-sign-request s3://src/ >out || fail "public data"
equal "objects" "$(wc -l <out)" 3
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
"$FERRYFS" ls -r --no-sign-request s3://src/ >out || fail "public data without keys"
refuse "$FERRYFS" ls -r s3://src/ >out 2>err
grep -q 'no-sign-request' err || fail "the way out is not named: $(<err)"
mount_s3 m s3://src -o no_sign_request
equal "mounted" "$(ls m/x | wc -l)" 3
umount_s3 m
