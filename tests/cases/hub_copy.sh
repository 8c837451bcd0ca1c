#!/bin/bash
# Two buckets and a prefix at three places: cp -r, cp -a and mv between all pairs, with no object byte through this machine.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root: a hub is root's"

start_s3d --seed=alpha,prefix=src/,count=30,size=2000 --seed=alpha,prefix=src/deep/,count=5,size=0 --bucket=beta
mount_s3 a s3://alpha
mount_s3 b s3://beta
mount_s3 p s3://alpha/part
equal "one superblock" "$(command stat -c %d a)" "$(command stat -c %d b)"
equal "one superblock" "$(command stat -c %d a)" "$(command stat -c %d p)"
equal "hubs" "$(hubs | wc -l)" 1
equal "tree" "$(find a/src -type f | wc -l)" 35

crossed() { equal "bytes in and out: $*" "$(stat object_bytes_in)+$(stat object_bytes_out)" 0+0; }

names() { (cd "$1" && find . -type f | sort); }

names a/src >names.want
admin POST reset >/dev/null
n=0
for from in a b p; do
	for to in a b p; do
		[ -d "$from/src" ] || cp -r a/src "$from/" || fail "cp -r a/src $from/"
		n=$((n + 1))
		cp -r "$from/src" "$to/r$n" || fail "cp -r $from $to"
		names "$to/r$n" | cmp - names.want || fail "cp -r $from $to: names"
		cp -a "$from/src" "$to/a$n" || fail "cp -a $from $to"
		names "$to/a$n" | cmp - names.want || fail "cp -a $from $to: names"
		mv "$from/src/deep" "$to/m$n" || fail "mv $from/src/deep $to"
		equal "mv $from $to" "$(find "$to/m$n" -type f | wc -l)" 5
		[ ! -e "$from/src/deep" ] || fail "the source is still there"
		mv "$to/m$n" "$from/src/deep" || fail "mv back $to $from"
		one=$(find "$from/src" -maxdepth 1 -type f | sort | head -1)
		mv "$one" "$to/file$n" || fail "mv of a file $from $to"
		[ ! -e "$one" ] && [ -s "$to/file$n" ] || fail "mv of a file $from $to"
		mv "$to/file$n" "$one" || fail "mv of a file back"
	done
done
crossed "cp -r, cp -a, mv"
refuse ls a/part/src/none 2>/dev/null

# the content, too
same_tree a/src b/r2
same_tree a/src p/r3

# one view gone, the others go on
umount_s3 b
mountpoint -q a && mountpoint -q p || fail "the others went as well"
equal "still there" "$(find a/src -type f | wc -l)" 35
umount_s3 a
umount p || fail "plain umount"
until_true 120 no_hub
# the daemon clears up after its mount has gone
nothing_left() { [ -z "$(ls -A "$FERRYFS_RUN_DIR" | grep -v '\.lock$')" ]; }
until_true 120 nothing_left
