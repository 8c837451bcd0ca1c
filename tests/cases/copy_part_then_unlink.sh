#!/usr/bin/env bash
# Part of a file copied, the source removed, then the copy closed: the copied bytes are there.
. "$(dirname "$0")/lib.sh"
start_s3d
admin POST 'seed?bucket=data&count=0' >/dev/null
put data src.txt 0123456789
mount_s3 m s3://data
python3 - <<'PY' || fail "copy, unlink, close"
import os
src, dst = os.open("m/src.txt", os.O_RDONLY), os.open("m/dst", os.O_RDWR | os.O_CREAT)
assert os.copy_file_range(src, dst, 4) == 4
os.unlink("m/src.txt")
os.close(src)
os.close(dst)
PY
equal content "$(cat m/dst)" 0123
equal "size at the server" "$(object data dst | field size)" 4
