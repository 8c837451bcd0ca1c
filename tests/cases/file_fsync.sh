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
# fsync of a descriptor for reading, as sync FILE has it, stores what another one wrote.  (No process is started
# meanwhile: that would close its copy of the descriptor, and a close stores too.)
python3 - "$ENDPOINT" <<'PY' || fail "fsync by a reader"
import os, sys, urllib.request
fd = os.open("m/other", os.O_WRONLY | os.O_CREAT)
os.write(fd, b"12345")
reader = os.open("m/other", os.O_RDONLY)
os.fsync(reader)
keys = urllib.request.urlopen(sys.argv[1] + "/_s3d/keys?bucket=data").read()
assert b"other" in keys, keys
os.close(fd)
PY
