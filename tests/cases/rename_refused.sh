#!/bin/bash
# A rename that S3 refuses leaves the source, fails with its errno, and is in the log; a refused delete leaves both and says so.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket bkt
put bkt a aaa
mount_s3 m s3://bkt -o retries=2,timeout=2
admin POST fault 'op=copy,action=403:AccessDenied' >/dev/null
refuse mv m/a m/b 2>err
grep -q 'Permission denied' err || fail "$(cat err)"
grep -q 'rename.*AccessDenied' mount.log || fail "not in the log"
equal "keys" "$(keys bkt)" a
[ -f m/a ] && [ ! -e m/b ] || fail "names"
admin DELETE fault >/dev/null
admin POST fault 'op=copy,action=error200:InternalError' >/dev/null
refuse mv m/a m/b 2>/dev/null
equal "keys after an error in a 200" "$(keys bkt)" a
admin DELETE fault >/dev/null
admin POST fault 'op=delete,action=403:AccessDenied' >/dev/null
refuse mv m/a m/b 2>/dev/null
equal "both" "$(keys bkt | tr '\n' ' ')" "a b "
grep -q 'at both places' mount.log || fail "both places are not in the log"
[ -f m/a ] && [ -f m/b ] || fail "both are not shown"
admin DELETE fault >/dev/null
mv m/a m/b || fail "mv at last"
equal "at last" "$(keys bkt)" b
