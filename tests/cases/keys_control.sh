#!/bin/bash
# Keys that XML can't carry, one of them the last of a page: listed, copied, moved, and deleted one and not the other.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt
admin POST 'seed?bucket=bkt&prefix=d/&count=999&size=1' >/dev/null
for tail in '%01' '%02' '%0Ab' '%0Db' '%7F' '%1B%5Bm' '%C3%BC%20%2B%25%26%3C'; do put bkt "d/file000998.txt$tail" x; done
names=$(keys bkt d/ | sed 's|^d/||')
equal "keys" "$(wc -l <<<"$names")" 1006
mount_s3 m s3://bkt
equal "listed" "$(find m/d -type f -printf x | wc -c)" 1006
rm m/d/file000998.txt$'\r'b || fail "rm of one with CR"
equal "CR and LF" "$(keys bkt d/file000998.txt%250 | tr '\n' ' ')$(keys bkt d/file000998.txt | grep -E '%0[AD]b')" "d/file000998.txt%0Ab"
put bkt d/file000998.txt%0Db x
"$FERRYFS" cp -r --quiet s3://bkt/d s3://bkt/copied || fail "cp -r by command"
equal "copied by command" "$(keys bkt copied/ | sed 's|^copied/||')" "$names"
"$FERRYFS" mv -r --quiet s3://bkt/copied s3://bkt/moved || fail "mv -r by command"
equal "moved by command" "$(keys bkt moved/ | sed 's|^moved/||')" "$names"
equal "its source" "$(keys bkt copied/)" ""
umount_s3 m
mount_s3 m s3://bkt
mv m/moved m/again || fail "mv"
equal "moved" "$(keys bkt again/ | sed 's|^again/||')" "$names"
cp -r m/again m/more || fail "cp -r"
equal "copied" "$(keys bkt more/ | grep -v '/$' | sed 's|^more/||')" "$names"
rm -r m/again m/more || fail "rm -r"
equal "left" "$(keys bkt | grep -v ^d/)" ""
