#!/bin/bash
# A delete that S3 refuses makes rm, and rm -f, exit non-zero; the log names the object, which is still shown.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket bkt
put bkt d/kept 1
put bkt d/other 1
mount_s3 m s3://bkt
for code in 403:AccessDenied 404:NoSuchBucket 400:InvalidArgument; do
	admin POST fault "op=delete,key=d/kept,action=$code" >/dev/null
	refuse rm m/d/kept 2>/dev/null
	refuse rm -f m/d/kept 2>/dev/null
	refuse rm -rf m/d/kept 2>/dev/null
	grep -q "unlink.*d/kept.*${code#*:}" mount.log || fail "$code is not in the log"
	admin DELETE fault >/dev/null
	[ -f m/d/kept ] || fail "not shown any more"
done
rm m/d/kept || fail rm
equal "keys" "$(keys bkt d)" d/other
refuse rm m/d/kept 2>/dev/null
refuse rm m/d 2>/dev/null
