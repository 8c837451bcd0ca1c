#!/bin/bash
# One key that rm -r may not remove costs nothing else: whatever it has yet to answer, all the others are gone when it
# ends, with 1, and the log names the one.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt --seed=bkt,prefix=flat,count=9000,size=1 --seed=bkt,prefix=trees,count=5500,size=1,dirs=50 \
	--seed=bkt,prefix=more,count=5,size=1
put bkt more-file one
# In the order of a listing: a directory, files, a directory, files.
for name in a-dir/1 a-dir/2 b1 b2 b3 b4 c-dir/1 c-dir/2 d1 d2 d3 d4; do put bkt "behind/$name" x; done
mount_s3 m s3://bkt
# refused KEY COMMAND...: the key alone is left
refused() {
	local key=$1
	shift
	: >mount.log
	admin POST fault "op=deletes-key,key=$key,action=403:AccessDenied" >/dev/null
	admin POST fault "op=delete,key=$key,action=403:AccessDenied" >/dev/null
	refuse "$@" 2>err
	equal "$*: left" "$(keys bkt "${key%%/*}")" "$key"
	admin DELETE fault >/dev/null
	grep -q "unlink.*$key" mount.log || fail "the log does not name $key"
}

# More than may be outstanding: some unlinks wait for room, and for all before them.
admin POST 'set?latency.deletes=300' >/dev/null
refused flat/file000003.txt rm -r m/flat
admin POST 'set?latency.deletes=40' >/dev/null
# Told at one of fifty directories, rm leaves those around it alone, and still ends after the last delete.
refused trees/dir0000/file000000.txt rm -rf m/trees
admin POST 'set?latency.deletes=100' >/dev/null
# Several operands: the last are files.
refused more/file000002.txt rm -r m/more m/more-file
[ ! -e m/more-file ] || fail "the other operand is still there"
# Files beside a directory that stays: rm will not remove theirs, so no call comes after the last of them.
admin POST 'set?latency.deletes=150' >/dev/null
refused behind/a-dir/2 rm -r m/behind
# As when a directory could not even be read.
for name in a-dir b1 b2 b3 c-dir/1 d1 d2 d3; do put bkt "unread/$name" x; done
put bkt unread/z-dir/1 x
until_true 120 test -e m/unread/z-dir
admin POST fault 'op=list,key=unread/z-dir/*,action=403:AccessDenied' >/dev/null
refuse rm -r m/unread 2>err
equal "beside what could not be read" "$(keys bkt unread)" unread/z-dir/1
admin DELETE fault >/dev/null
rm -r m/unread m/behind || fail "rm without a fault"
equal "shown" "$(find m -type f | sort)" "$(printf '%s\n' m/flat/file000003.txt m/more/file000002.txt m/trees/dir0000/file000000.txt)"
