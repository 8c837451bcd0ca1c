#!/usr/bin/env bash
# What S3 knows of an object goes along to a local disk with cp --preserve=xattr, -a and mv, a tree's as well as a file's;
# inside the mount the server copies it.
. "$(dirname "$0")/lib.sh"
command -v getfattr >/dev/null || skip "no getfattr"
start_s3d --bucket=bkt
for key in d/f d/sub/g d/none; do put bkt $key "$([ $key = d/none ] || echo x)"; done
mount_s3 m s3://bkt
cp --preserve=xattr m/d/f one 2>/dev/null || skip "no extended attributes on $WORK"
names() { getfattr -d "$1" 2>/dev/null | grep -o '^user[^=]*' | sort | tr '\n' ' '; }
wanted=$(names one)
[ -n "$wanted" ] || fail "a single file has none"
mkdir m2
mount --bind m m2 2>/dev/null && MOUNTS+=("$WORK/m2")
for how in "-r --preserve=xattr" "-a"; do
	cp $how m/d "tree${how##* }" || fail "cp $how"
	for file in f sub/g none; do equal "cp $how: $file" "$(names "tree${how##* }/$file")" "$wanted"; done
done
cp -r --preserve=xattr m/d m/inside || fail "inside the mount"
equal "inside the mount" "$(object bkt inside/f | field etag)" "$(object bkt d/f | field etag)"
mv m/d moved || fail mv
equal "mv" "$(names moved/sub/g)" "$wanted"
