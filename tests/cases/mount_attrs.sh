#!/bin/bash
# Attributes: shown from LIST and HEAD, accepted without effect, extended ones read only, and what each costs.
. "$(dirname "$0")/lib.sh"

start_s3d --seed=alpha,prefix=d/,count=3,size=1000
put alpha d/plain hello
mount_s3 m s3:// -o uid=4,gid=5,umask=027,cache_ttl=300
file=m/alpha/d/plain

# what stat shows
ls -l m/alpha/d >/dev/null || fail ls
equal "mode, owner, size, blocks, links" "$(command stat -c '%A %u %g %s %b %h' $file)" "-rw-r----- 4 5 5 1 1"
equal "directory" "$(command stat -c '%A %u %g %h' m/alpha/d)" "drwxr-x--- 4 5 1"
equal "blocks are rounded up" "$(command stat -c '%s %b' "$(ls -d m/alpha/d/* | grep -v plain | head -1)")" "1000 2"
# Swift rounds the time up to the next second.
age=$(($(date +%s) - $(command stat -c %Y $file)))
[ "$age" -ge -1 ] && [ "$age" -lt 600 ] || fail "age $age"
[ "$(df --output=avail -k m | tail -1)" -gt 1000000000 ] || fail "df: $(df m)"
equal "longest name" "$(command stat -f -c %l m)" 255

# accepted without effect and without a request
admin POST reset >/dev/null
chmod 600 $file || fail chmod
chown 9:9 $file || fail chown
touch -d 2001-02-03 $file || fail touch
chmod 700 m/alpha/d || fail "chmod of a directory"
touch m/alpha/d || fail "touch of a directory"
equal "mode is the view's" "$(command stat -c '%A %u' $file)" "-rw-r----- 4"
equal "requests" "$(stat total)" 0

# extended attributes
etag=$(object alpha d/plain | field etag | tr -d '"')
equal etag "$(getfattr --only-values -n user.s3.etag $file)" "$etag"
equal class "$(getfattr --only-values -n user.s3.storage-class $file)" STANDARD
equal type "$(getfattr --only-values -n user.s3.content-type "$(ls -d m/alpha/d/* | grep -v plain | head -1)")" text/plain
getfattr -d $file | grep -q user.s3.etag || fail "getfattr -d: $(getfattr -d $file)"
refuse getfattr -n user.s3.meta.none $file 2>/dev/null
refuse setfattr -n user.s3.etag -v x $file 2>/dev/null
refuse setfattr -n user.mine -v x $file 2>/dev/null
refuse setfattr -x user.s3.etag $file 2>/dev/null
equal "none of a directory" "$(getfattr -d m/alpha/d)" ""
admin POST reset >/dev/null
refuse getfattr -n security.capability $file 2>/dev/null
refuse getfattr -n system.posix_acl_access $file 2>/dev/null
refuse getfattr -n user.mine $file 2>/dev/null
equal "requests of foreign names" "$(stat total)" 0
umount_s3 m

# user metadata shows by its name
if command -v aws >/dev/null; then
	echo text >body
	aws --endpoint-url "$ENDPOINT" s3api put-object --bucket alpha --key d/meta --body body --metadata colour=red,shape=round >/dev/null || fail "aws put-object"
	mount_s3 m s3://alpha/d
	equal meta "$(getfattr --only-values -n user.s3.meta.colour m/meta)" red
	equal "names" "$(getfattr m/meta | grep -c user.s3.meta)" 2
	umount_s3 m
fi

# what somebody else changes shows after cache_ttl, what they remove is gone
mount_s3 m s3://alpha/d -o cache_ttl=0
equal "size" "$(command stat -c %s m/plain)" 5
exec 3<m
put alpha d/plain longer
equal "new size" "$(command stat -c %s m/plain)" 6
admin DELETE "object?bucket=alpha&key=d/plain" >/dev/null
refuse command stat m/plain 2>/dev/null
exec 3<&-
umount_s3 m
