#!/bin/bash
# A directory is renamed while objects below it are open that are copied in parts, so that their ETags change: readers read on,
# writers write on.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket data
admin POST "sparse?bucket=data&key=d/sub/large&size=$((64 << 20))" >/dev/null
mount_s3 m s3://data -o part_threshold=5M,part_size=5M
before=$(object data d/sub/large | field etag)
cat >open.py <<'P'
import os
fd = os.open('m/d/sub/large', os.O_RDONLY)
first = os.pread(fd, 4096, 0)
w = os.open('m/d/written', os.O_CREAT | os.O_RDWR)
os.write(w, b'x' * (6 << 20)); os.fsync(w)
os.rename('m/d', 'm/e')
assert len(os.pread(fd, 4096, 60 << 20)) == 4096
assert os.fstat(fd).st_size == 64 << 20
assert len(os.pread(fd, 4096, 30 << 20)) == 4096
assert os.pread(fd, 4096, 0) == first
os.write(w, b'y' * 10); os.fsync(w); os.write(w, b'z'); os.close(w)
os.close(fd)
assert os.path.getsize('m/e/written') == (6 << 20) + 11
P
python3 open.py || fail "across the rename"
equal "keys" "$(keys data | tr '\n' ' ')" "e/sub/large e/written "
[ "$(object data e/sub/large | field etag)" != "$before" ] || fail "the ETag is the same: nothing was shown"
equal "written" "$(object data e/written | field size)" $(((6 << 20) + 11))
