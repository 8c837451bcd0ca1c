#!/usr/bin/env bash
# What was written and never stored, as its daemon was killed, is named by the next mount and stored by `ferryfs recover`: never over something newer.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt
cat >write.py <<'P'
import os, time
files = [open("m/log", "ab"), open("m/changed", "ab"), open("m/new", "wb"), open("m/emptied", "wb"), open("m/renamed", "ab"), open("m/stored", "wb"), open("m/page.html", "wb")]
for f in files: f.write(b" more"); f.flush()
os.fsync(files[5].fileno())
os.rename("m/renamed", "m/now")
open("ready", "w").close()
while True: time.sleep(1)
P
records() { ls journal/*.staged 2>/dev/null | wc -l; }
# Every record names what is true by now: the renamed file's too.
recorded() { [ "$(records)" = "$1" ] && grep -q '"key":"now"' journal/*.staged && ! grep -q '"key":"renamed"' journal/*.staged; }
killed() {
	put bkt log line; put bkt changed line; put bkt emptied old; put bkt renamed line
	for key in new now; do [ -z "$(keys bkt $key)" ] || admin DELETE "object?bucket=bkt&key=$key" >/dev/null; done
	mount_s3 m s3://bkt -o flush_after=0
	python3 write.py 2>/dev/null & writer=$!
	until_true 120 test -e ready
	rm ready
	until_true 120 recorded 6
	# Its daemon lives: nobody else's.
	"$FERRYFS" recover >out || fail "recover beside a daemon: $(cat out)"
	equal "beside a daemon that lives" "$(cat out)" ""
	kill -9 "$(daemon_of m)"
	kill -9 $writer; wait $writer 2>/dev/null
	umount -l m
	put bkt changed written-by-another
}
killed
: >mount.log
mount_s3 m s3://bkt
for key in log changed new emptied now page.html; do
	grep -q "s3://bkt/$key: .* never stored.*ferryfs recover" mount.log || fail "the mount does not name $key: $(cat mount.log)"
done
grep -q "s3://bkt/stored" mount.log && fail "named, though S3 has it"
"$FERRYFS" recover --dry-run >out && fail "exit 0, though something is left"
equal "would store" "$(grep -c '^would store: s3://bkt/' out)" 6
equal "left by a dry run" "$(records)" 6
"$FERRYFS" recover >out || fail "recover: $(cat out)"
equal "stored" "$(grep -c '^stored: ' out)" 4
equal "appended to" "$(curl -s "$ENDPOINT/_s3d/object?bucket=bkt&key=log" | field size)" 9
equal "changed by another" "$(object bkt changed | field size)" 18
equal "new" "$(object bkt new | field size)" 5
equal "emptied" "$(object bkt emptied | field size)" 3
equal "renamed" "$(object bkt now | field size)" 9
equal "type" "$(object bkt page.html | python3 -c 'import sys; print("text/html" in sys.stdin.read())')" True
equal "beside" "$(keys bkt | grep -c '^\(changed\|emptied\)\.recovered-[0-9]*T[0-9]*Z$')" 2
equal "beside: size" "$(object bkt "$(keys bkt changed.recovered)" | field size)" 9
equal "records left" "$(records)" 0
equal "files left" "$(ls | grep -c '^staged-')" 0
"$FERRYFS" recover >out || fail "nothing is left, and yet: $(cat out)"
umount_s3 m

# Removed instead; only what is ours alone is believed; and content that is gone is said once.
killed
equal "records" "$(records)" 6
record=$(grep -l '"key":"new"' journal/*.staged)
chmod 644 "$record"
path=$(grep -l '"key":"log"' journal/*.staged); path=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["path"])' "$path")
rm "$path"
before=$(keys bkt)
"$FERRYFS" recover --discard >out && fail "exit 0 beside a record that others may read"
grep -q '^unusable: ' out || fail "$(cat out)"
equal "discarded" "$(grep -c '^discarded: ' out)" 5
equal "keys" "$(keys bkt)" "$before"
equal "records" "$(records)" 1
chmod 600 "$record"
rm staged-*
"$FERRYFS" recover >out && fail "exit 0, and the content is gone"
grep -q '^given up: s3://bkt/new .*its content is gone' out || fail "$(cat out)"
equal "records" "$(records)" 0

# A daemon that could not store it at its end leaves it too.
mount_s3 m s3://bkt
python3 -c '
import os, time
f = open("m/refused", "wb"); f.write(b"refused"); f.flush()
open("ready", "w").close()
time.sleep(1000)' & writer=$!
until_true 120 test -e ready
admin POST fault 'key=refused,action=403:AccessDenied' >/dev/null
daemon=$(daemon_of m)
kill -TERM "$daemon"
until_true 120 eval "! kill -0 $daemon 2>/dev/null"
kill -9 $writer; wait $writer 2>/dev/null
umount -l m 2>/dev/null
grep -q "refused.*ferryfs recover" mount.log || fail "not in the log: $(tail -3 mount.log)"
"$FERRYFS" recover >out && fail "exit 0, and it is refused"
grep -q "^failed: s3://bkt/refused .*AccessDenied" out || fail "$(cat out)"
admin DELETE fault >/dev/null
"$FERRYFS" recover >out || fail "$(cat out)"
equal "refused once" "$(object bkt refused | field size)" 7
