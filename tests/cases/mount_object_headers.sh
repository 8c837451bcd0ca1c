#!/bin/bash
# sse, sse_kms_key_id and acl of a mount go with everything that makes an object there: files, parts, markers, edits, copies,
# copies in parts, renames, what mv brings in from another mount, what is carried between accounts.  Bad values are refused first.
. "$(dirname "$0")/lib.sh"
any_server "headers of requests"
start_s3d --bucket=bkt --bucket=from --bucket=mine --key2 second:secret:mine
put from d/f text
put from d/g more
curl -sS -X POST "$ENDPOINT/_s3d/sparse?bucket=from&key=big&size=12000000" >/dev/null || fail sparse
head -c 12000000 /dev/zero >zeros
header() { object "$1" "$2" | field "headers.$3"; }
is_marked() { # KEY ...
	for key; do
		equal "$key" "$(header bkt "$key" x-amz-server-side-encryption) $(header bkt "$key" x-amz-server-side-encryption-aws-kms-key-id) $(header bkt "$key" x-amz-acl)" \
			"aws:kms a-key bucket-owner-full-control"
	done
}
mount_s3 m s3://bkt -o sse_kms_key_id=a-key,acl=bucket-owner-full-control,part_threshold=5M,part_size=5M,recognise=no
mount_s3 n s3://from -o part_threshold=5M,part_size=5M
echo x >m/file && sync m/file || fail file
: >m/empty && sync m/empty || fail empty
mkdir m/made || fail mkdir
cp zeros m/parts || fail "cp in parts"
echo y >>m/file && sync m/file || fail append
is_marked file empty made/ parts
cp -r m/file m/copy || fail cp
cp m/parts m/parts2 || fail "cp of an object in parts"
mv m/copy m/moved || fail mv
mkdir m/tree && cp m/file m/tree/f || fail "a tree"
mv m/tree m/tree2 || fail "mv of a directory"
cp -r n/d m/d || fail "cp -r from another mount"
mv n/d m/e || fail "mv from another mount"
is_marked parts2 moved tree2/f d/f d/g e/f e/g
# not what the other mount makes
cp m/file n/file || fail "cp out"
equal "out" "$(header from file x-amz-acl)" 0
umount_s3 m
umount_s3 n
# recognised bytes are a copy, and that has them too
mount_s3 m s3://bkt -o sse,acl=private
cp m/moved local && cp local m/known || fail "recognised"
equal "AES256" "$(header bkt known x-amz-server-side-encryption)" AES256
umount_s3 m
# two views of one bucket that differ in this only are two views; each has its own
mount_s3 m s3://bkt/one -o sse=AES256
mount_s3 n s3://bkt/two -o sse=aws:kms
echo x >m/f && sync m/f && echo x >n/f && sync n/f || fail "two views"
equal "one" "$(header bkt one/f x-amz-server-side-encryption)" AES256
equal "two" "$(header bkt two/f x-amz-server-side-encryption)" aws:kms
umount_s3 m
umount_s3 n

# Bad values: refused before any request, by mounts and commands in the same words.
admin POST reset >/dev/null
wrong() { # SENTENCE OPTION...
	local sentence=$1
	shift
	"$FERRYFS" mount "$@" s3://bkt m 2>err.log && fail "mounted with $*"
	grep -qF "$sentence" err.log || fail "mount $*: $(<err.log)"
	"$FERRYFS" cp "$@" s3://bkt/file s3://bkt/g 2>err.log
	equal "cp $*" "$?" 2
	grep -qF "$sentence" err.log || fail "cp $*: $(<err.log)"
}
wrong "sse: 'nonsense' is not one of AES256" --sse=nonsense
wrong "acl: 'nonsense' is not one of private" --acl nonsense
wrong "acl: '' is not one of private" --acl=
wrong "'' is not the id, ARN or alias" --sse-kms-key-id ''
wrong "leave one of them out" --sse=AES256 --sse-kms-key-id k
wrong "is not the name of a storage class" --storage-class 'standard class'
wrong "not a size from 5M to 5G" --part-threshold 1M
wrong "not a size from 5M to 5G" --part-size 1K
wrong "'me' is not 'requester'" --request-payer=me
equal "no request was sent" "$(stat total)" 0
# words that may follow an option without '='
mount_s3 m s3://bkt --sse aws:kms --request-payer requester
umount_s3 m
mount_s3 m s3://bkt -o request_payer=requester
umount_s3 m
