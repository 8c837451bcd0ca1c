#!/bin/bash
# A journal that cannot be written: the move fails before anything is copied, or, where the disk fills up later, before anything
# is deleted; a directory that others could write is refused.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt
admin POST "seed?bucket=bkt&prefix=a/&count=3000&size=10" >/dev/null
untouched() {
	equal "sources: $1" "$(keys bkt a/ | wc -l)" 3000
	equal "copies: $1" "$(keys bkt b/)" ""
}

mkdir -m 755 open
mkdir -m 700 mine
ln -s mine link
for place in relative "$WORK/none/none" "$WORK/open" "$WORK/link"; do
	refuse "$FERRYFS" mv -r --journal "$place" s3://bkt/a s3://bkt/b 2>err
	refuse "$FERRYFS" mount -o "journal=$place" s3://bkt "$WORK/open" 2>err
done
equal "copies" "$(requests copy)" 0

# Gone, and read only, while it is mounted.
mount_s3 m s3://bkt -o "journal=$WORK/mine"
ls m/a >/dev/null
rmdir mine
refuse mv m/a m/b 2>err
grep -qi 'no such file' err || fail "$(cat err)"
grep -q 'rename directory.*a/' mount.log || fail "not logged: $(cat mount.log)"
umount_s3 m
mkdir -m 700 mine
mount -t tmpfs -o size=64k,mode=700 tmpfs mine || skip "no tmpfs may be mounted here"
trap 'ended=$?; umount -l "$WORK/mine" 2>/dev/null; (exit "$ended"); cleanup' EXIT
mount_s3 m s3://bkt -o "journal=$WORK/mine"
mount -o remount,ro mine
refuse mv m/a m/b 2>err
grep -qi 'read-only' err || fail "$(cat err)"
refuse "$FERRYFS" mv -r --journal "$WORK/mine" s3://bkt/a s3://bkt/b 2>err
equal "copies" "$(requests copy)" 0
mount -o remount,rw,size=160k mine

# Full in the middle: 3,000 keys need more than 160 KiB.
refuse mv m/a m/b 2>err
grep -qi 'no space' err || fail "$(cat err)"
untouched "a full disk, mount"
refuse "$FERRYFS" mv -r --quiet --journal "$WORK/mine" s3://bkt/a s3://bkt/b 2>err
grep -qi 'no space' err || fail "$(cat err)"
untouched "a full disk, command"
equal "deletes of sources" "$(keys bkt a/ | wc -l)" 3000
equal "journals" "$(ls mine)" ""
[ "$(requests copy)" -gt 0 ] || fail "it was refused before it could fill up"

# Full from the start: a move of one directory is refused before anything is copied.  What is written needs no journal: it
# cannot be put on record, which the log says, and its close stores it all the same.
dd if=/dev/zero of=mine/filler bs=4k 2>/dev/null
admin POST reset >/dev/null
: >mount.log
refuse mv m/a m/b 2>err
grep -qi 'no space' err || fail "$(cat err)"
grep -qi 'rename directory.*a/.*no space' mount.log || fail "not logged: $(cat mount.log)"
refuse "$FERRYFS" mv -r --quiet --journal "$WORK/mine" s3://bkt/a s3://bkt/b 2>err
grep -qi 'no space' err || fail "$(cat err)"
untouched "full from the start"
equal "copies" "$(requests copy)" 0
# (A shell's own redirection would close a copy of the descriptor, and so store it.)
mkfifo go
python3 -c '
import sys
with open("m/written", "w") as file:
    file.write("written\n")
    file.flush()
    sys.stdin.read()' <go &
writer=$!
exec 4>go
until_true 120 grep -q "would not survive this daemon: .*No space left" mount.log
exec 4>&-
wait "$writer" || fail "close"
equal "stored at close" "$(object bkt written | field size)" 8
equal "on the full disk" "$(ls mine)" filler
equal "named staging files" "$(ls | grep -c '^staged-')" 0
umount_s3 m
umount mine
