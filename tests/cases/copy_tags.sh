#!/bin/bash
# Tags come along with copies and moves, unless tags=no leaves them.
. "$(dirname "$0")/lib.sh"
[ -z "${FERRYFS_REAL:-}" ] || skip "Swift has no tags, and Ceph copies them whatever the directive says"
start_s3d --bucket bkt
tag() { aws --endpoint-url "$ENDPOINT" s3api put-object-tagging --bucket bkt --key "$1" --tagging 'TagSet=[{Key=t,Value=1}]'; }
command -v aws >/dev/null || skip "no aws"
for name in a b dir/c; do
	put bkt $name text
	tag $name || fail "tag $name"
done
mount_s3 m s3://bkt
cp m/a m/a2 || fail "cp"
equal "copied" "$(object bkt a2 | field tags)" '{"t": "1"}'
umount_s3 m
mount_s3 m s3://bkt -o tags=no
cp m/a m/a3 || fail "cp without tags"
equal "copied without" "$(object bkt a3 | field tags)" '{}'
mv m/b m/b2 || fail "mv without tags"
equal "moved without" "$(object bkt b2 | field tags)" '{}'
mv m/dir m/new || fail "mv of a directory without tags"
equal "moved with its directory, without" "$(object bkt new/c | field tags)" '{}'
equal "metadata is kept" "$(object bkt a3 | field headers.content-type)" "$(object bkt a | field headers.content-type)"
