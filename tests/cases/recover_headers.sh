#!/usr/bin/env bash
# What a killed daemon left becomes, by `ferryfs recover`, the object that a close would have made: with the headers, metadata
# and tags of what it was made of, and with the mode, owner and time that were set meanwhile.
. "$(dirname "$0")/lib.sh"
[ -z "${FERRYFS_REAL:-}" ] || skip "the object is looked at as the embedded server knows it"
start_s3d --bucket=bkt --no-auth
curl -sS -X PUT -H 'content-type: text/x-log' -H 'cache-control: max-age=60' -H 'x-amz-meta-team: blue' -H 'x-amz-tagging: a=b' \
	--data-binary line "$ENDPOINT/bkt/dressed" || fail put
headers_of() { object bkt "$1" | python3 -c '
import json, sys
def each(value, name=""):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from each(inner, key)
    else:
        yield f"{name}={value}".lower()
print("\n".join(sorted(set(each(json.load(sys.stdin))))))'; }
mount_s3 m s3://bkt -o flush_after=0,attrs=meta
python3 -c '
import os, time
files = [open("m/dressed", "ab"), open("m/attrs", "wb")]
for f in files: f.write(b" more"); f.flush()
time.sleep(2)
os.chmod("m/attrs", 0o640); os.utime("m/attrs", (1e9, 1e9))
open("ready", "w").close()
time.sleep(1000)' & writer=$!
until_true 120 test -e ready
rm ready
dressed() { grep -q "meta-mtime:1000000000" journal/*.staged && grep -q "meta-mode:33184" journal/*.staged && grep -q "\"key\":\"dressed\"" journal/*.staged; }
until_true 120 dressed
kill -9 "$(daemon_of m)"
kill -9 $writer; wait $writer 2>/dev/null
umount -l m
"$FERRYFS" recover >out || fail "$(cat out)"
got=$(headers_of dressed)
for word in content-type=text/x-log cache-control=max-age=60 team=blue; do
	grep -q "$word" <<<"$got" || fail "lost: $word of ${got//$'\n'/ }"
done
mount_s3 m s3://bkt -o attrs=meta
equal "mode and time" "$(command stat -c '%a %Y' m/attrs)" "640 1000000000"
equal "tags" "$(curl -sS "$ENDPOINT/bkt/dressed?tagging" | grep -c '<Key>a</Key><Value>b</Value>')" 1
