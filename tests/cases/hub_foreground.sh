#!/bin/bash
# -f: the first one is the hub itself; a later one stays for as long as its mount; hub=no is a superblock of its own.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root: a hub is root's"

start_s3d --seed=alpha,prefix=dir/,count=3,size=10 --bucket=beta
mkdir a b
MOUNTS+=("$WORK/a" "$WORK/b")
"$FERRYFS" mount -f -o "staging=$WORK" s3://alpha a 2>hub.log &
first=$!
until_true 120 mountpoint -q a
equal "the hub is this process" "$(daemon_of a)" "$first"
"$FERRYFS" mount --foreground -o "staging=$WORK" s3://beta b 2>second.log &
second=$!
until_true 120 mountpoint -q b
equal "one hub" "$(daemon_of b)" "$first"
cp -r a/dir b/ || fail cp
kill -TERM "$second"
wait "$second" || fail "the second ended with $?"
! mountpoint -q b || fail "b is still mounted"
mountpoint -q a || fail "a went with it"
"$FERRYFS" mount -f -o "staging=$WORK" s3://beta b 2>second.log &
second=$!
until_true 120 mountpoint -q b
umount b
wait "$second" || fail "the second ended with $?"
umount a
wait "$first" || fail "the hub ended with $?"

# a first one that cannot mount ends with 1, and leaves no hub
refuse "$FERRYFS" mount -f -o "staging=$WORK" s3://none a 2>err.log
grep -q "no bucket 'none'" err.log || fail "said: $(<err.log)"
chmod 755 "$WORK"
refuse "$FERRYFS" mount -f -o "staging=$WORK" s3://alpha a 2>err.log
grep -q "open to others" err.log || fail "said: $(<err.log)"
chmod 700 "$WORK"
until_true 120 no_hub

# by itself
mount_s3 a s3://alpha -o hub=no
equal "source" "$(findmnt -no SOURCE a)" s3://alpha
equal "hubs" "$(hubs | wc -l)" 0
mkdir c
refuse "$FERRYFS" mount -o "staging=$WORK" s3://alpha/dir c 2>err.log
grep -q "is mounted on $WORK/a in a file system of its own" err.log || fail "said: $(<err.log)"
refuse "$FERRYFS" mount -o "staging=$WORK,hub=no" s3:// c 2>err.log
grep -q "is mounted on $WORK/a in a file system of its own" err.log || fail "said: $(<err.log)"
mount_s3 b s3://beta//odd
cp -r a/dir b/ || fail "cp between two superblocks"
equal "copied" "$(keys beta /odd/dir/f | wc -l)" 3
umount_s3 b
mount_s3 b s3://beta
refuse "$FERRYFS" mount -o "staging=$WORK,hub=no" s3://beta/dir c 2>err.log
grep -q "is mounted on $WORK/b" err.log || fail "said: $(<err.log)"
