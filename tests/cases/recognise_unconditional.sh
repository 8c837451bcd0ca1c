#!/usr/bin/env bash
# A server that ignores the condition of a copy: it is asked before and compared after, and what is closed is right.
. "$(dirname "$0")/lib.sh"
[ "${FERRYFS_REAL:-}" != swift ] || skip "Swift keeps the condition"
start_s3d --no-conditional-copy
admin POST 'seed?bucket=data&count=0' >/dev/null
mount_s3 w s3://data -o part_threshold=5M,part_size=5M
head -c 100000 /dev/urandom >want
head -c 6000000 /dev/urandom >want6
cp want w/a
cp want w/b
cp want6 w/parts
umount_s3 w
mount_s3 m s3://data -o cache_ttl=0
fresh() { admin POST reset >/dev/null; }

fresh
busybox cp m/a m/a1 || fail cp
busybox cp m/a m/a2 || fail "cp again"
equal "bytes" "$(stat object_bytes_in)" 0
equal "copies" "$(requests copy)" 2
cmp want m/a1 && cmp want m/a2 || fail content

# Changed before: seen without a copy.
busybox cat m/b >read
put data a changed
put data b changed
admin DELETE 'object?bucket=data&key=a1' >/dev/null
admin DELETE 'object?bucket=data&key=a2' >/dev/null
fresh
cp read m/b1
equal "copies of a changed source" "$(requests copy)" 0
cmp want m/b1 || fail "a changed source"

# Changed after it was looked at: copied, seen, and uploaded over.
busybox cat m/b1 >read
admin POST hook 'when=copy,nth=1,at=before,do=put,bucket=data,key=b1,text=changed' >/dev/null
fresh
cp read m/b2 || fail "cp of what changes meanwhile"
equal "copies of what changed meanwhile" "$(requests copy)" 1
equal "uploads of it" "$(requests put)" 1
cmp want m/b2 || fail "changed meanwhile: content"

# An ETag that no copy keeps: the source's time tells, once it is a second old.
made=$(command stat -c %Y m/parts)
until_true 120 eval '[ "$(date +%s)" -gt $((made + 1)) ]'
fresh
busybox cp m/parts m/parts1 || fail "cp of parts"
equal "bytes of parts" "$(stat object_bytes_in)" 0
cmp want6 m/parts1 || fail "parts: content"
made=$(command stat -c %Y m/parts)
admin POST hook 'when=copy,nth=1,at=before,do=put,bucket=data,key=parts,text=changed' >/dev/null
rm m/parts1
cp want6 m/parts2 || fail "cp of parts that change"
equal "uploads of parts that changed" "$(requests put)" 1
cmp want6 m/parts2 || fail "parts that changed: content"
