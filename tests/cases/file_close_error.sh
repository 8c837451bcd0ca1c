#!/usr/bin/env bash
# A refused upload is told by close: cp, dd and fsync fail; what never came to be is not shown, what was there stays.
. "$(dirname "$0")/lib.sh"
start_s3d
admin POST 'seed?bucket=data&count=0' >/dev/null
put data old.txt before
mount_s3 m s3://data
echo hello >local
admin POST fault 'op=put,action=403:AccessDenied' >/dev/null
refuse cp local m/new.txt 2>err
grep -q 'Permission denied' err || fail "$(cat err)"
refuse dd if=local of=m/new2.txt status=none 2>/dev/null
refuse ls m/new.txt 2>/dev/null
refuse ls m/new2.txt 2>/dev/null
refuse cp local m/old.txt 2>/dev/null
equal "the old content at the server" "$(object data old.txt | field size)" 6
equal "the old content" "$(cat m/old.txt)" before
equal "the names" "$(ls m)" old.txt
grep -q 'upload.*new.txt' mount.log || fail "the log does not name it"
python3 - <<'PY' || fail "fsync, and the close after"
import errno, os
fd = os.open("m/third", os.O_WRONLY | os.O_CREAT)
os.write(fd, b"x")
for call in (os.fsync, os.fsync, os.close):
    try:
        call(fd)
        raise SystemExit("%s succeeded" % call)
    except OSError as e:
        assert e.errno == errno.EACCES, e
PY
admin DELETE fault >/dev/null
cp local m/new.txt || fail "after the fault"
equal "stored at last" "$(object data new.txt | field size)" 6
