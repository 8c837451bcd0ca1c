#!/bin/bash
# One refused copy fails the whole rename: what was copied is taken back, every source is where it was.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket bkt
admin POST 'seed?bucket=bkt&prefix=d/&count=300&size=10' >/dev/null
before=$(keys bkt)
victim=$(sed -n 150p <<<"$before")
mount_s3 m s3://bkt
ls m/d >/dev/null
admin POST fault "op=copy,key=*${victim##*/},action=403:AccessDenied" >/dev/null
refuse mv m/d m/new 2>err
grep -q 'Permission denied' err || fail "$(cat err)"
equal "keys" "$(keys bkt)" "$before"
grep -q 'rename.*AccessDenied' mount.log || fail "not in the log"
equal "shown" "$(ls m | tr '\n' ' ')" "d "
equal "files" "$(ls m/d | wc -l)" 300
admin DELETE fault >/dev/null
mv m/d m/new || fail mv
equal "moved" "$(keys bkt new/ | wc -l)" 300
# In a set, or, where sets can't be conditional, by itself.
admin POST fault "op=deletes-key,key=*${victim##*/},action=403:AccessDenied" >/dev/null
admin POST fault "op=delete,key=*${victim##*/},action=403:AccessDenied" >/dev/null
refuse mv -T m/new m/back 2>/dev/null
equal "all copied" "$(keys bkt back/ | wc -l)" 300
equal "what could not go" "$(keys bkt new/)" "new/${victim##*/}"
equal "shown at both" "$(ls m | tr '\n' ' ')" "back new "
equal "files at both" "$(ls m/back | wc -l) $(ls m/new | wc -l)" "300 1"
