#!/bin/bash
# A copy in parts is of one version, also where the service ignores the condition on its source (Ceph): when that changes
# meanwhile the destination keeps what it had, a copy without a version in mind is begun anew, and what changes all the time is told.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=src --bucket=dst --no-conditional-copy
words=(-q --part-threshold 5M --part-size 5M --inflight 1)
other() { # after the N-th part the source is another one, of the same size
	admin POST hook "when=copy-part,nth=$1,at=after,do=put,bucket=src,key=x/big,text=other" >/dev/null
}
source_is() { admin POST "sparse?bucket=src&key=x/big&size=20971520" >/dev/null; }
put dst x/big before
put dst y/big before

source_is
other 4
refuse "$FERRYFS" cp "${words[@]}" s3://src/x/big s3://dst/x/big 2>err
grep -q 'changed meanwhile' err || fail "$(cat err)"
equal "cp: what was there" "$(object dst x/big | field size)" 6

source_is
other 4
"$FERRYFS" cp -r "${words[@]}" s3://src/x s3://dst/y || fail "cp -r"
equal "cp -r: the new one" "$(object dst y/big | field size)" 5

source_is
other 4
refuse "$FERRYFS" mv -r "${words[@]}" s3://src/x s3://dst/z 2>err
equal "mv -r: nothing of it" "$(keys dst z/) $(object src x/big | field size)" " 5"
source_is
other 4
refuse "$FERRYFS" mv "${words[@]}" s3://src/x/big s3://dst/w 2>err
equal "mv: nothing of it" "$(keys dst w) $(object src x/big | field size)" " 5"
equal "journals" "$(ls journal 2>/dev/null)" ""
equal "uploads" "$(admin GET uploads)" "[]"

# On a mount.
source_is
mount_s3 m s3:// -o part_threshold=5M,part_size=5M,cache_ttl=0
ls -l m/src/x m/dst >/dev/null
other 4
mv m/src/x/big m/dst/v || fail "mv on a mount"
equal "a mount: the new one" "$(object dst v | field size) $(keys src x/big)" "5 "
equal "a mount: uploads" "$(admin GET uploads)" "[]"
