#!/usr/bin/env bash
# A file removed while it is written: reads and writes go on, and nothing of it is stored.
. "$(dirname "$0")/lib.sh"
start_s3d
admin POST 'seed?bucket=data&count=0' >/dev/null
mount_s3 m s3://data
python3 - <<'PY' || fail "unlinked while open"
import os
fd = os.open("m/f", os.O_RDWR | os.O_CREAT)
os.write(fd, b"hello")
os.unlink("m/f")
assert os.pread(fd, 10, 0) == b"hello"
os.pwrite(fd, b"HE", 0)
assert os.pread(fd, 10, 0) == b"HEllo"
os.close(fd)
assert not os.path.exists("m/f")
PY
equal "keys left" "$(keys data f)" ""
