#!/usr/bin/env bash
# After a failed fsync the data is still there: the next fsync stores it.
. "$(dirname "$0")/lib.sh"
start_s3d
admin POST 'seed?bucket=data&count=0' >/dev/null
mount_s3 m s3://data
admin POST fault 'op=put,count=1,action=403:AccessDenied' >/dev/null
python3 - <<'PY' || fail "fsync"
import os
fd = os.open("m/f", os.O_RDWR | os.O_CREAT)
os.write(fd, b"kept")
try:
    os.fsync(fd)
    raise SystemExit("the first fsync succeeded")
except PermissionError:
    pass
os.fsync(fd)
assert os.pread(fd, 9, 0) == b"kept"
os.write(fd, b" on")
os.close(fd)
PY
equal stored "$(object data f | field size)" 7
equal content "$(cat m/f)" "kept on"
