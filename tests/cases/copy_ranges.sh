#!/usr/bin/env bash
# copy_file_range with odd offsets, parts and writes between gives the right bytes.
. "$(dirname "$0")/lib.sh"
start_s3d
admin POST 'seed?bucket=data&count=0' >/dev/null
mount_s3 m s3://data
head -c 1000003 /dev/urandom >want
cp want m/src
umount_s3 m
mount_s3 m s3://data
python3 - <<'PY' || fail "ranges"
import os
want = open("want", "rb").read()
n = len(want)
def copy(src, dst, count, a, b):
    while count > 0:
        got = os.copy_file_range(src, dst, count, a, b)
        assert got > 0, (count, a, b)
        count, a, b = count - got, a + got, b + got
def case(name, ranges, writes=(), early=False):
    src = os.open("m/src", os.O_RDONLY)
    dst = os.open("m/" + name, os.O_RDWR | os.O_CREAT)
    expect = bytearray()
    def put(at, data):
        if len(expect) < at: expect.extend(bytes(at - len(expect)))
        expect[at:at + len(data)] = data
    if early:
        for at, data in writes: os.pwrite(dst, data, at); put(at, data)
    for a, b, count in ranges:
        copy(src, dst, count, a, b); put(b, want[a:a + count])
    if not early:
        for at, data in writes: os.pwrite(dst, data, at); put(at, data)
    assert os.fstat(dst).st_size == len(expect), name
    os.close(dst); os.close(src)
    assert open("m/" + name, "rb").read() == bytes(expect), name
case("whole", [(0, 0, n)])
case("pieces", [(0, 0, 400000), (400000, 400000, n - 400000)])
case("head", [(0, 0, 12345)])
case("head-then-gap", [(0, 0, 1000), (5000, 5000, 1000)])
case("shifted", [(7, 0, 5000)])
case("moved", [(0, 13, 5000)])
case("backwards", [(500000, 500000, n - 500000), (0, 0, 500000)])
case("written-after", [(0, 0, n)], [(10, b"EDIT"), (n, b"tail")])
case("part-written-after", [(0, 0, 65536)], [(65530, b"0123456789")])
case("written-before", [(0, 0, n)], [(0, b"before")], early=True)
PY
for f in m/*; do
	[ "$(object data "${f#m/}" | field md5)" = "$(md5sum <"$f" | cut -d' ' -f1)" ] || fail "$f at the server"
done
