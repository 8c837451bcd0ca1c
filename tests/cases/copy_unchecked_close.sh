#!/usr/bin/env bash
# A program that ignores close's result hears of a refused copy in copy_file_range itself.
. "$(dirname "$0")/lib.sh"
start_s3d
admin POST 'seed?bucket=data&count=0' >/dev/null
put data src.txt source
mount_s3 m s3://data
admin POST fault 'op=copy,action=403:AccessDenied' >/dev/null
python3 - <<'PY' || fail "copy_file_range"
import errno, os
src, dst = os.open("m/src.txt", os.O_RDONLY), os.open("m/dst", os.O_WRONLY | os.O_CREAT)
try:
    os.copy_file_range(src, dst, 6)
    raise SystemExit("copy_file_range succeeded")
except OSError as e:
    assert e.errno == errno.EIO, e
PY
refuse ls m/dst 2>/dev/null
admin DELETE fault >/dev/null
python3 - "$ENDPOINT" <<'PY' || fail "the copy is there when copy_file_range is back"
import json, os, sys, urllib.request
src, dst = os.open("m/src.txt", os.O_RDONLY), os.open("m/dst", os.O_RDWR | os.O_CREAT)
assert os.copy_file_range(src, dst, 6) == 6
assert json.load(urllib.request.urlopen(sys.argv[1] + "/_s3d/object?bucket=data&key=dst"))["size"] == 6
os.unlink("m/src.txt")
assert os.pread(dst, 10, 0) == b"source"
os.close(dst)
PY
equal content "$(cat m/dst)" source
