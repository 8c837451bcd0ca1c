#!/usr/bin/env bash
# attrs=meta: mode, owner and times are kept as the object's metadata, whoever sets them and when; what belongs to the content
# being written travels with it, at no request of its own; another mount shows the same.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root: chown"

start_s3d --bucket=bkt
with() { mount_s3 m s3://bkt -o "attrs=meta,allow_other${1:+,$1}"; }
seen() { command stat -c '%a %u:%g %Y' "$1"; }
meta() { object bkt "$1" | field headers | python3 -c 'import json, sys; h = json.load(sys.stdin); print(*(h.get("x-amz-meta-" + n, "-") for n in sys.argv[1:]))' "${@:2}"; }
no_requests() { equal "requests of $1" "$(stat total)" 0; }

with cache_ttl=300
# what was there before shows the view's own
put bkt old text
put bkt implied/x text
equal "old" "$(seen m/old | cut -d' ' -f1,2)" "644 0:0"

# cp -p, and what a process sets of a file it is writing: one PUT
printf '#!/bin/sh\necho hi\n' >tool
chmod 750 tool
chown 7:8 tool
touch -d '2001-02-03 04:05:06.789 UTC' tool
want="750 7:8 981173106"
cp tool m/first # whether the service enforces conditions is learnt
ls m >/dev/null
admin POST reset >/dev/null
cp -p tool m/tool || fail "cp -p"
equal "requests of cp -p" "$(requests put) $(requests copy) $(requests head)" "1 0 0"
equal "kept" "$(meta tool mode uid gid mtime)" "33256 7 8 981173106.789000000"
admin POST reset >/dev/null
equal "after cp -p" "$(seen m/tool)" "$want"
no_requests stat
equal "it runs" "$(m/tool)" hi
python3 - <<'PY'
import os
fd = os.open("m/fd", os.O_WRONLY | os.O_CREAT, 0o600)
os.write(fd, b"x")
os.fchmod(fd, 0o640)
os.fchown(fd, 9, 10)
os.utime(fd, ns=(5, 1500000000000000001))
assert os.fstat(fd).st_mode & 0o7777 == 0o640
os.close(fd)
PY
equal "by descriptor" "$(meta fd mode uid gid mtime atime)" "33184 9 10 1500000000.000000001 0.000000005"
# a write after the time was set is a change of its own
python3 -c '
import os
fd = os.open("m/late", os.O_WRONLY | os.O_CREAT, 0o600)
os.utime(fd, (1, 1))
os.write(fd, b"x")
os.close(fd)
assert os.stat("m/late").st_mtime > 1e9, os.stat("m/late")'
umask 027
echo made >m/made
mkdir m/dir
umask 022
equal "made" "$(meta made mode uid gid) $(meta dir/ mode uid)" "33184 0 0 16872 0"

# of what is stored: one copy onto itself, and nothing where it is so already
admin POST reset >/dev/null
chmod 700 m/tool || fail chmod
equal "requests of chmod" "$(requests copy) $(requests put)" "1 0"
equal "after chmod" "$(seen m/tool)" "700 7:8 981173106"
admin POST reset >/dev/null
chmod 700 m/tool && chown 7:8 m/tool && touch -m -d '2001-02-03 04:05:06.789 UTC' m/tool || fail "the same again"
no_requests "the same again"
touch -d '2010-01-02 UTC' m/tool || fail touch
chown 11 m/tool || fail chown
touch -d '1960-01-01 UTC' m/fd || fail "before 1970"
want="700 11:8 1262390400"
equal "after touch and chown" "$(seen m/tool)" "$want"
equal "content" "$(m/tool)" hi
# directories
chmod 750 m/dir && touch -d '2011-01-01 UTC' m/dir && chown 3:4 m/dir || fail "a directory"
equal "a directory" "$(seen m/dir)" "750 3:4 1293840000"
chmod 711 m/implied || fail "a directory without marker"
equal "its marker" "$(meta implied/ mode)" 16841
chmod 755 m || fail "of the bucket, which keeps none"

# an edited or emptied file keeps mode and owner, its time is now
echo more >>m/tool
equal "edited" "$(seen m/tool | cut -d' ' -f1,2)" "700 11:8"
[ "$(command stat -c %Y m/tool)" -gt 1500000000 ] || fail "an edited file has its old time"
echo new >m/tool
equal "emptied" "$(seen m/tool | cut -d' ' -f1,2) $(meta tool mode uid)" "700 11:8 33216 11"
touch -d '2010-01-02 UTC' m/tool

# copies keep the source's, cp -p and what else is set go with the copy; renames keep all
cp m/tool m/copy || fail cp
equal "a copy" "$(seen m/copy) $(meta copy mtime)" "$want 1262390400"
admin POST reset >/dev/null
cp -p m/tool m/copy2 || fail "cp -p on the server"
equal "requests of cp -p on the server" "$(requests copy) $(requests put)" "1 0"
equal "cp -p on the server" "$(seen m/copy2)" "$want"
python3 -c '
import os
a = os.open("m/tool", os.O_RDONLY)
b = os.open("m/copy3", os.O_WRONLY | os.O_CREAT, 0o600)
assert os.copy_file_range(a, b, 100) == 4
os.fchmod(b, 0o604)
os.close(b)'
equal "set on a copy" "$(seen m/copy3 | cut -d' ' -f1,2) $(cat m/copy3)" "604 11:8 new"
mkdir m/tree && cp -a m/tool m/dir m/tree/ || fail "cp -a"
equal "cp -a" "$(seen m/tree/tool), $(seen m/tree/dir)" "$want, 750 3:4 1293840000"
mv m/tree/tool m/tree/moved && mv m/tree m/tree2 || fail mv
equal "renamed" "$(seen m/tree2/moved), $(seen m/tree2/dir)" "$want, 750 3:4 1293840000"

# another mount shows it all, and asks once a file
before=$(find m -mindepth 1 -printf '%P %m %U %G %T@\n' | grep -v '^implied\|^old\|^d ' | sort)
umount_s3 m
with cache_ttl=60
find m -type f -printf '%m' >/dev/null
admin POST reset >/dev/null
equal "by another mount" "$(find m -mindepth 1 -printf '%P %m %U %G %T@\n' | grep -v '^implied\|^old\|^d ' | sort)" "$before"
ls -lR m >/dev/null
equal "HEADs of what is known" "$(requests head)" 0
[ -x m/tool ] || fail "access"
equal "before 1970" "$(command stat -c %Y m/fd)" -315619200

# rsync sends nothing twice
if command -v rsync >/dev/null; then
	mkdir -p src/sub
	for i in 1 2 3; do echo "$i" >src/f$i; done
	chmod 700 src/f1
	touch -d '2005-05-05 05:05:05.5 UTC' src/f? src/sub
	rsync -a src/ m/dst/ || fail "rsync -a"
	umount_s3 m
	with
	equal "a second rsync -a" "$(rsync -ai src/ m/dst/ | grep -v '^\.d' || :)" ""
fi
! grep -v "lookup" mount.log || fail "the log: $(<mount.log)"
