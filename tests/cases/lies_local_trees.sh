#!/usr/bin/env bash
# cp -r and mv of local trees: no call here follows an mkdir, so each is answered when S3 has its marker, and one that is
# refused is told.
. "$(dirname "$0")/lib.sh"
[ -z "${FERRYFS_REAL:-}" ] || skip "faults are the embedded server's"
start_s3d --bucket=bkt --seed=bkt,prefix=src,count=3,size=10,dirs=2
mount_s3 m s3://bkt -o retries=0,cache_ttl=300
mkdir -p l/tree l/only l/two/a l/two/b
echo one >l/tree/a-file
mkdir l/tree/zz-empty # the later one has the higher inode number: cp comes to it last
deny() { admin POST fault "op=put,key=$1,action=403:AccessDenied" >/dev/null; }
for what in "only x1/" "tree x2/zz-empty/" "two x3/b/"; do
	deny "${what#* }"
	to=${what#* }
	to=${to%%/*}
	refuse cp -r "l/${what% *}" "m/$to" 2>/dev/null
	equal "cp -r of ${what% *}" "$(keys bkt "${what#* }")" ""
	refuse test -d "m/${what#* }"
done
deny x4/
cp -r l/only l/moved
refuse mv l/moved m/x4 2>/dev/null
test -d l/moved || fail "mv has removed what it could not copy"
# A source of each kind: what is here comes first, what is local last.
deny x5/only/
mkdir m/x5
refuse cp -r m/src l/only m/x5 2>/dev/null
equal "the first source" "$(keys bkt x5/src/ | sed 's|^x5/||')" "$(keys bkt src/)"
admin DELETE fault >/dev/null
# Slow, not refused: when cp is back the marker is there.
admin POST 'set?latency.put=700' >/dev/null
for from in l/only l/tree; do
	cp -r "$from" "m/slow-${from#*/}" || fail "cp -r $from"
done
equal "markers at return" "$(keys bkt slow- | tr '\n' ' ')" "slow-only/ slow-tree/ slow-tree/a-file slow-tree/zz-empty/ "
admin POST 'set?latency.put=0' >/dev/null
# Inside the mount nothing has changed: no marker that the source has not, and none is written in between.
admin POST reset >/dev/null
cp -r m/src m/inside || fail "cp -r inside"
equal "inside the mount" "$(keys bkt inside/ | sed 's|^inside/||')" "$(keys bkt src/ | sed 's|^src/||')"
equal "puts" "$(requests put)" 0
# In a process whose operands cannot be told (other mounts) the marker comes first, and goes when it is one too many.
if unshare -m true 2>/dev/null; then
	unshare -m --propagation private cp -r m/src m/other || fail "cp -r in a namespace of its own"
	equal "from another namespace" "$(keys bkt other/ | sed 's|^other/||')" "$(keys bkt src/ | sed 's|^src/||')"
	admin POST fault 'op=delete,key=again/,action=403:AccessDenied' >/dev/null
	refuse unshare -m --propagation private cp -r m/src m/again 2>/dev/null
fi
