#!/usr/bin/env bash
# truncate(2) is stored when it returns; ftruncate at close; shorter fetches only what is kept.
. "$(dirname "$0")/lib.sh"
start_s3d
admin POST 'seed?bucket=data&count=0' >/dev/null
mount_s3 m s3://data
head -c 3000000 /dev/urandom >want
cp want m/f
umount_s3 m
mount_s3 m s3://data
admin POST reset >/dev/null
python3 -c 'import os; os.truncate("m/f", 1000)' || fail truncate
equal "size at the server" "$(object data f | field size)" 1000
[ "$(stat object_bytes_out)" -le 1000 ] || fail "$(stat object_bytes_out) bytes were fetched to keep 1000"
cmp <(head -c 1000 want) m/f || fail "what is kept"
python3 -c 'import os; os.truncate("m/f", 1500)' || fail "truncate to more"
cmp <(head -c 1000 want; head -c 500 /dev/zero) m/f || fail "zeroes at the end"
python3 -c 'import os; os.truncate("m/f", 0)' || fail "truncate to nothing"
equal "nothing left" "$(object data f | field size)" 0
python3 - <<'PY' || fail ftruncate
import os
fd = os.open("m/f", os.O_RDWR)
os.write(fd, b"0123456789")
os.ftruncate(fd, 4)
assert os.fstat(fd).st_size == 4 and os.pread(fd, 10, 0) == b"0123"
os.posix_fallocate(fd, 0, 8)
assert os.fstat(fd).st_size == 8
os.close(fd)
PY
equal "after ftruncate" "$(object data f | field size)" 8
admin POST fault 'op=put,action=403:AccessDenied' >/dev/null
refuse python3 -c 'import os; os.truncate("m/f", 2)' 2>/dev/null
equal "a refused one changed nothing" "$(object data f | field size)" 8
equal "nor is it shown" "$(command stat -c %s m/f)" 8
