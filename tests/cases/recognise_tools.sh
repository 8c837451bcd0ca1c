#!/usr/bin/env bash
# Tools that read and write instead of asking for a copy: no object byte goes up, and what is made is what an upload
# would have made.
. "$(dirname "$0")/lib.sh"
[ -z "${FERRYFS_REAL:-}" ] || skip "the real servers have one storage class"
start_s3d
admin POST 'seed?bucket=data&count=0' >/dev/null
mount_s3 w s3://data
mkdir -p tree/sub
head -c 1 /dev/urandom >tree/one
head -c 300000 /dev/urandom >tree/page.html
head -c 5000000 /dev/urandom >tree/sub/large.bin
cp -r tree w/src || fail "making the source"
umount_s3 w
admin POST 'seed?bucket=data&prefix=meta/&count=1&size=1000&random=1&meta=colour:red&content-type=text/css' >/dev/null
mount_s3 m s3://data -o storage_class=STANDARD_IA,workers=3

# tool NAME CMD ...: copies the three files of m/src to m/NAME by CMD, from none of which it may upload anything.
check() {
	local name=$1 copies=$2
	equal "object bytes by $name" "$(stat object_bytes_in)" 0
	equal "copies by $name" "$(requests copy)" "$copies"
	cmp tree/one "m/$name/one" && cmp tree/page.html "m/$name/page.html" && cmp tree/sub/large.bin "m/$name/sub/large.bin" ||
		fail "content by $name"
}
each() {
	local name=$1 file
	shift
	mkdir -p "m/$name/sub"
	admin POST reset >/dev/null
	for file in one page.html sub/large.bin; do
		"$@" "m/src/$file" "m/$name/$file" || fail "$name $file"
	done
}
by_dd() { dd if="$1" of="$2" bs=64k status=none; }
by_python() { python3 -c '
import sys
with open(sys.argv[1], "rb") as source, open(sys.argv[2], "wb") as copy:
    while data := source.read(100000):
        copy.write(data)' "$1" "$2"; }
by_cat() { busybox cat "$1" >"$2"; }

# The first of all: one copy more tells whether the server keeps conditions.
each python by_python
check python 4
each dd by_dd
check dd 3
each cat by_cat
check cat 3
admin POST reset >/dev/null
busybox cp -r m/src m/busybox || fail "busybox cp"
check busybox 3
# rsync writes under another name and renames: a copy each.
admin POST reset >/dev/null
rsync -a m/src/ m/rsync || fail rsync
check rsync 6
same_tree tree m/rsync

# To another mount.
admin POST 'seed?bucket=other&count=0' >/dev/null
mount_s3 other s3://other -o workers=3
admin POST reset >/dev/null
rsync -a m/src/ other/rsync || fail "rsync to another mount"
equal "object bytes to another mount" "$(stat object_bytes_in)" 0
same_tree tree other/rsync

equal "type" "$(object data dd/page.html | field headers.content-type)" text/html
equal "class" "$(command stat -c %s m/dd/one; object data dd/one | field storage_class)" "1
STANDARD_IA"

# A name that means another type, a source with metadata: the copy has what an upload has.
source=$(keys data meta/)
python3 - "m/$source" m/plain.json <<'PY' || fail "a source with metadata"
import sys
open(sys.argv[2], "wb").write(open(sys.argv[1], "rb").read())
PY
cmp "m/$source" m/plain.json || fail "content of a source with metadata"
equal "its type" "$(object data plain.json | field headers.content-type)" application/json
object data plain.json | grep -q colour && fail "the source's metadata came along"
equal "object bytes in the end" "$(stat object_bytes_in)" 0
