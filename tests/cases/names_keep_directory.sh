#!/bin/bash
# A directory that existed only through its last object keeps existing after that goes; one that has a marker or others costs nothing.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket bkt
put bkt a/only 1
put bkt b/one 1
put bkt b/two 1
put bkt c/sub/only 1
put bkt e/only 1
put bkt g/only 1
mount_s3 m s3://bkt
rm m/a/only || fail rm
equal "unlisted" "$(keys bkt a)" a/
equal "shown" "$(ls m | tr '\n' ' ')" "a b c e g "
ls m/b >/dev/null
admin POST reset >/dev/null
rm m/b/one || fail rm
equal "another is left" "$(requests put)$(requests delete)" 01
rm m/b/two || fail rm
equal "listed, the last" "$(keys bkt b)" b/
rm m/c/sub/only && rmdir m/c/sub || fail "rmdir"
equal "the parent of a directory" "$(keys bkt c)" c/
mv m/e/only m/b/moved || fail mv
equal "the directory a file left" "$(keys bkt e)" e/
mkdir m/f
admin POST reset >/dev/null
put bkt f/x 1
[ -e m/f/x ] || ls m/f >/dev/null
rm m/f/x || fail rm
equal "marked already" "$(requests put)" 0
# Where the marker can't be written, nothing is lost without a word.
ls m/g >/dev/null
admin POST fault 'op=put,action=403:AccessDenied' >/dev/null
refuse rm -f m/g/only 2>/dev/null
equal "kept" "$(keys bkt g)" g/only
