#!/bin/bash
# A directory's rename that failed in its middle stays failed: mv then finds a directory at the new place, would move the
# rest into it, and end with 0.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt --seed=bkt,prefix=d,count=20,size=10
mount_s3 m s3://bkt
all=$(keys bkt d/ | sed 's|^d/||')
for op in deletes-key delete; do admin POST fault "op=$op,key=d/file000003.txt,nth=1,action=403:AccessDenied" >/dev/null; done
refuse mv m/d m/new 2>err
grep -q "cannot move.*Permission denied" err || fail "$(cat err)"
admin DELETE fault >/dev/null
equal "the new place" "$(keys bkt new/ | sed 's|^new/||')" "$all"
equal "the old place" "$(keys bkt d/)" d/file000003.txt
# Another process may: that is what it asks for.
mv m/d m/new/ || fail "mv into the new place"
equal "what was left" "$(keys bkt new/d/)" new/d/file000003.txt
