#!/bin/bash
# Virtual-hosted addressing: the bucket stands in the host name (libcurl resolves *.localhost to the loopback itself).
. "$(dirname "$0")/lib.sh"
start_s3d --domain=localhost --seed=source,prefix='x/a b+',count=20,size=10 --bucket=dest --bucket=with.dots --bucket=Upper_1
export AWS_ENDPOINT_URL=http://localhost:$S3_PORT
"$FERRYFS" ls --addressing virtual >out || fail "ls of the buckets"
equal "buckets" "$(wc -l <out)" 4
"$FERRYFS" ls -r --addressing virtual s3://source/ >out 2>err || fail "ls: $(<err)"
equal "listed" "$(wc -l <out)" 20
"$FERRYFS" cp -r --quiet --addressing virtual s3://source/x s3://dest/y || fail "cp -r"
equal "copied" "$(keys dest y/ | wc -l)" 20
"$FERRYFS" cp -r --quiet --addressing virtual s3://dest/y s3://with.dots/y || fail "cp -r to a bucket with dots"
# what is no host name goes by path
"$FERRYFS" cp -r --quiet --addressing virtual s3://with.dots/y s3://Upper_1/y || fail "cp -r to a bucket that is no host name"
equal "copied on" "$(keys Upper_1 y/ | wc -l)" 20
"$FERRYFS" mv -r --quiet --addressing virtual s3://dest/y s3://dest/z || fail "mv -r"
equal "moved" "$(keys dest z/ | wc -l) $(keys dest y/ | wc -l)" "20 0"
mount_s3 m s3://source -o addressing=virtual
echo text >m/new || fail "write"
cp -r m/x m/v || fail "cp -r in the mount"
equal "in the mount" "$(find m/v -type f | wc -l) $(cat m/new)" "20 text"
umount_s3 m
# from the profile
mkdir -p "$HOME/.aws"
printf '[default]\ns3 =\n  addressing_style = virtual\n' >"$HOME/.aws/config"
"$FERRYFS" ls -r --log-level trace s3://dest/ >out 2>err || fail "ls with the profile's style"
equal "listed" "$(wc -l <out)" 20
refuse "$FERRYFS" ls --addressing sideways s3://dest/ 2>err
