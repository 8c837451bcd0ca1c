#!/usr/bin/env bash
# What is not kept (attrs=none; a bucket's root) is accepted without a word, or refused with attrs_fail=eperm; what is so already is no change.
. "$(dirname "$0")/lib.sh"

start_s3d --bucket=bkt
put bkt f text
for kept in none meta; do
	mount_s3 m s3://bkt -o attrs=$kept
	chmod 700 m && touch -d 2001-01-01 m || fail "of the root, quietly"
	umount_s3 m
	mount_s3 m s3://bkt -o attrs=$kept,attrs_fail=eperm
	refuse chmod 711 m 2>why
	grep -q "not permitted" why || fail "$(<why)"
	umount_s3 m
done
mount_s3 m s3://bkt -o attrs_fail=eperm
admin POST reset >/dev/null
for change in "chmod 600" "chown 9" "chgrp 9" "touch -d 2001-01-01" touch; do
	refuse $change m/f 2>why
	grep -q "not permitted" why || fail "$change: $(<why)"
done
chmod 644 m/f && chown "$(id -u):$(id -g)" m/f && touch -r m/f m/f || fail "what is so already"
equal "requests" "$(requests copy) $(requests put)" "0 0"
echo text >m/new && touch m/newer && cp m/f m/copy && truncate -s 2 m/new || fail "what sets nothing"
refuse cp -p m/f m/copy2 2>/dev/null
equal "its content" "$(cat m/copy2)" text
