#!/bin/bash
# mkdir writes a marker, costs one request beyond the lookup, and says what is in its way.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket bkt
put bkt file 1
mount_s3 m s3://bkt
mkdir m/d || fail mkdir
equal "keys" "$(keys bkt d)" d/
equal "type" "$(object bkt d/ | grep -c application/x-directory)" 1
refuse mkdir m/d 2>/dev/null
refuse mkdir m/file 2>/dev/null
refuse mkdir m/none/below 2>/dev/null
mkdir -p "m/d/ü +%/x" || fail "mkdir -p"
equal "odd" "$(keys bkt d/%25C3 | head -1; keys bkt | tail -2 | head -1)" "d/%C3%BC%20%2B%25/x/"
equal "empty" "$(ls -A m/d/ü*/x)" ""
admin POST fault 'op=put,action=403:AccessDenied' >/dev/null
refuse mkdir m/refused 2>err
grep -q 'Permission denied' err || fail "$(cat err)"
grep -q 'mkdir.*refused.*AccessDenied' mount.log || fail "not in the log"
[ ! -e m/refused ] || fail "a refused directory is shown"
admin DELETE fault >/dev/null
mkdir m/refused || fail "mkdir after a refusal"
mount_s3 all s3://
refuse mkdir all/newbucket 2>/dev/null
mount_s3 ro s3://bkt -o ro
refuse mkdir ro/x 2>/dev/null
