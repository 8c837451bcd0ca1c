#!/bin/bash
# What this mount itself stored shows in the attributes at once.
. "$(dirname "$0")/lib.sh"
command -v getfattr >/dev/null || skip "no getfattr"
start_s3d --bucket bkt
put bkt a one
put bkt b two2
mount_s3 m s3://bkt
etag() { getfattr --only-values -n user.s3.etag "$1"; }

# Question, write and question may fall into one tick of a coarse clock: now and then they do.
python3 - <<'PY' || fail "the old etag is shown"
import hashlib, os
for i in range(100):
    os.getxattr("m/a", "user.s3.etag")
    text = b"%d" % i
    with open("m/a", "wb") as file:
        file.write(text)
    shown = os.getxattr("m/a", "user.s3.etag").decode()
    assert shown == hashlib.md5(text).hexdigest(), (i, shown)
PY
mv m/b m/a
equal "etag after a rename" "$(etag m/a)" "$(object bkt a | field etag | tr -d '"')"
