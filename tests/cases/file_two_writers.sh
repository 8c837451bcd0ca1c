#!/usr/bin/env bash
# Two programs write one file while it is stored again and again: no write is lost.
. "$(dirname "$0")/lib.sh"
start_s3d --latency 20
admin POST 'seed?bucket=data&count=0' >/dev/null
mount_s3 m s3://data
python3 - <<'PY' || fail "two writers"
import os, threading
size = 200
os.close(os.open("m/f", os.O_CREAT | os.O_WRONLY))
def writer(n):
    fd = os.open("m/f", os.O_RDWR)
    for i in range(n, size, 2):
        os.pwrite(fd, b"%d" % (i % 10), i)
        if i % 20 < 2:
            os.fsync(fd)
    os.close(fd)
threads = [threading.Thread(target=writer, args=(n,)) for n in (0, 1)]
for t in threads: t.start()
for t in threads: t.join()
assert open("m/f", "rb").read() == b"0123456789" * 20
PY
equal "at the server" "$(object data f | field md5)" "$(for i in {1..20}; do printf 0123456789; done | md5sum | cut -d' ' -f1)"
