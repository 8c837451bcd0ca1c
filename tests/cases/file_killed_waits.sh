#!/bin/bash
# Whoever waits for a server that says nothing ends at kill -9: fstat, fgetxattr, flistxattr and fsync of a directory too.
. "$(dirname "$0")/lib.sh"

start_s3d --seed=bkt,prefix=d/,count=6,size=10
mount_s3 m s3://bkt -o cache_ttl=1,timeout=300
cat >waits.py <<'PY'
import os, sys, time
what, path = sys.argv[1:]
fd = os.open(path, os.O_RDONLY)
calls = {"fstat": lambda: os.fstat(fd), "fgetxattr": lambda: os.getxattr(fd, "user.s3.etag"),
	"flistxattr": lambda: os.listxattr(fd), "fsync": lambda: os.fsync(fd)}
open("ready", "w").close()
while not os.path.exists("go"):
	time.sleep(0.02)
calls[what]()
open("answered", "w").close()
PY
# What was asked for is at the server, which says nothing.
at_server() { [ "$(stat "$1")" -gt "$before" ]; }

killed_while() { # CALL FILE REQUESTS
	local pid before
	rm -f ready go answered
	ls -l m/d >/dev/null
	python3 waits.py "$1" "$2" &
	pid=$!
	until_true 120 test -e ready
	before=$(stat "$3")
	if [ "$1" = fstat ]; then # until the kernel asks again
		local stale=$((SECONDS + 3))
		until_true 120 eval "[ \$SECONDS -ge $stale ]"
	fi
	[ "$1" = fsync ] || admin POST fault "op=head,action=stall:300000" >/dev/null
	touch go
	if [ "$1" = fsync ]; then
		until_true 120 grep -Eq "fuse|request_wait" "/proc/$pid/wchan"
	else
		until_true 120 at_server "$3"
	fi
	[ ! -e answered ] || fail "$1 did not wait"
	kill -KILL $pid
	until_true 200 eval "! kill -0 $pid 2>/dev/null" # the stall is longer
	wait $pid
	equal "$1 ended by" $? 137
	[ "$1" = fsync ] || admin DELETE fault >/dev/null
}

killed_while fstat m/d/file000001.txt requests.head
killed_while fgetxattr m/d/file000002.txt requests.head
killed_while flistxattr m/d/file000003.txt requests.head
# a copy that is under way in the directory
admin POST fault "op=copy,action=stall:300000" >/dev/null
cp m/d/file000001.txt m/d/copy &
copying=$!
until_true 120 eval '[ "$(requests copy)" -gt 0 ]'
killed_while fsync m/d requests.copy
kill -KILL $copying
until_true 200 eval "! kill -0 $copying 2>/dev/null"
admin DELETE fault >/dev/null
# and all of it is told to nobody twice: the mount goes on
equal "what is there" "$(cat m/d/file000004.txt | wc -c)" 10
umount -l m
