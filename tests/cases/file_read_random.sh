#!/usr/bin/env bash
# Random reads fetch what is asked for and little more: 100 KiB in 25 places of 64 MB are not 64 MB on the wire.
. "$(dirname "$0")/lib.sh"
start_s3d
admin POST 'seed?bucket=data&prefix=p&count=1&size=64000000&dirs=1&depth=1' >/dev/null
key=$(keys data | grep -v '/$' | head -n 1)
mount_s3 m s3://data
admin POST reset >/dev/null
python3 - "m/$key" <<'PY' || fail "random reads"
import os, random, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
rng = random.Random(7)
for _ in range(25):
    assert len(os.pread(fd, 4096, 1000000 + rng.randrange(60000000) // 4096 * 4096)) == 4096
PY
out=$(stat object_bytes_out)
[ "$out" -lt 6000000 ] || fail "$out bytes were fetched"
