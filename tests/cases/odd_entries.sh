#!/bin/bash
# An entry of a listing that can't be used (a key of over 1,024 bytes, no size, a negative one, an ETag that no header can carry) is
# told and left out; the rest stays to be listed, read and copied, and a copy, move or removal of all says that it was not all.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt --anonymous --no-auth
for name in a b c; do put bkt d/$name $name; done
start_front '
import re
ODD = [b"<Key>d/%s</Key><Size>1</Size>" % (b"k" * 1100), b"<Key>d/bb</Key>", b"<Key>d/bb</Key><Size>-1</Size>",
       b"<Key>d/bb</Key><Size>1</Size><ETag>a b\"</ETag>"]
def after(method, path, query, status, headers, body):
    if b"<ListBucketResult" in body and ("prefix=d%2F" in query or "prefix=&" in query + "&"):
        kind = int(open("kind").read())
        if b"<Contents><Key>d/b</Key>" in body:
            body = body.replace(b"<Contents><Key>d/b</Key>", b"<Contents>%s</Contents><Contents><Key>d/b</Key>" % ODD[kind])
    return status, headers, body
'
for kind in 0 1 2 3; do
	echo $kind >kind
	"$FERRYFS" ls s3://bkt/d/ >list 2>err.log
	equal "$kind: ls" "$? $(wc -l <list)" "1 3"
	grep -q "left out" err.log || fail "$kind: ls said: $(<err.log)"
	"$FERRYFS" cp -r -q s3://bkt/d s3://bkt/copy$kind 2>err.log
	equal "$kind: cp -r" "$? $(keys bkt copy$kind/ | wc -l)" "1 3"
	grep -q "left out" err.log || fail "$kind: cp -r said: $(<err.log)"
	"$FERRYFS" mv -r -q s3://bkt/d s3://bkt/moved 2>err.log
	equal "$kind: mv -r" "$? $(keys bkt d/ | wc -l) $(keys bkt moved/ | wc -l)" "1 3 0"
	mount_s3 m s3://bkt
	equal "$kind: names" "$(ls m/d 2>err.log | tr '\n' ' ')" "a b c "
	equal "$kind: read" "$(cat m/d/a m/d/b m/d/c)" abc
	refuse cp -r m/d m/again 2>/dev/null
	refuse mv m/d m/e 2>/dev/null
	equal "$kind: nothing moved" "$(keys bkt d/ | wc -l)" 3
	refuse rmdir m/d 2>/dev/null
	rm -rf m/again
	umount_s3 m
	grep -q "left out" mount.log || fail "$kind: the log: $(<mount.log)"
done
"$FERRYFS" rm -r -q s3://bkt/d 2>/dev/null
equal "rm -r" "$? $(keys bkt d/ | wc -l)" "1 0"
