#!/bin/bash
# A clock that is wrong by hours costs one refused request: the server's is used from then on.
. "$(dirname "$0")/lib.sh"
start_s3d --seed=src,prefix=x/,count=50,size=1 --bucket=dst
refused() { admin GET stats | python3 -c 'import json, sys
print(sum(e.get("403", 0) for e in json.load(sys.stdin)["errors"].values()))'; }
for ahead in 7200 -7200; do
	admin POST "set?clock-ahead=$ahead" >/dev/null
	admin POST reset >/dev/null
	"$FERRYFS" cp -r --quiet s3://src/x "s3://dst/y$ahead" || fail "cp with a clock $ahead seconds off"
	equal "copied" "$(keys dst "y$ahead/" | wc -l)" 50
	equal "refused" "$(refused)" 1
done
mount_s3 m s3://dst
admin POST 'set?clock-ahead=86400' >/dev/null
admin POST reset >/dev/null
# The first request now may be a HEAD, whose refusal has no body to say why.
ls m/nope 2>/dev/null # asks for two things at once
echo text >m/new || fail "write after the clocks came apart"
equal "read" "$(cat m/new)" text
mv m/y7200 m/z || fail "mv after the clocks came apart"
[ "$(refused)" -le 2 ] || fail "$(refused) requests of the mount were refused"
umount_s3 m
