#!/bin/bash
# A bucket with Object Lock refuses a body without Content-MD5 or x-amz-checksum-*: files, empty ones, parts, markers, edits
# and files carried between accounts all have one; also where OpenSSL has no MD5 (FIPS).
. "$(dirname "$0")/lib.sh"
any_server "what every body carries"
start_s3d --bucket=bkt --bucket=other --object-lock --key2 second:secret:other
status() { curl -s -o /dev/null -w '%{http_code}' "$@"; }

all_kinds() { # DIR
	echo text >"$1/text" && sync "$1/text" || fail "$1: a file"
	: >"$1/empty" && sync "$1/empty" || fail "$1: an empty file"
	cp /etc/hostname "$1/copied" || fail "$1: cp"
	mkdir "$1/made" || fail "$1: mkdir"
	head -c 6000000 /dev/zero | dd of="$1/parts" bs=1M status=none || fail "$1: in parts"
	head -c 11000000 /dev/zero | dd of="$1/parts" bs=1M status=none || fail "$1: in parts, over one that is there"
	dd if=/dev/zero of="$1/text" bs=1 count=2 seek=1 conv=notrunc status=none || fail "$1: an edit"
	[ "$(stat requests.upload-part)" -gt 2 ] || fail "$1: nothing went in parts"
	rm -r "$1/made" "$1/text" || fail "$1: rm -r"
}
mount_s3 m s3://bkt -o part_threshold=5M,part_size=5M,recognise=no
all_kinds m
umount_s3 m

# What arrives damaged is refused by its digest, tried again, and then stored whole.
admin POST fault 'op=put,count=1,action=400:BadDigest' >/dev/null
mount_s3 m s3://bkt
echo again >m/again && sync m/again || fail "after BadDigest"
equal "stored whole" "$(cat m/again)" again
umount_s3 m

[ -z "${SANITIZED:-}" ] || exit 0 # a sanitizer's library wants to be the first
cat >shim.c <<'C'
/* An OpenSSL without MD5. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <strings.h>
void *EVP_MD_fetch(void *context, const char *name, const char *properties)
{
	void *(*next)(void *, const char *, const char *) =
		(void *(*)(void *, const char *, const char *))dlsym(RTLD_NEXT, "EVP_MD_fetch");
	return strcasecmp(name, "MD5") == 0 ? NULL : next(context, name, properties);
}
C
cc -shared -fPIC -w -o shim.so shim.c -ldl || exit 0
LD_PRELOAD=$WORK/shim.so mount_s3 m s3://bkt -o part_threshold=5M,part_size=5M,recognise=no
admin POST reset >/dev/null
all_kinds m
umount_s3 m
LD_PRELOAD=$WORK/shim.so "$FERRYFS" rm -r -q s3://bkt || fail "DeleteObjects without MD5"
equal "nothing left" "$(keys bkt)" ""
