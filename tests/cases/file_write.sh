#!/usr/bin/env bash
# create, write, append, overwrite: what close returned 0 for is at the server, with the type its name suggests.
. "$(dirname "$0")/lib.sh"
start_s3d
admin POST 'seed?bucket=data&count=0' >/dev/null
mount_s3 m s3://data
echo one >m/a.txt
equal size "$(object data a.txt | field size)" 4
equal type "$(object data a.txt | field headers.content-type)" text/plain
equal "stat after close" "$(command stat -c %s m/a.txt)" 4
echo two >>m/a.txt
equal appended "$(cat m/a.txt)" $'one\ntwo'
equal "size at the server" "$(object data a.txt | field size)" 8
echo x >m/a.txt
equal overwritten "$(cat m/a.txt)" x
: >m/empty.bin
equal "an empty file" "$(object data empty.bin | field size)" 0
head -c 30000000 /dev/urandom >big
dd if=big of=m/big bs=1234567 status=none || fail dd
cmp big m/big || fail "large file"
umount_s3 m
mount_s3 m s3://data
cmp big m/big || fail "large file after a new mount"
equal "after a new mount" "$(cat m/a.txt)" x
