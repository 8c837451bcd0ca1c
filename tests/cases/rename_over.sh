#!/bin/bash
# rename replaces a file; mv -n, RENAME_NOREPLACE and RENAME_EXCHANGE do not; kinds that don't fit are refused.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket bkt
put bkt a aaa
put bkt b bb
put bkt dir/x 1
put bkt empty/ ''
mount_s3 m s3://bkt
mv m/a m/b || fail "mv over"
equal "keys" "$(keys bkt | tr '\n' ' ')" "b dir/x empty/ "
equal "content" "$(object bkt b | field size)" 3
equal "shown" "$(command stat -c %s m/b)" 3
put bkt c ccc1
cat >rename.py <<'P'
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def rename(a, b, flags):
    return -ctypes.get_errno() if libc.renameat2(-100, a.encode(), -100, b.encode(), flags) else 0
def expect(a, b, flags, *wanted):
    got = rename(a, b, flags)
    assert got in [-w for w in wanted], (a, b, flags, got)
expect('m/b', 'm/c', 1, errno.EEXIST)
expect('m/b', 'm/c', 2, errno.EINVAL)
expect('m/b', 'm/dir', 0, errno.EISDIR)
expect('m/dir', 'm/b', 0, errno.ENOTDIR)
expect('m/empty', 'm/dir', 0, errno.ENOTEMPTY, errno.EEXIST)
expect('m/dir', 'm/dir/sub', 0, errno.EINVAL)
expect('m/none', 'm/x', 0, errno.ENOENT)
expect('m/b', 'm/b', 0, 0)
expect('m/dir', 'm/empty', 0, 0)
P
python3 rename.py || fail "renames"
equal "after" "$(keys bkt | tr '\n' ' ')" "b c empty/ empty/x "
equal "listed" "$(ls m | tr '\n' ' ')" "b c empty "
