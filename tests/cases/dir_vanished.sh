#!/bin/bash
# A directory whose keys went behind the mount's back is no directory any more; one whose parent saw it go is gone too.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket bkt
put bkt d/x/only 1
put bkt d/y 1
mount_s3 m s3://bkt
equal "before" "$(ls m/d/x)" only
admin DELETE 'object?bucket=bkt&key=d/x/only' >/dev/null
# The C library takes ENOENT at a read for the end of a directory that was removed meanwhile (glibc, readdir).
equal "open still" "$(ls m/d/x)" ""
gone() { ! ls m/d/x 2>/dev/null; }
until_true 120 gone
equal "parent" "$(ls m/d)" y
admin DELETE 'object?bucket=bkt&key=d/y' >/dev/null
equal "the root stays" "$(ls m)" ""
