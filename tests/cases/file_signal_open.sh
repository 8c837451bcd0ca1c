#!/usr/bin/env bash
# Files that are written and open when SIGTERM ends the daemon, or when somebody cuts the connection, are stored, or named in the log.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt
put bkt old 0123456789
put bkt log line
cat >writer.py <<'P'
import os, time
f = open("m/new", "wb"); f.write(b"x" * 100000); f.flush()
e = open("m/old", "r+b"); e.write(b"AB"); e.flush()
l = open("m/log", "ab"); l.write(b" more"); l.flush()
r = open("m/refused", "wb"); r.write(b"y"); r.flush()
c = os.open("m/copy", os.O_RDWR | os.O_CREAT); s = os.open("m/old2", os.O_RDONLY)
assert os.copy_file_range(s, c, 4) == 4
t = open("m/emptied", "wb")
u = open("m/unlinked", "wb"); u.write(b"z"); u.flush(); os.unlink("m/unlinked")
open("ready", "w").close()
while os.path.exists("ready"): time.sleep(0.01)
os._exit(0)
P
for how in TERM abort; do
	for key in new refused copy; do [ -z "$(keys bkt $key)" ] || admin DELETE "object?bucket=bkt&key=$key" >/dev/null; done
	put bkt old 0123456789; put bkt log line; put bkt old2 source; put bkt emptied before
	mount_s3 m s3://bkt
	daemon=$(daemon_of m)
	home=$(hubs | head -n 1 | cut -d' ' -f2)
	python3 writer.py 2>err & writer=$!
	until_true 120 test -e ready
	admin POST fault 'op=put,key=refused,action=403:AccessDenied' >/dev/null
	: >mount.log
	if [ $how = TERM ]; then
		kill -TERM "$daemon"
	else
		umount -f "$home" 2>/dev/null || umount -f m || fail "umount -f"
	fi
	until_true 120 eval "! kill -0 $daemon 2>/dev/null"
	rm ready
	wait $writer
	umount -l m 2>/dev/null
	admin DELETE fault >/dev/null
	equal "$how: new" "$(object bkt new | field size)" 100000
	equal "$how: edited" "$(curl -s "$ENDPOINT/_s3d/object?bucket=bkt&key=old" | field size)" 10
	equal "$how: appended to" "$(object bkt log | field size)" 9
	equal "$how: copy of a part" "$(object bkt copy | field size)" 4
	equal "$how: emptied" "$(object bkt emptied | field size)" 6
	grep -q "emptied.*the object is what it was" mount.log || fail "$how: emptied, and not in the log"
	equal "$how: unlinked" "$(keys bkt unlinked)" ""
	grep -q "refused.*not stored" mount.log || fail "$how: refused, and not in the log"
	grep -q "unlinked" mount.log && fail "$how: the log names what was unlinked"
	MOUNTS=()
done
exit 0
