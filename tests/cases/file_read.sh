#!/usr/bin/env bash
# read: whole files, pieces, seeks and several readers at once give the object's bytes; a small file costs one GET.
. "$(dirname "$0")/lib.sh"
start_s3d
admin POST 'seed?bucket=data&count=0' >/dev/null
head -c 20000003 /dev/urandom >big
mount_s3 m s3://data
cp big m/big
put data small.txt twelve%20byte
umount_s3 m
mount_s3 m s3://data
admin POST reset >/dev/null
equal content "$(cat m/small.txt)" "twelve byte"
equal GETs "$(requests get)" 1
cmp big m/big || fail "read in sequence"
python3 - <<'PY' || fail "reads of several threads at random"
import os, random, threading
want = open("big", "rb").read()
fd = os.open("m/big", os.O_RDONLY)
bad = []
def reader(seed):
    rng = random.Random(seed)
    for _ in range(60):
        off, n = rng.randrange(len(want)), rng.choice([1, 100, 4096, 70000, 300000, 1100000])
        if os.pread(fd, n, off) != want[off:off + n]:
            bad.append((off, n))
threads = [threading.Thread(target=reader, args=(i,)) for i in range(8)]
for t in threads: t.start()
for t in threads: t.join()
assert not bad, bad[:3]
assert os.pread(fd, 10, len(want)) == b"" and os.pread(fd, 10, len(want) - 3) == want[-3:]
assert os.lseek(fd, 5, os.SEEK_DATA) == 5 and os.lseek(fd, 5, os.SEEK_HOLE) == len(want)
PY
for i in 1 2 3 4; do tail -c +$((i * 4000001)) m/big | cmp - <(tail -c +$((i * 4000001)) big) || fail "reader $i" & readers+=($!); done
for pid in "${readers[@]}"; do wait "$pid" || fail "one of several readers"; done
