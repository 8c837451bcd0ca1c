#!/bin/bash
# A bucket in another region: one refused request, then signed for its region and remembered.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=here --bucket=far@eu-west-1
for i in $(seq 30); do put far "x/$i" text; done
refused() { admin GET stats | python3 -c 'import json, sys; errors = json.load(sys.stdin)["errors"].values()
print(sum(e.get("400", 0) + e.get("301", 0) for e in errors))'; }

for redirect in 0 1; do
	admin POST "set?redirect-301=$redirect" >/dev/null
	admin POST reset >/dev/null
	"$FERRYFS" ls -r s3://far/x/ >out 2>err || fail "ls: $(<err)"
	equal "listed" "$(wc -l <out)" 30
	equal "refused of ls" "$(refused)" 1
	admin POST reset >/dev/null
	"$FERRYFS" cp -r --quiet s3://far/x "s3://far/y$redirect" 2>err || fail "cp: $(<err)"
	equal "copied" "$(keys far "y$redirect/" | wc -l)" 30
	equal "refused of cp" "$(refused)" 1
	admin POST reset >/dev/null
	"$FERRYFS" ls -r --region eu-west-1 s3://far/x/ >out 2>err || fail "ls with the right region: $(<err)"
	equal "refused with the right region" "$(refused)" 0
	admin POST reset >/dev/null
	# a single object is looked at first with a HEAD, whose refusal has no body
	"$FERRYFS" cp --quiet s3://far/x/1 "s3://far/one$redirect" 2>err || fail "cp of one: $(<err)"
	equal "refused of cp of one" "$(refused)" 1
	"$FERRYFS" cp -r --quiet s3://far/x "s3://here/z$redirect" 2>err || fail "cp to another region: $(<err)"
	equal "copied here" "$(keys here "z$redirect/" | wc -l)" 30
	admin POST reset >/dev/null
	mount_s3 m s3://far
	equal "mounted" "$(ls m/x | wc -l) $(cat m/x/7)" "30 text"
	cp -r m/x "m/w$redirect" || fail "cp -r in the mount"
	mv "m/w$redirect" "m/v$redirect" || fail "mv in the mount"
	equal "refused of the mount" "$(refused)" 1
	umount_s3 m
	equal "moved" "$(keys far "v$redirect/" | grep -vc '/$')" 30
	# both buckets under one mount
	mount_s3 m s3://
	cp -r m/far/x "m/here/u$redirect" || fail "cp -r between regions"
	umount_s3 m
	equal "copied between regions" "$(keys here "u$redirect/" | grep -vc '/$')" 30
done
