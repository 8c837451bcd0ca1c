#!/bin/bash
# Views of two regions side by side: a copy between them is sent to, and signed for, the destination's region, without a refused
# request, and no object byte passes through this machine.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root: a hub is root's"

start_s3d --seed=here,prefix=dir/,count=20,size=100 --bucket=far@eu-west-1 --bucket=farther@ap-south-1
# A request signed for another region than its bucket's is refused with 400.
refused() { admin GET stats | python3 -c 'import json, sys; errors = json.load(sys.stdin)["errors"].values()
print(sum(e.get("400", 0) + e.get("301", 0) for e in errors))'; }
crossed() {
	equal "$1: refused" "$(refused)" "$2"
	equal "$1: bytes" "$(stat object_bytes_in)+$(stat object_bytes_out)" 0+0
	admin POST reset >/dev/null
}

mount_s3 h s3://here
mount_s3 f s3://far -o region=eu-west-1
equal "one hub, two accounts" "$(hubs | wc -l) $("$FERRYFS" status --json | python3 -c 'import json, sys; print(len({v["account"] for v in json.load(sys.stdin)["views"]}))')" "1 2"
admin POST reset >/dev/null
cp -r h/dir f/ || fail "cp to the other region"
equal "copied" "$(keys far dir/f | wc -l)" 20
[ "$(requests copy)" -ge 20 ] || fail "copies: $(requests copy)"
crossed "cp to the other region" 0
cp -r f/dir h/back || fail "cp from the other region"
equal "copied back" "$(keys here back/f | wc -l)" 20
crossed "cp from the other region" 0
mv f/dir h/moved || fail "mv from the other region"
equal "moved" "$(keys here moved/f | wc -l)+$(keys far | wc -l)" 20+0
crossed "mv from the other region" 0
same_tree h/dir h/moved
umount_s3 f
admin POST reset >/dev/null

# Nobody said which region: the mount finds out, and hands it on, so that the hub is never refused.
mount_s3 g s3://farther
equal "refused of the mount" "$(refused)" 1
admin POST reset >/dev/null
cp -r h/dir g/ || fail "cp to a region that was found out"
equal "copied" "$(keys farther dir/f | wc -l)" 20
crossed "cp to a region that was found out" 0
mv g/dir h/again || fail "mv from a region that was found out"
equal "moved" "$(keys here again/f | wc -l)+$(keys farther | wc -l)" 20+0
crossed "mv from a region that was found out" 0
