#!/bin/bash
# A directory of 100,000 entries begins to list at once, lists whole, each name once, and takes no memory for long.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket bkt
admin POST 'seed?bucket=bkt&prefix=big/&count=100000&size=1' >/dev/null
mount_s3 m s3://bkt
admin POST reset >/dev/null
python3 - <<'P' || fail "first entries"
import os
entries = os.scandir('m/big')
for _ in range(100):
    next(entries)
entries.close()
P
[ "$(requests list)" -le 8 ] || fail "$(requests list) pages for the first entries"
ls -f m/big | grep -v '^\.' | sort >list
equal "entries" "$(wc -l <list)" 100000
equal "names" "$(sort -u list | wc -l)" 100000
# Inode numbers rise in listing order: cp visits a directory in theirs.
python3 - <<'P' || fail "inode order"
import os
entries = [(e.name, e.inode()) for e in os.scandir('m/big')]
assert [n for n, _ in entries] == sorted(n for n, _ in entries)
P
