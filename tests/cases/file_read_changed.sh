#!/usr/bin/env bash
# An object replaced at the server while it is read: ESTALE, never a mix of two versions; opened anew it is the new one.
. "$(dirname "$0")/lib.sh"
start_s3d
admin POST 'seed?bucket=data&count=0' >/dev/null
mount_s3 w s3://data
head -c 30000000 /dev/zero | tr '\0' a >w/file
umount_s3 w
mount_s3 m s3://data -o cache_ttl=0
python3 - "$ENDPOINT" <<'PY' || fail "the old handle"
import errno, os, sys, urllib.request
fd = os.open("m/file", os.O_RDONLY)
assert os.pread(fd, 10, 0) == b"a" * 10
urllib.request.urlopen(urllib.request.Request(sys.argv[1] + "/_s3d/overwrite?bucket=data&key=file&text=bbbb", method="POST")).read()
try:
    got = os.pread(fd, 10, 29000000)
    raise SystemExit("read %r" % got)
except OSError as e:
    assert e.errno == errno.ESTALE, e
PY
equal "opened anew" "$(cat m/file)" bbbb
