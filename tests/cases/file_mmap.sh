#!/usr/bin/env bash
# Pages of a shared mapping that are written after the file was closed reach the object.
. "$(dirname "$0")/lib.sh"
start_s3d
admin POST 'seed?bucket=data&count=0' >/dev/null
mount_s3 m s3://data
python3 - <<'PY' || fail mmap
import mmap, os
fd = os.open("m/f", os.O_RDWR | os.O_CREAT)
os.write(fd, b"a" * 8192)
m = mmap.mmap(fd, 8192)
os.close(fd)
m[0:4] = b"late"
m[5000:5004] = b"page"
m.close()
PY
stored() { [ "$(head -c 4 m/f)" = late ] && [ "$(object data f | field md5)" = "$(md5sum <m/f | cut -d' ' -f1)" ]; }
until_true 120 stored
equal size "$(object data f | field size)" 8192
equal "the other page" "$(tail -c +5001 m/f | head -c 4)" page
