#!/usr/bin/env bash
# A file that S3 does not have yet, renamed over one that it has, renamed on, removed, closed: after each rename and unlink that says 0 the keys at the server are those of a local file system.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt --bucket=other
admin POST 'seed?bucket=other&count=0' >/dev/null
mount_s3 all s3:// -o cache_ttl=1; ln -s all/bkt m
cat >open.py <<'P'
import ctypes, errno, os, sys, urllib.request
url = os.environ["ENDPOINT"] + "/_s3d/"
libc = ctypes.CDLL(None, use_errno=True)
def at_server(bucket="bkt"):
    lines = urllib.request.urlopen(url + "keys?brief=1&bucket=%s&prefix=" % bucket).read().decode().split("\n")
    return sorted(line.split("\t")[0] for line in lines if line)
def admin(method, path, data=None):
    urllib.request.urlopen(urllib.request.Request(url + path, method=method, data=data)).read()
def put(key, text, bucket="bkt"):
    admin("POST", "overwrite?bucket=%s&key=%s&text=%s" % (bucket, key, text))
def clear():
    for key in at_server(): os.unlink("m/" + key)
def unstored(text=b"new"):
    fd = os.open("m/f.new", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
    assert os.write(fd, text) == len(text)
    return fd
def expect(what, *keys):
    assert at_server() == sorted(keys), (what, at_server(), keys)
def content(path, text):
    got = open(path, "rb").read()
    assert got == text, (path, got, text)
def there(name, text="old"):
    with open("m/" + name, "w") as f: f.write(text)

there("x"); fd = unstored()
os.rename("m/f.new", "m/x"); expect("renamed over", "x"); content("m/x", b"new")
os.rename("m/x", "m/y"); expect("renamed twice", "y")
os.write(fd, b"er"); os.rename("m/y", "m/z"); expect("renamed thrice", "z")
os.fsync(fd); os.close(fd); content("m/z", b"newer"); expect("closed", "z"); clear()

there("x"); fd = unstored()
os.rename("m/f.new", "m/x"); os.unlink("m/x"); expect("unlinked")
os.write(fd, b"er"); os.fsync(fd); os.close(fd); expect("unlinked and closed")

# Over another that is not stored; who writes that one hears of no error.
fd = unstored(); os.rename("m/f.new", "m/a"); other = os.open("m/b", os.O_RDWR | os.O_CREAT); os.write(other, b"b")
os.rename("m/a", "m/b"); expect("over another unstored", "b"); os.write(other, b"b"); os.close(other); os.close(fd)
content("m/b", b"new"); expect("over another unstored, closed", "b"); clear()

# RENAME_NOREPLACE: refused where the server has something that the mount does not know of, and the file stays what it was.
os.listdir("m"); fd = unstored(); put("hidden", "theirs")
failed = libc.renameat2(-100, b"m/f.new", -100, b"m/hidden", 1)
assert failed == -1 and ctypes.get_errno() == errno.EEXIST, (failed, ctypes.get_errno())
assert libc.renameat2(-100, b"m/f.new", -100, b"m/free", 1) == 0
expect("no replace", "free", "hidden"); os.close(fd); content("m/free", b"new"); clear()

# Into another bucket of one mount, over what is there, and on.
put("x", "old", "other"); fd = os.open("all/bkt/f.new", os.O_RDWR | os.O_CREAT); os.write(fd, b"new")
os.rename("all/bkt/f.new", "all/other/x"); assert at_server() == [] and at_server("other") == ["x"]
os.rename("all/other/x", "all/other/y"); assert at_server("other") == ["y"], at_server("other")
os.close(fd); content("all/other/y", b"new")

# Pages of a mapping that arrive after the last close.
import mmap
there("x"); fd = unstored(b"p" * 4096); pages = mmap.mmap(fd, 4096); os.close(fd)
fd = os.open("m/f.new", os.O_RDWR); os.rename("m/f.new", "m/x"); pages[0:4] = b"late"; os.rename("m/x", "m/y"); pages.flush(); pages.close(); os.close(fd)
expect("mapped", "y"); content("m/y", b"late" + b"p" * 4092); clear()

# A refused store: the rename fails, what it would have replaced is what it was, and the next attempt works.
there("x"); fd = unstored()
admin("POST", "fault", b"key=f.new,action=403:AccessDenied")
try:
    os.rename("m/f.new", "m/x")
    sys.exit("a rename whose store was refused said 0")
except PermissionError:
    pass
content("m/x", b"old"); admin("DELETE", "fault"); os.rename("m/f.new", "m/x"); expect("after a refused store", "x"); os.close(fd); content("m/x", b"new"); clear()

# A refused delete of the old name: the rename fails, and the content is at both places.
there("x"); fd = unstored(); os.rename("m/f.new", "m/x")
admin("POST", "fault", b"op=delete,key=x,action=403:AccessDenied")
try:
    os.rename("m/x", "m/y")
    sys.exit("a rename whose delete was refused said 0")
except PermissionError:
    pass
admin("DELETE", "fault"); os.close(fd)
assert open("m/x").read() == "new"
P
ENDPOINT=$ENDPOINT python3 open.py || fail "unstored"
