#!/bin/bash
# What another mount of this machine shows already, by another name of the service or of the bucket, is not mounted a second
# time: in the hub, by a daemon of its own, by another user's, one bucket or all.  Two services that hold the same, made in
# the same second, are two.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root: a hub is root's"
any_server "two names of the embedded server"
start_s3d --bucket=twin --bucket=other --alias=twin-alias=twin --no-auth
one=$ENDPOINT two=http://localhost:$S3_PORT
admin POST "seed?bucket=twin&prefix=dir/&count=3&size=10" >/dev/null
mkdir two
refused() { # WHAT OPTIONS URL
	refuse "$FERRYFS" mount -o "endpoint_url=$two,log=$WORK/two.log,staging=$WORK/staging2,$2" "$3" two 2>err.log
	grep -q "shows the same objects as the mount on $WORK/one" err.log || fail "$1: said $(<err.log)"
	! mountpoint -q two || fail "$1: mounted"
}
mkdir -m 700 staging2
theirs() { # another user's daemons: another place where they meet
	mkdir -pm 700 "$WORK/run2"
	FERRYFS_RUN_DIR=$WORK/run2 "$@"
}
mount_s3 one s3://twin
refused "a view" "cache_ttl=5" s3://twin
refused "a view of a part" "cache_ttl=5" s3://twin/dir
refused "all buckets" "cache_ttl=5" s3://
refused "read-only" ro s3://twin
refused "a daemon of its own" hub=no s3://twin
refused "an alias" hub=no s3://twin-alias
theirs refused "another user's hub" "cache_ttl=5" s3://twin
theirs refused "another user's daemon" hub=no s3://twin
# another bucket, or another part, is no twin
"$FERRYFS" mount -o "endpoint_url=$two,log=$WORK/two.log" s3://other two || fail "another bucket"
umount_s3 two
umount_s3 one
until_true 120 no_hub
mount_s3 one s3://
refused "a bucket of all" "cache_ttl=5" s3://twin
refused "a bucket of all, alone" hub=no s3://twin
theirs refused "all of another user's" hub=no s3://
umount_s3 one
mount_s3 one s3://twin/dir -o hub=no
refused "beside a daemon of its own" "cache_ttl=5" s3://twin
umount_s3 one
# a service of the same buckets, with the same objects, keys and times
same_times() { [ "$(curl -s "$one/twin?list-type=2" | grep -o 'LastModified>[^<]*' | sort -u)" = "$(curl -s "$ENDPOINT/twin?list-type=2" | grep -o 'LastModified>[^<]*' | sort -u)" ]; }
start_s3d --bucket=twin --no-auth
for ((i = 0; i < 20; i++)); do
	for end in "$one" "$ENDPOINT"; do curl -s -X POST -d "" "$end/_s3d/seed?bucket=twin&prefix=dir/&count=3&size=10" >/dev/null; done
	same_times && break
done
same_times || fail "no two servers with the same objects"
mount_s3 one s3://twin
mount_s3 third s3://twin -o "endpoint_url=$one"
umount_s3 third
mount_s3 third s3://twin -o "endpoint_url=$one,hub=no"
