#!/usr/bin/env bash
# Whatever is not surely the same is uploaded: another last byte, a source that has changed, a part, a refused copy, the
# option.
. "$(dirname "$0")/lib.sh"
[ "${FERRYFS_REAL:-}" != rgw ] || skip "Ceph ignores the condition that a recognised copy needs"
[ "${FERRYFS_REAL:-}" != swift ] || skip "Swift answers If-None-Match with 501: what was refused once is asked twice"
start_s3d
admin POST 'seed?bucket=data&count=0' >/dev/null
admin POST 'seed?bucket=kept&count=0' >/dev/null
mount_s3 w s3://
head -c 200000 /dev/urandom >want
for i in a b c d; do
	{ cat want; echo "$i"; } >"w/data/$i"
done
{ cat want; echo b; } >almost
head -c 100000 want >start
umount_s3 w
mount_s3 m s3:// -o cache_ttl=0
# What the server has, without reading it through the mount: that would be remembered.
same() { equal "content of $2/$3" "$(object "$2" "$3" | field etag)" "$(md5sum <"$1" | cut -c1-32)"; }
fresh() { admin POST reset >/dev/null; }
uploaded() {
	equal "$1: uploads" "$(requests put)" "$2"
	equal "$1: copies" "$(requests copy)" "$3"
}

busybox cat m/data/a >read || fail read
fresh
cp almost m/data/almost
uploaded "another last byte" 1 0
same almost data almost

fresh
cp start m/data/start
uploaded "its beginning" 1 0

# In whatever order it was written: what counts is what is there when it is closed.
fresh
python3 - read m/data/parts <<'PY' || fail "in pieces"
import os, sys
data = open(sys.argv[1], "rb").read()
fd = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)
os.pwrite(fd, b"x" * len(data), 0)
os.pwrite(fd, data[100000:], 100000)
os.pwrite(fd, data[:100000], 0)
os.close(fd)
PY
equal "in pieces: bytes" "$(stat object_bytes_in)" 0
same read data parts

# The source is another one by the time the file is closed: the copy is refused, the bytes go up, once.
put data a changed
fresh
cp read m/data/later
uploaded "a changed source" 1 1
same read data later
fresh
cp read m/data/later2
uploaded "a changed source again" 1 0

# Gone.
busybox cat m/data/b >read || fail read
admin DELETE 'object?bucket=data&key=b' >/dev/null
fresh
cp read m/data/b2
uploaded "a source that is gone" 1 1
same read data b2

# Denied: found out once for the pair of buckets.
busybox cat m/data/c >read || fail read
admin POST fault 'op=copy,bucket=kept,action=403:AccessDenied' >/dev/null
fresh
cp read m/kept/c
cp read m/kept/c2
uploaded "a refused copy" 2 1
same read kept c
same read kept c2
cp read m/data/c3
uploaded "another pair" 2 2
admin DELETE fault >/dev/null

# Part of it was read, and the rest from somewhere in the middle.
python3 - m/data/d <<'PY' || fail "reading from the middle"
import os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
os.pread(fd, 1000, 150000)
PY
{ cat want; echo d; } >read
fresh
cp read m/data/d2
uploaded "never read whole" 1 0
umount_s3 m

mount_s3 n s3:// -o recognise=no
fresh
busybox cp n/data/d n/data/d3 || fail cp
uploaded "recognise=no" 1 0
same read data d3
