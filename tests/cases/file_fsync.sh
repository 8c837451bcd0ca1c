#!/usr/bin/env bash
# fsync stores at once: the object is at the server before the file is closed.
. "$(dirname "$0")/lib.sh"
start_s3d
admin POST 'seed?bucket=data&count=0' >/dev/null
mount_s3 m s3://data
python3 - "$ENDPOINT" <<'PY' || fail "fsync"
import json, os, sys, urllib.request
def size():
    return json.load(urllib.request.urlopen(sys.argv[1] + "/_s3d/object?bucket=data&key=f"))["size"]
fd = os.open("m/f", os.O_WRONLY | os.O_CREAT)
os.write(fd, b"12345")
os.fsync(fd)
assert size() == 5
os.write(fd, b"678")
assert size() == 5
os.fsync(fd)
assert size() == 8
os.close(fd)
PY
equal content "$(cat m/f)" 12345678
