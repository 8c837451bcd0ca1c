#!/bin/bash
# Across views as inside one: exit 0 tells the truth (a copy that S3 refused makes cp and mv fail), and no source goes before its copy.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root: a hub is root's"

start_s3d --seed=alpha,prefix=dir/,count=40,size=100 --bucket=beta
mount_s3 a s3://alpha -o retries=0
mount_s3 b s3://beta
mount_s3 p s3://alpha/part

# one object of forty is refused, each time another one
for tool in "cp -r" "cp -a" mv; do
	for to in b p; do
		rm -rf "$to/dir"
		admin POST fault "op=copy,nth=17,action=403:AccessDenied" >/dev/null
		refuse $tool a/dir "$to/" 2>err.log
		admin DELETE fault >/dev/null
		equal "$tool to $to: sources" "$(keys alpha dir/f | wc -l)" 40
		grep -q "403" mount.log || fail "$tool: not logged"
		: >mount.log
	done
done

# all refused: an existing destination stays what it is, or is gone only as mv itself unlinks it
rm -rf b/dir
mkdir b/dir
name=$(ls a/dir | head -1)
echo old >"b/dir/$name"
admin POST fault "op=copy,action=500:InternalError" >/dev/null
refuse cp "a/dir/$name" "b/dir/$name" 2>/dev/null
admin DELETE fault >/dev/null
equal "the old one" "$(cat "b/dir/$name")" old
equal "source" "$(keys alpha "dir/$name")" "dir/$name"

# cp && rm in one breath: whatever was not copied is still there
rm -rf b/dir
admin POST fault "op=copy,nth=5,action=403:AccessDenied" >/dev/null
cp -r a/dir b/ 2>/dev/null && rm -r a/dir
admin DELETE fault >/dev/null
lost=$(comm -23 <(for i in $(seq 0 39); do printf 'file%06d.txt\n' "$i"; done) <( (keys alpha dir/; keys beta dir/) | sed 's|.*/||' | sort -u))
[ -z "$lost" ] || fail "lost: $lost"

# and without a fault it all arrives
rm -rf b/dir p/dir
mv a/dir b/ || fail mv
equal "moved" "$(keys beta dir/f | wc -l)+$(keys alpha dir/ | wc -l)" 40+0
mv b/dir p/ || fail "mv back into a prefix"
equal "moved" "$(keys alpha part/dir/f | wc -l)+$(keys beta dir/ | wc -l)" 40+0
