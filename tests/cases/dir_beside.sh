#!/bin/bash
# Where "a" and "a/..." both exist the directory is shown, once, however many keys lie between, and the object logged once.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket bkt
put bkt d/a object
put bkt d/a/inside x
admin POST 'seed?bucket=bkt&prefix=d/a-&count=2300&size=1' >/dev/null
put bkt d/b x
mount_s3 m s3://bkt
ls m/d >list
equal "entries" "$(wc -l <list)" "$(sort -u list | wc -l)"
equal "a" "$(grep -cx a list)" 1
equal "kind listed" "$(find m/d -maxdepth 1 -name a -printf %y)" d
equal "kind looked up" "$(command stat -c %F m/d/a)" directory
equal "below" "$(ls m/d/a)" inside
ls m/d >/dev/null
equal "logged" "$(grep -c 'hidden by the directory' mount.log)" 1
put bkt e object
mount_s3 n s3://bkt
equal "object alone" "$(command stat -c %F n/e)" "regular file"
