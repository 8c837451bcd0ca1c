#!/usr/bin/env bash
# Editing and appending keep an object's metadata, content type, tags and storage class; overwriting keeps nothing.
. "$(dirname "$0")/lib.sh"
[ -z "${FERRYFS_REAL:-}" ] || skip "the real servers have one storage class"
start_s3d --bucket=data
# make KEY SIZE: an object with everything that can be lost
make() {
	head -c "$2" /dev/zero >body
	curl -sSf --aws-sigv4 aws:amz:us-east-1:s3 --user test:testsecret -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -X PUT --data-binary @body \
		-H 'content-type: text/x-own' -H 'cache-control: max-age=7' -H 'x-amz-meta-colour: blue' -H 'x-amz-meta-mtime: 1000000000' \
		-H 'x-amz-storage-class: STANDARD_IA' -H 'x-amz-tagging: team=a%20b' "$ENDPOINT/data/$1" || fail "put $1"
}
# kept KEY SIZE: all of it is there, but for the time of the content that was
kept() {
	equal "$1 size" "$(object data "$1" | field size)" "$2"
	object data "$1" | python3 -c '
import json, sys
o = json.load(sys.stdin)
h = {k.lower(): v for k, v in o["headers"].items()}
assert h["content-type"] == "text/x-own", h
assert h["cache-control"] == "max-age=7", h
assert h["x-amz-meta-colour"] == "blue", h
assert "x-amz-meta-mtime" not in h, h
assert o["storage_class"] == "STANDARD_IA", o
assert o["tags"] == {"team": "a b"}, o' || fail "$1 lost something"
}
for key in append.txt edit.txt cut.txt over.txt twice.txt mapped.txt; do make "$key" 100; done
make empty.txt 0
make large.txt 17000000
mount_s3 m s3://data -o storage_class=REDUCED_REDUNDANCY
echo more >>m/append.txt || fail append
kept append.txt 105
echo more >>m/empty.txt || fail "append to an empty object"
kept empty.txt 5
printf x | dd of=m/edit.txt bs=1 seek=50 conv=notrunc status=none || fail edit
kept edit.txt 100
truncate -s 10 m/cut.txt || fail truncate
kept cut.txt 10
python3 - <<'PY' || fail "fsync between writes"
import os
fd = os.open("m/twice.txt", os.O_RDWR)
for at in (0, 10, 20):
    os.pwrite(fd, b"x", at)
    os.fsync(fd)
os.close(fd)
PY
kept twice.txt 100
# In parts: the headers go with the request that begins them.
echo more >>m/large.txt || fail "append to a large object"
kept large.txt 17000005
equal "in parts" "$(requests create-upload)" 1
# Overwritten: a new object, with the view's class and the name's type.
echo new >m/over.txt || fail overwrite
object data over.txt | python3 -c '
import json, sys
o = json.load(sys.stdin)
h = {k.lower(): v for k, v in o["headers"].items()}
assert h["content-type"].startswith("text/plain"), h
assert not any(k.startswith("x-amz-meta-") or k == "cache-control" for k in h), h
assert o["storage_class"] == "REDUCED_REDUNDANCY" and not o["tags"], o' || fail "over.txt kept something"
# Cut to nothing and written again through one descriptor: a new object, too.
python3 - <<'PY' || fail "cut and write"
import os
fd = os.open("m/append.txt", os.O_RDWR)
os.pwrite(fd, b"x", 0)
os.ftruncate(fd, 0)
os.pwrite(fd, b"new", 0)
os.close(fd)
PY
equal "type" "$(object data append.txt | field headers.content-type)" text/plain
umount_s3 m
