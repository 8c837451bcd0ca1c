#!/bin/bash
# One bucket twice in one hub: two views by two of its names, or by two addresses of its service, which could not be told to be
# one when the second was mounted.  mv from one to the other, and what replaces and then unlinks, never loses the object; rm
# removes it.  Two buckets that are two are told apart once.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root: a hub is root's"
any_server "two names of the embedded server"
precious() { equal "$1: the object" "$(curl -s "$ENDPOINT/data/d/x")" precious; }

cat >replaces.py <<'PY'
import errno, os, sys
def busy(do):
    try:
        do()
    except OSError as error:
        return error.errno == errno.EBUSY
with open("a/d/x", "rb") as source:
    assert source.read(3) == b"pre"
    assert busy(lambda: open("b/d/x", "wb")), "emptied"
    with open("b/d/new", "w") as file:
        file.write("other")
    assert busy(lambda: os.rename("b/d/new", "b/d/x")), "renamed over"
    for size in 0, 1:
        assert busy(lambda: os.truncate("b/d/x", size)), "made shorter"
    file = os.open("b/d/x", os.O_RDWR)
    for size in 0, 1:
        assert busy(lambda: os.ftruncate(file, size)), "made shorter while it is open"
    os.ftruncate(file, 8)
    os.close(file)
os.unlink("b/d/new")
PY

for options in "" "--no-conditional-copy --no-conditional-delete"; do
	start_s3d --bucket=data --bucket=beta --alias=data-alias=data --no-auth $options
	put data d/x precious
	for how in alias address; do
		admin POST fault "op=create-upload,action=501:NotImplemented" >/dev/null
		if [ $how = alias ]; then
			mount_s3 a s3://data
			mount_s3 b s3://data-alias
		else
			admin DELETE "object?bucket=data&key=d/x" >/dev/null
			mount_s3 a s3://data
			mount_s3 b s3://data -o "endpoint_url=http://localhost:$S3_PORT"
			put data d/x precious
		fi
		text="'$options' $how"
		[ $how = alias ] || admin DELETE fault >/dev/null # told, or not told
		ls -l a/d b/d >/dev/null
		for pair in "a/d/x b/d/x" "b/d/x a/d/x" "a/d/x b/d/" "-f b/d/x a/d/"; do
			refuse mv $pair 2>err.log
			precious "$text: mv $pair"
		done
		if command -v rsync >/dev/null; then
			refuse rsync -a --ignore-times --remove-source-files a/d/ b/d/ 2>/dev/null
			precious "$text: rsync"
		fi
		python3 -c '
import os, shutil
try: shutil.move("a/d/x", "b/d/x")
except OSError: pass'
		precious "$text: a program that moves"
		refuse cp a/d/x b/d/x 2>/dev/null
		precious "$text: cp"
		python3 "$WORK/replaces.py" || fail "$text: a program that replaces what it reads"
		precious "$text: a program that replaces what it reads"
		cp b/d/x b/d/new && mv b/d/new b/d/x || fail "$text: replaced by who has not read it"
		echo -n precious >a/d/x || fail "$text: emptied by who has not read it"
		truncate -s 3 b/d/x && echo -n cious >>b/d/x || fail "$text: made shorter by who has not read it"
		precious "$text: replaced by its own content"
		rm a/d/x || fail "$text: rm"
		equal "$text: removed by rm" "$(keys data d/x)" ""
		put data d/x precious
		admin DELETE fault >/dev/null
		umount_s3 a
		umount_s3 b
	done
	until_true 120 no_hub
	# Two buckets with the same object: told apart, once.
	put beta d/x precious
	put data d/y other
	put beta d/y other
	mount_s3 a s3://data
	mount_s3 b s3://beta
	ls -l a/d b/d >/dev/null
	mv a/d/x b/d/x || fail "mv between two buckets"
	equal "moved" "$(keys data d/x)$(curl -s "$ENDPOINT/beta/d/x")" precious
	admin POST reset >/dev/null
	mv a/d/y b/d/y || fail "mv between two buckets, again"
	equal "uploads begun to tell" "$(requests create-upload)" 0
	equal "moved" "$(keys data d/y)" ""
	umount_s3 a
	umount_s3 b
done
