#!/bin/bash
# rmdir removes an empty directory, and no other; keys that can't be shown keep it and are named in the log.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket bkt
put bkt full/x 1
put bkt odd/ ''
put bkt odd//unseen 1
put bkt file 1
mount_s3 m s3://bkt
mkdir m/empty && rmdir m/empty || fail "rmdir"
equal "keys" "$(keys bkt empty)" ""
[ ! -e m/empty ] || fail "still shown"
refuse rmdir m/full 2>err
grep -q 'not empty' err || fail "$(cat err)"
refuse rmdir m/file 2>/dev/null
refuse rmdir m/none 2>/dev/null
equal "looks empty" "$(ls m/odd)" ""
refuse rmdir m/odd 2>err
grep -q 'not empty' err || fail "$(cat err)"
grep -q 'odd//unseen' mount.log || fail "the reason is not in the log"
equal "kept" "$(keys bkt odd | tr '\n' ' ')" "odd/ odd//unseen "
# Somebody else fills it while it is looked at as empty.
mkdir m/late
put bkt late/new 1
refuse rmdir m/late 2>/dev/null
equal "late" "$(keys bkt late | tr '\n' ' ')" "late/ late/new "
rm -r m/full || fail "rm -r"
equal "rm -r" "$(keys bkt full)" ""
