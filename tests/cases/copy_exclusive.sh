#!/usr/bin/env bash
# What somebody else puts at the destination of a cp, between its creation and the copy, is not overwritten, and cp says so.
. "$(dirname "$0")/lib.sh"
[ -z "${FERRYFS_REAL:-}" ] || skip "neither Ceph (ignores it) nor Swift (501) has If-None-Match on a copy"
start_s3d --bucket data
put data source mine
mount_s3 m s3://data
admin POST hook 'when=copy,nth=1,do=put,bucket=data,key=copied,text=theirs' >/dev/null
refuse cp m/source m/copied
equal "theirs" "$(cat m/copied)" theirs
# A tree: of a thousand files one was made meanwhile.
admin POST 'seed?bucket=data&prefix=a/&count=300' >/dev/null
name=$(ls m/a | sed -n 150p)
admin POST hook "when=copy,nth=20,do=put,bucket=data,key=b/$name,text=theirs" >/dev/null
refuse cp -r m/a m/b
equal "theirs in the tree" "$(cat "m/b/$name")" theirs
equal "the source" "$(keys data a/ | wc -l)" 300
# Once it is known to be there, it is overwritten.
cp m/source m/copied
equal "overwritten" "$(cat m/copied)" mine
# A copy whose answer was lost is there already when it is sent again, and is not taken for somebody else's: not even that of an
# object uploaded in parts, which has another ETag.
head -c 12000000 /dev/urandom >large
umount_s3 m
until_true 120 no_hub
mount_s3 m s3://data -o part_size=5M,part_threshold=5M
cat large >m/large
umount_s3 m
until_true 120 no_hub
mount_s3 m s3://data
case $(object data large | field etag) in *-*) ;; *) fail "the ETag is that of one part" ;; esac
admin POST fault 'op=copy,nth=1,action=reset-after' >/dev/null
cp m/large m/larger || fail "a copy whose answer was lost"
cmp large m/larger || fail "not the same"
