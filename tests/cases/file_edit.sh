#!/usr/bin/env bash
# O_RDWR in the middle of an existing object: the rest stays; the old object is whole until the new one lands.
. "$(dirname "$0")/lib.sh"
start_s3d
admin POST 'seed?bucket=data&count=0' >/dev/null
mount_s3 m s3://data
head -c 20000000 /dev/urandom >want
cp want m/f
umount_s3 m
mount_s3 m s3://data
before=$(object data f | field etag)
python3 - <<'PY' || fail edit
import os
want = bytearray(open("want", "rb").read())
fd = os.open("m/f", os.O_RDWR)
for off in (10000000, 3, len(want) - 2, len(want)):
    os.pwrite(fd, b"EDITED", off)
    want[off:off + 6] = b"EDITED"
    assert os.pread(fd, 20, max(off - 5, 0)) == bytes(want[max(off - 5, 0):max(off - 5, 0) + 20]), off
open("want", "wb").write(want)
open("go", "w").close()
import subprocess
PY
cmp want m/f || fail "after the edit"
[ "$(object data f | field etag)" != "$before" ] || fail "nothing was stored"
equal size "$(object data f | field size)" "$(wc -c <want)"
