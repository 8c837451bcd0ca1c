#!/usr/bin/env bash
# An entry that cp was told of is not always where it goes: mounts over it at the source or the destination, in the mount
# namespace of cp alone, made meanwhile, of a file; views with other options; links and other file systems at the
# destination; an overlay on top.  With the copy of one object refused cp never ends with 0.
# In a mount namespace of its own: mounts over a ferryfs mount end the evidence of every process that sees them.
[ -n "${OWN_MOUNTS:-}" ] || ! unshare -m --propagation private true 2>/dev/null || exec env OWN_MOUNTS=1 unshare -m --propagation private bash "$0" "$@"
. "$(dirname "$0")/lib.sh"
[ -z "${FERRYFS_REAL:-}" ] || skip "faults are the embedded server's"
start_s3d --bucket=bkt
for i in 1 2 3 4 5; do put bkt src/f$i x$i; done
for key in src/zz/ dst/src/zz/; do put bkt $key ""; done
for key in tre/f1 tre/f2 tre/zz/h1 tre/zz/h2 dst3/tre/zz/q; do put bkt $key x; done
for key in flat/f1 flat/f2 flat/f3 two/a/f1 two/a/f2 two/b/g1 two/b/g2 out/f1 out/other; do put bkt $key x; done
for key in empty/f1 empty/f2 empty/f3 empty/f4; do put bkt $key ""; done
mount_s3 m s3://bkt -o retries=0
mount --bind m/out m/out || skip "no right to bind-mount"
umount m/out
ls -lR m >/dev/null
admin POST 'set?latency.copy=300' >/dev/null
deny() { admin DELETE fault >/dev/null; for op in copy put; do admin POST fault "op=$op,key=$1,action=403:AccessDenied" >/dev/null; done; }

# What was put behind the mount's back is there once the listings that are known have aged.
shown() { until_true 120 eval "ls -d $* >/dev/null 2>&1"; }

# A directory covered at the source that exists at the destination; one covered at the destination.
mount -t tmpfs none m/src/zz
deny dst/src/f3
refuse cp -r m/src m/dst/ 2>/dev/null
umount m/src/zz
mount -t tmpfs none m/dst3/tre/zz
deny dst3/tre/f2
refuse cp -r m/tre m/dst3/ 2>/dev/null
umount m/dst3/tre/zz

# The same where cp alone has the mount: in a namespace of its own.
deny dst/src/f3
refuse unshare -m --propagation private bash -c 'mount -t tmpfs none m/src/zz && exec cp -r m/src m/dst/' 2>/dev/null
# The last file of the source lies under another one, and so does its copy.
echo >elsewhere
put bkt dst4/flat/f3 old
shown m/dst4/flat/f3
mount --bind elsewhere m/flat/f3
mount --bind elsewhere m/dst4/flat/f3
deny dst4/flat/f2
refuse cp -r m/flat m/dst4/ 2>/dev/null
umount m/flat/f3 m/dst4/flat/f3

# What is here goes to a local directory in which one name is a link to here.
mkdir local
ln -s "$WORK/m/out/f1" local/f1
deny out/f1
refuse cp -r m/flat/. local/ 2>/dev/null
# One directory of the destination is a mount of ours in a local tree.
put bkt deep/keep x
mkdir -p tree/two/a tree/two/b
shown m/deep/keep
mount --bind m/deep tree/two/a
deny deep/f1
refuse cp -r m/two tree/ 2>/dev/null
umount tree/two/a

# A part of the tree is another view, whose closes wait: cp ends there.
mount_s3 part s3://bkt/last/zz -o retries=0,copy_ack=close
for i in 1 2 3; do put bkt last/f$i x; done
for key in last/zz/ dst5/last/zz/; do put bkt $key ""; done
shown m/last/zz m/dst5/last/zz
ls -lR m/last m/dst5 >/dev/null
deny dst5/last/f2
refuse cp -r m/last m/dst5/ 2>/dev/null

# An overlay shows entries of its own, by cp's own hand: the last one is hidden there.
mkdir -p up work merged
if mount -t overlay overlay -o "lowerdir=$WORK/m/empty,upperdir=$WORK/up,workdir=$WORK/work" merged 2>/dev/null || {
	mkdir -p fresh && mount -t tmpfs none fresh && mkdir fresh/up fresh/work &&
		mount -t overlay overlay -o "lowerdir=$WORK/m/empty,upperdir=$WORK/fresh/up,workdir=$WORK/fresh/work" merged 2>/dev/null
}; then
	rm merged/f4 2>/dev/null || mknod up/f4 c 0 0
	deny ovl/f3
	refuse cp -r merged m/ovl 2>/dev/null
	umount merged
fi
mountpoint -q fresh && umount fresh

# Nothing is mounted any more: a refused object is told, the others are there, and that is quick again.
deny plain/f2
refuse cp -r m/flat m/plain 2>/dev/null
equal "the others" "$(keys bkt plain/ | tr '\n' ' ')" "plain/f1 plain/f3 "
