#!/bin/bash
# What keeps a mount from starting is said in one sentence on the terminal, with exit status 1; wrong usage is 2.
. "$(dirname "$0")/lib.sh"

start_s3d --bucket=there
mkdir m

# says STATUS PATTERN ARGUMENT ... : `ferryfs mount` ends so, and nothing is mounted
says() {
	local wanted=$1 pattern=$2 status
	shift 2
	timeout 60 "$FERRYFS" mount "$@" >out 2>err.log
	status=$?
	equal "status of mount $*" "$status" "$wanted"
	grep -qE -- "$pattern" err.log || fail "mount $*: '$(<err.log)' lacks '$pattern'"
	equal "lines of mount $*" "$(grep -c . err.log)" "$([ "$wanted" = 2 ] && echo 2 || echo 1)"
	! mountpoint -q m || fail "mounted after all: $*"
	! grep -q testsecret err.log || fail "a secret was printed"
}

# usage
says 2 "address s3://.* is missing"
says 2 "directory to mount on is missing" s3://there
says 2 "no address like" there m
says 2 "unknown option 'colour'" -o ro,colour=red s3://there m
says 2 "unknown option 'no-such'" --no-such s3://there m
says 2 "umask" -o umask=9 s3://there m
says 2 "not also 'n'" s3://there m n

# the directory
says 1 "none: there is no such directory" s3://there none
touch file
says 1 "file: not a directory" s3://there file
ln -s "$WORK/m" link
mkdir -p "$WORK/deep"

# the service
says 1 "there is no bucket 'nowhere' at http://127.0.0.1:$S3_PORT" s3://nowhere m
AWS_ACCESS_KEY_ID=other says 1 "does not know this access key id \(InvalidAccessKeyId\)${FERRYFS_REAL:+|SignatureDoesNotMatch}" s3://there m
AWS_SECRET_ACCESS_KEY=other says 1 "secret access key is wrong \(SignatureDoesNotMatch\)" s3://there m
# How a real server refuses it is its own affair.
[ -n "${FERRYFS_REAL:-}" ] || says 1 "AccessDenied|may not list" -o no_sign_request s3://there m
env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY "$FERRYFS" mount s3://there m 2>err.log && fail "mounted without credentials"
grep -q . err.log || fail "nothing said about missing credentials"
admin POST "fault" "op=list,action=403:AccessDenied" >/dev/null
says 1 "may not list s3://there/part \(AccessDenied\)" s3://there/part m
admin DELETE fault >/dev/null

# the way to it
says 1 "cannot reach http://127.0.0.1:1: the connection was refused" --retries=0 --endpoint-url http://127.0.0.1:1 s3://there m
says 1 "cannot reach http://no-such-host.invalid" --retries=0 -o endpoint_url=http://no-such-host.invalid s3://there m
says 1 "cannot reach https://127.0.0.1:$S3_PORT: TLS failed" --retries=0 --endpoint-url "https://127.0.0.1:$S3_PORT" s3://there m
says 1 "." --endpoint-url ftp://x s3://there m

# this machine's side
mkdir -m 0755 open
says 1 "staging directory .*open to others" -o "staging=$WORK/open" s3://there m
says 1 "below the mount point" -o "staging=$WORK/m/staging" s3://there m
rmdir m/staging
says 1 "log .*: No such file" -o "log_file=$WORK/none/log" s3://there m
says 1 "CA bundle" -o ca_bundle=/none s3://there m

# a prefix need not exist
mount_s3 m s3://there/no/such/prefix
equal "an empty prefix" "$(ls m)" ""
"$FERRYFS" mount s3://there m 2>err.log && fail "mounted twice"
grep -q "s3://there/no/such/prefix is already mounted there" err.log || fail "said: $(<err.log)"
"$FERRYFS" mount s3://there link 2>err.log && fail "mounted twice, by a link"
grep -q "already mounted" err.log || fail "said: $(<err.log)"
umount_s3 m

"$FERRYFS" mount --help | grep -q cache_ttl || fail "no help"
"$FERRYFS" umount --help | grep -q Usage || fail "no help"
