#!/bin/bash
# rewinddir lists afresh; a seek back finds the entries again, near and far.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket bkt
admin POST 'seed?bucket=bkt&prefix=d/&count=6000&size=1' >/dev/null
mount_s3 m s3://bkt
cat >walk.py <<'P'
import ctypes, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
class dirent(ctypes.Structure):
    _fields_ = [('ino', ctypes.c_uint64), ('off', ctypes.c_int64), ('len', ctypes.c_uint16), ('type', ctypes.c_uint8),
                ('name', ctypes.c_char * 256)]
libc.opendir.restype = ctypes.c_void_p
libc.readdir.restype = ctypes.POINTER(dirent)
libc.telldir.restype = ctypes.c_long
libc.readdir.argtypes = libc.telldir.argtypes = libc.rewinddir.argtypes = [ctypes.c_void_p]
libc.seekdir.argtypes = [ctypes.c_void_p, ctypes.c_long]
d = libc.opendir(b'm/d')
def read():
    e = libc.readdir(d)
    return e.contents.name if e else None
def rest():
    names = []
    while (name := read()) is not None:
        names.append(name)
    return names
first = [read() for _ in range(10)]
near = libc.telldir(d)
tail = rest()
assert len(first) + len(tail) == 6002, len(tail)
libc.seekdir(d, near)
assert rest() == tail, 'after a seek back'
subprocess.check_call(sys.argv[1:])
libc.rewinddir(d)
again = set(rest())
assert b'new' in again, 'rewinddir does not list afresh'
assert len(again) == 6003
P
python3 walk.py curl -sSf -o /dev/null -X POST "$ENDPOINT/_s3d/overwrite?bucket=bkt&key=d/new&text=x" || fail "walk"
