#!/bin/bash
# One key is one file, however many mounts show it: mv and cp of a file onto itself say so and lose nothing.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root: a hub is root's"

start_s3d --bucket=bucket
put bucket dir/x content
put bucket dir/y other
mount_s3 all s3://
mount_s3 whole s3://bucket
mount_s3 part s3://bucket/dir
equal "inode of the file" "$(command stat -c %i whole/dir/x)" "$(command stat -c %i part/x)"
equal "inode of the file" "$(command stat -c %i all/bucket/dir/x)" "$(command stat -c %i part/x)"
equal "inode of the root" "$(command stat -c %i whole/dir)" "$(command stat -c %i part)"

for pair in "whole/dir/x part/x" "part/x whole/dir/x" "all/bucket/dir/x part/" "part/x all/bucket/dir"; do
	set -- $pair
	for tool in mv cp "mv -f" "cp -f" "cp -a"; do
		refuse $tool "$1" "$2" 2>err.log
		grep -q "are the same file" err.log || fail "$tool $pair said: $(<err.log)"
		equal "content after $tool $pair" "$(<whole/dir/x)" content
		equal "the object" "$(keys bucket dir/x)" dir/x
	done
done

# what one view writes the others show at once
echo longer-text >part/x
equal "by the other view" "$(<whole/dir/x)" longer-text
rm all/bucket/dir/y
[ ! -e part/y ] && [ ! -e whole/dir/y ] || fail "still shown"
mkdir part/new
[ -d all/bucket/dir/new ] || fail "not shown"

# onto another file of the same bucket, by two views: replaced, never lost
echo new-content >whole/dir/z
mv whole/dir/z part/x || fail "mv onto another file"
equal "content" "$(<part/x)" new-content
equal "the source" "$(keys bucket dir/z)" ""
