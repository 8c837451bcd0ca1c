#!/usr/bin/env bash
# file_mode and dir_mode name permissions beside umask, in any order; programs run from the mount where these say so, and not with noexec.
. "$(dirname "$0")/lib.sh"

start_s3d --bucket=bkt
mount_s3 m s3://bkt
mkdir m/d
printf '#!/bin/sh\necho ran\n' >m/d/run.sh
until_true 120 "$FERRYFS" umount m # a program that has just run may still be looked at
mode() { command stat -c %a "$1"; }
with() { mount_s3 m s3://bkt -o "$1"; }

with umask=022
equal "by default" "$(mode m/d/run.sh) $(mode m/d)" "644 755"
refuse m/d/run.sh 2>/dev/null
until_true 120 "$FERRYFS" umount m # a program that has just run may still be looked at
for order in file_mode=0755,dir_mode=710,umask=077 umask=077,dir_mode=710,file_mode=0755; do
	with "$order,allow_other"
	equal "modes" "$(mode m/d/run.sh) $(mode m/d) $(mode m)" "755 710 710"
	until_true 120 "$FERRYFS" umount m # a program that has just run may still be looked at
done
# a binary is mapped
with file_mode=755
equal "a script" "$(m/d/run.sh)" ran
cp "$(type -P true)" m/d/true || fail cp
m/d/true || fail "a binary does not run"
(cd m/d && ./true) || fail "a binary does not run"
# a view inside has to agree
mkdir -p n
refuse "$FERRYFS" mount -o "log_file=$WORK/mount.log,staging=$WORK,file_mode=700" s3://bkt/d n 2>why
grep -q "file_mode" why || fail "$(<why)"
until_true 120 "$FERRYFS" umount m # a program that has just run may still be looked at
for alone in hub=yes hub=no; do
	with "file_mode=755,noexec,$alone"
	refuse m/d/run.sh 2>/dev/null
	refuse m/d/true 2>/dev/null
	equal "its mode" "$(mode m/d/run.sh)" 755
	until_true 120 "$FERRYFS" umount m # a program that has just run may still be looked at
done
for bad in file_mode=888 file_mode=4755 file_mode= file_mode=-1 file_mode=rwx dir_mode=1777 dir_mode=0x1 file_mode dir_mode; do
	refuse "$FERRYFS" mount -o "$bad" s3://bkt m 2>why
	grep -q "${bad%%=*}" why || fail "$bad: $(<why)"
done
