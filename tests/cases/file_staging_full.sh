#!/usr/bin/env bash
# A staging directory that is full: write or close says so, the object stays what it was, and with room again all works.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "mounting a small tmpfs takes root"
start_s3d --bucket=data
put data old content
put data grown content
admin POST 'seed?bucket=data&prefix=big/&count=1&size=3000000' >/dev/null
big=$(keys data big/)
mkdir staging
mount -t tmpfs -o size=1m,mode=0700 tmpfs staging 2>/dev/null || skip "no tmpfs here"
MOUNTS+=("$WORK/staging")
mkdir -p m
MOUNTS+=("$WORK/m")
"$FERRYFS" mount -o "log_file=$WORK/mount.log,staging=$WORK/staging" "${SANITIZER_OPTIONS[@]}" s3://data m || fail mount
full() { grep -q 'No space left' err || fail "$1: $(<err)"; }
before=$(keys data | tr '\n' ' ')
refuse dd if=/dev/zero of=m/new bs=64k count=40 status=none 2>err
full write
refuse dd if=/dev/zero of=m/grown bs=64k count=40 seek=1 conv=notrunc status=none 2>err
full "write behind the end"
refuse bash -c 'printf x | dd of="$1" conv=notrunc status=none' edit "m/$big" 2>err
full "edit of a large object"
# dd stores what it wrote before it met the end of the room, as on any file system; nothing else may differ.
equal "edited object" "$(object data "$big" | field size)" 3000000
equal "old" "$(cat m/old)" content
equal "gone" "$(keys data | grep -vxF -e new -e grown | tr '\n' ' ')" "$(tr ' ' '\n' <<<"$before" | grep -vxF grown | grep . | tr '\n' ' ')"
rm -f m/new m/grown
# Copies on the server need no room here; and with room again everything works.
cp "m/$big" m/copy || fail "cp on the server"
equal "copy" "$(object data copy | field size)" 3000000
mount -o remount,size=16m "$WORK/staging"
printf x | dd of="m/$big" conv=notrunc status=none || fail "edit with room"
dd if=/dev/zero of=m/new bs=64k count=40 status=none || fail "write with room"
equal "new" "$(object data new | field size)" $((40 * 65536))
umount_s3 m
