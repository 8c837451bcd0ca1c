#!/bin/bash
# Between superblocks the kernel offers no copy: cp reads and writes.  Where one daemon is behind both sides (here a view, and an
# overlay mount of another view), what it reads is recognised when it is written: nothing is uploaded.  Two daemons share no memory:
# between them everything is uploaded, and right.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root: a hub is root's"

[ "${FERRYFS_REAL:-}" != swift ] || skip "Swift answers If-None-Match with 501: what was refused once is asked twice"
start_s3d --bucket=alpha --bucket=beta
mkdir tree over
head -c 300000 /dev/urandom >tree/one
head -c 5000000 /dev/urandom >tree/large
mount_s3 w s3://alpha
cp -r tree w/src || fail "making the source"
umount_s3 w
until_true 120 no_hub

mount_s3 a s3://alpha
mount_s3 b s3://beta
if mount -t overlay -o "ro,lowerdir=$WORK/a/src:$WORK/tree" none over 2>err.log; then
	MOUNTS+=("$WORK/over")
	[ "$(command stat -c %d over/one)" != "$(command stat -c %d b)" ] || fail "one superblock"
	admin POST reset >/dev/null
	mkdir b/over
	cp over/one over/large b/over/ || fail "cp between two superblocks"
	equal "bytes up" "$(stat object_bytes_in)" 0
	[ "$(requests copy)" -ge 2 ] || fail "copies: $(requests copy)"
	cmp tree/one b/over/one && cmp tree/large b/over/large || fail "content"
	# one that differs in its last byte is none of them
	{ head -c 299999 tree/one; printf '\n'; } >almost
	cmp -s almost tree/one && { head -c 299999 tree/one; printf x; } >almost
	admin POST reset >/dev/null
	cp almost b/over/almost || fail cp
	equal "uploads of what differs" "$(requests put)" 1
	equal "bytes up" "$(stat object_bytes_in)" 300000
	cmp almost b/over/almost || fail "content of what differs"
	umount over || fail "umount of the overlay"
else
	echo "no overlay of a FUSE mount here: $(<err.log)"
fi
umount_s3 b

# two daemons
mount_s3 c s3://beta -o hub=no 2>err.log
grep -q "pass through this machine" err.log || fail "said: $(<err.log)"
admin POST reset >/dev/null
mkdir c/two
cp a/src/one a/src/large c/two/ || fail "cp between two daemons"
equal "uploaded" "$(stat object_bytes_in)" 5300000
cmp tree/one c/two/one && cmp tree/large c/two/large || fail "content"
