#!/usr/bin/env bash
# A file that is open stays readable when this mount removes it or renames another over it, up to keep_open; past that it is ESTALE, and the log says so.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt
mount_s3 m s3://bkt -o keep_open=100K
mkdir none
mount_s3 none s3://bkt/none -o keep_open=0
cat >keep.py <<'P'
import errno, mmap, os, subprocess, sys, urllib.request
url = os.environ["ENDPOINT"] + "/_s3d/"
def admin(method, path, data=None):
    return urllib.request.urlopen(urllib.request.Request(url + path, method=method, data=data)).read().decode()
def new(path, data):
    with open(path, "wb") as f: f.write(data)
def gone(how):
    new("m/f", b"x" * 50000); new("m/other", b"new")
    r, w = os.open("m/f", os.O_RDONLY), os.open("m/f", os.O_RDWR)
    pages = mmap.mmap(r, 50000, prot=mmap.PROT_READ)
    how()
    assert os.pread(r, 10, 40000) == b"x" * 10 and os.pread(w, 60000, 0) == b"x" * 50000
    assert pages[:] == b"x" * 50000
    st = os.fstat(r)
    assert st.st_nlink == 0 and st.st_size == 50000, st
    os.pwrite(w, b"y", 0); assert os.pread(r, 2, 0) == b"yx"
    os.fsync(w); os.close(w); os.close(r)
gone(lambda: os.unlink("m/f")); assert not os.path.exists("m/f")
gone(lambda: os.rename("m/other", "m/f")); assert open("m/f").read() == "new"
os.mkdir("m/d")
def tree():
    os.rename("m/f", "m/d/f"); subprocess.check_call(["rm", "-r", "m/d"])
gone(tree)
# Replaced through the same name: everybody reads what is there, as on any file system.
new("m/g", b"old"); r = os.open("m/g", os.O_RDONLY); new("m/g", b"newer"); assert os.pread(r, 10, 0) == b"newer"; os.close(r)
# A refused unlink: the file is what it was, for who has it open and for others.
new("m/f", b"stays"); r = os.open("m/f", os.O_RDONLY)
admin("POST", "fault", b"op=delete,action=403:AccessDenied")
try:
    os.unlink("m/f"); sys.exit("a refused unlink said 0")
except PermissionError: pass
admin("DELETE", "fault")
assert os.pread(r, 10, 0) == b"stays" and open("m/f").read() == "stays" and os.fstat(r).st_nlink == 1
os.close(r); os.unlink("m/f")
# A fetch that fails keeps nobody from removing it.
new("m/f", b"z" * 1000); r = os.open("m/f", os.O_RDONLY)
admin("POST", "fault", b"op=get,action=403:AccessDenied")
os.unlink("m/f"); admin("DELETE", "fault")
def stale(r):
    try:
        os.pread(r, 10, 0); sys.exit("read what is gone")
    except OSError as e: assert e.errno == errno.ESTALE, e
    os.close(r)
stale(r)
# Too large, and not wanted.
for path in ("m/large", "none/f"):
    new(path, b"z" * 200000); r = os.open(path, os.O_RDONLY); os.unlink(path); stale(r)
# Another client's version is not what this one has opened.
new("m/f", b"mine"); r = os.open("m/f", os.O_RDONLY); admin("POST", "overwrite?bucket=bkt&key=f&text=theirs!"); subprocess.check_call(["rm", "m/f"]); stale(r)
P
ENDPOINT=$ENDPOINT python3 keep.py || fail "keep"
grep -q "s3://bkt/large.*ESTALE" mount.log || fail "not in the log: too large"
equal "files left" "$(keys bkt | grep -c '^f$')" 0
# rm -r of files that nobody has open gets no content.
mkdir m/tree && touch m/tree/{1..50} && for i in 1 2 3; do echo $i >m/tree/x$i; done
before=$(requests get)
rm -r m/tree
equal "fetched by rm -r" "$(($(requests get) - before))" 0
refuse "$FERRYFS" mount -o keep_open=much s3://bkt m 2>err
grep -q "keep_open: 'much' is not a size" err || fail "$(cat err)"
