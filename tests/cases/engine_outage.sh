#!/bin/bash
# Some seconds of any server error are waited out, by copies, listings and a directory's rename; one object that always
# fails is given up alone; a server that is gone for good ends the command in good time and says so.
. "$(dirname "$0")/lib.sh"
[ -z "${FERRYFS_REAL:-}" ] || skip "faults are the embedded server's"
start_s3d --seed=src,prefix=x/,count=3000,size=10 --bucket=dst --seed=src,prefix=dir/,count=300,size=10

fired() { admin DELETE fault | grep -o '"fired": *[0-9]*' | tr -dc '0-9'; }
ferry() { timeout 300 "$FERRYFS" "$@"; }

# Of everything, in the middle: far more failures than --retries allows.  Listing pages are met, too.
for status in 500 504; do
	admin POST fault "op=any,from=400,ms=1200,action=$status" >/dev/null
	ferry cp -r -q --retries 2 s3://src/x "s3://dst/$status" 2>err || fail "$status: $(tail -n 3 err)"
	[ "$(fired)" -gt 10 ] || fail "$status: no outage"
	equal "copied through $status" "$(keys dst "$status/" | wc -l)" 3000
done
admin POST fault 'op=list,ms=1200,action=502' >/dev/null
equal "listed" "$(ferry ls -r --retries 4 s3://src/x/ | wc -l)" 3000
admin DELETE fault >/dev/null

# A throttling code of another service behind it.
admin POST fault 'op=copy,from=200,ms=1200,action=400:KMS.ThrottlingException' >/dev/null
ferry cp -r -q --retries 1 s3://src/x s3://dst/kms 2>err || fail "throttled: $(tail -n 3 err)"
admin DELETE fault >/dev/null

# One object of its own: the others go on, and it has all its attempts.  More of them where the others are done before: then
# nothing tells a broken object from a service that is away for a while.
admin POST fault 'op=copy,key=one/file000777*,action=500:InternalError' >/dev/null
refuse ferry cp -r --retries 3 s3://src/x s3://dst/one 2>err
attempts=$(fired)
[ "$attempts" -ge 4 ] || fail "attempts at the broken one: $attempts"
equal "the others" "$(keys dst one/ | wc -l)" 2999
grep -q '^failed: copy: .*file000777.*InternalError' err || fail "not told: $(cat err)"

# Gone for good: not one time-out after another for each object.
for action in 502 503 reset stall; do
	admin POST fault "op=any,from=300,action=$action" >/dev/null
	refuse ferry cp -r --retries 1 --timeout 1 s3://src/x "s3://dst/gone$action" 2>err
	grep -q 'failed' err || fail "$action: $(cat err)"
	[ "$(keys dst "gone$action/" | wc -l)" -lt 3000 ] || fail "$action: all copied"
	admin DELETE fault >/dev/null
done

# On a mount: a directory's rename goes through, and nothing of it is undone.
mount_s3 m s3://src -o retries=4
admin POST fault 'op=any,from=20,ms=1200,action=502' >/dev/null
timeout 300 mv m/dir m/moved || fail "mv of a directory"
[ "$(fired)" -gt 1 ] || fail "mv met no outage"
equal "moved" "$(keys src moved/ | wc -l)" 300
equal "left" "$(keys src dir/ | wc -l)" 0
! grep -q undone mount.log || fail "undone: $(cat mount.log)"
