#!/usr/bin/env bash
# What copy_file_range of a part has answered is in the copy, whatever this mount does to the source afterwards; and where another client has replaced the source, close says so.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt
mount_s3 m s3://bkt
cat >part.py <<'P'
import errno, os, sys, urllib.request
def new(name, c, size=10000):
    with open("m/" + name, "wb") as f: f.write(c * size)
def link_over(source):
    new("t", b"B"); os.rename("m/t", "m/s")
def copied_over(source):
    new("t", b"B")
    with open("m/t") as t, open("m/s", "w") as s: os.copy_file_range(t.fileno(), s.fileno(), 10000)
def edited(source):
    os.pwrite(source, b"Z", 0); os.fsync(source)
def emptied(source):
    os.close(os.open("m/s", os.O_WRONLY | os.O_TRUNC))
def appended(source):
    with open("m/s", "ab") as f: f.write(b"more")
def twice(source):
    new("s", b"C"); new("s", b"D")
def moved_and_overwritten(source):
    os.rename("m/s", "m/s2"); new("s2", b"C")
def removed(source):
    os.unlink("m/s"); new("s", b"E")
ways = {"overwritten": lambda s: new("s", b"C"), "truncate(2)": lambda s: os.truncate("m/s", 10), "ftruncate": lambda s: (os.ftruncate(s, 5), os.fsync(s)),
        "edited and fsynced": edited, "emptied": emptied, "appended to": appended, "overwritten twice": twice, "renamed over": link_over,
        "copied over": copied_over, "renamed, overwritten": moved_and_overwritten, "removed, made anew": removed}
for how, change in ways.items():
    new("s", b"A")
    source = os.open("m/s", os.O_RDWR)
    copies = [os.open("m/d%d" % i, os.O_RDWR | os.O_CREAT | os.O_TRUNC) for i in range(2)]
    for d in copies: assert os.copy_file_range(source, d, 4096, 0, 0) == 4096
    change(source)
    assert os.pread(copies[0], 5, 0) == b"AAAAA", how
    os.pwrite(copies[0], b"x", 9000)
    for d in copies: os.close(d)
    os.close(source)
    assert open("m/d0", "rb").read() == b"A" * 4096 + b"\0" * 4904 + b"x", how
    assert open("m/d1", "rb").read() == b"A" * 4096, how
    for i in range(2): os.unlink("m/d%d" % i)
# Another client: nothing of two versions, and an error at close; what was at the destination is still there.
new("s", b"A"); new("d", b"O", 3)
source = os.open("m/s", os.O_RDONLY); d = os.open("m/d", os.O_WRONLY | os.O_TRUNC)
assert os.copy_file_range(source, d, 4096, 0, 0) == 4096
urllib.request.urlopen(urllib.request.Request(os.environ["ENDPOINT"] + "/_s3d/overwrite?bucket=bkt&key=s&text=theirs", method="POST")).read()
try:
    os.close(d)
    sys.exit("a copy of bytes that are gone was closed without an error")
except OSError as e:
    assert e.errno == errno.ESTALE, e
os.close(source)
assert open("m/d", "rb").read() == b"OOO"
P
ENDPOINT=$ENDPOINT python3 part.py || fail "parts"
