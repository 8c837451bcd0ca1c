#!/usr/bin/env bash
# cp -r of 2,000 objects is 2,000 CopyObject and no GetObject, and both trees are the same; mv of the directory leaves nothing
# at the old place and every object whole at the new one: metadata, content type, tags, storage class.
. "$(dirname "$0")/lib.sh"
start_s3d
admin POST 'seed?bucket=bkt-a&prefix=dir&count=2000&size=200&dirs=10&depth=1' >/dev/null
admin POST 'seed?bucket=bkt-b&count=0' >/dev/null
rich=dir/dir0003/rich.json
echo '{}' >rich.json
aws=$(command -v /usr/bin/aws || command -v aws) || skip "no aws to make an object with tags"
# What the real ones don't have: other storage classes, and Swift's tags.
class=STANDARD_IA tags=(--tagging 'team=x&stage=two%20words')
case ${FERRYFS_REAL:-} in rgw) class=STANDARD ;; swift) class=STANDARD tags=() ;; esac
"$aws" --endpoint-url "$ENDPOINT" s3api put-object --bucket bkt-a --key "$rich" --body rich.json --content-type application/json \
	--metadata 'owner=ann,note=a b' "${tags[@]}" --storage-class "$class" --cache-control max-age=7 \
	>/dev/null || fail "put-object"
# What belongs to an object; the key, the time and the bucket are its place.
whole() { object "$1" "$2" | python3 -c '
import json, sys
o = json.load(sys.stdin)
print(json.dumps({k: v for k, v in o.items() if k in ("headers", "metadata", "tags", "storage_class", "size", "etag", "content_type")}, sort_keys=True))'; }
before=$(whole bkt-a "$rich")
case $before in *owner*) ;; *) fail "the test's own object: $before" ;; esac

mount_s3 m s3://
admin POST reset >/dev/null
cp -r m/bkt-a/dir m/bkt-b/ || fail "cp -r"
equal "CopyObject" "$(requests copy)" 2001
equal "GetObject" "$(requests get)" 0
equal "the same keys" "$(keys bkt-b dir/)" "$(keys bkt-a dir/)"
same_tree m/bkt-a/dir m/bkt-b/dir
equal "copied whole" "$(whole bkt-b "$rich")" "$before"

keys bkt-a dir/ | sed 's|^dir/|new/|' >wanted
mv m/bkt-a/dir m/bkt-b/new || fail "mv between buckets"
equal "left at the old place" "$(keys bkt-a dir/ | wc -l)" 0
keys bkt-b new/ >got
diff wanted got || fail "keys at the new place"
equal "moved whole" "$(whole bkt-b "new/${rich#dir/}")" "$before"
umount_s3 m
