#!/bin/bash
# What this mount itself stored shows in the attributes at once.
. "$(dirname "$0")/lib.sh"
command -v getfattr >/dev/null || skip "no getfattr"
start_s3d --bucket bkt
put bkt a one
put bkt b two2
mount_s3 m s3://bkt
etag() { getfattr --only-values -n user.s3.etag "$1"; }
first=$(etag m/a) || fail "no etag"
echo other >m/a
second=$(etag m/a)
equal "etag after a write" "$second" "$(object bkt a | field etag | tr -d '"')"
[ "$first" != "$second" ] || fail "the old etag is shown"
mv m/b m/a
equal "etag after a rename" "$(etag m/a)" "$(object bkt a | field etag | tr -d '"')"
