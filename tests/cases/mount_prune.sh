#!/usr/bin/env bash
# What the kernel was told of long ago it is asked to let go: a mount that has shown many files does not keep them all, and
# shows them again when asked.  What is open stays as it is.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=data
admin POST 'seed?bucket=data&prefix=many/&count=30000&size=16&dirs=3' >/dev/null
put data open text
mount_s3 m s3://data -o cache_ttl=1
pid=$(daemon_of m)
ends() { [ "$(grep -c 'state: end' mount.log)" -ge "$1" ]; }
asked=0
known() { # what the kernel knows by now
	kill -USR2 "$pid"
	asked=$((asked + 1))
	until_true 120 ends "$asked"
	grep 'state: nodes:' mount.log | tail -n 1 | sed 's/.* \([0-9]*\) known to the kernel.*/\1/'
}
few() { [ "$(known)" -le 16500 ]; }
exec 5<m/open
ino=$(command stat -c %i m/open)
first=$(find m/many -type f | sort | md5sum)
equal "files found" "$(find m/many -type f | wc -l)" 30000
until_true 120 few
grep 'state: nodes:' mount.log | tail -n 1 | grep -q ', 0 asked back' && fail "nothing was asked back"
equal "inode of the open file" "$(command stat -c %i m/open)" "$ino"
equal "what is open" "$(cat <&5)" text
equal "the same again" "$(find m/many -type f | sort | md5sum)" "$first"
exec 5<&-

# A program that looks at a name and opens it later finds the same file, though the kernel has let go of it between.
cat >later.py <<'PY'
import os, sys
names = [f"m/many/dir000{i % 3}/file{10000 * (i % 3) + i:06d}.txt" for i in range(300)]
before = {name: os.lstat(name).st_ino for name in names}
print("looked", flush=True)
sys.stdin.read()
for name in names:
    with open(name) as file:
        if os.fstat(file.fileno()).st_ino != before[name]:
            sys.exit(f"{name}: inode {os.fstat(file.fileno()).st_ino}, which was {before[name]}")
PY
mkfifo go
python3 later.py <go >looked &
later=$!
exec 6>go
until_true 120 test -s looked
find m/many -type f -size +0 >/dev/null
until_true 120 few
exec 6>&-
wait "$later" || fail "another file by the same name"

cp -r m/many m/copy || fail "cp -r: exit status $?"
equal "copies" "$(keys data copy/ | wc -l)" 30000
until_true 120 few
equal "the copy, shown" "$(find m/copy -type f | wc -l)" 30000
umount_s3 m
