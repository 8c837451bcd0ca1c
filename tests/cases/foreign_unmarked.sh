#!/bin/bash
# A service that marks no answer as its own (Cloudflare R2): what is not there is still known not to be, from the words that a
# GET's refusal has.
. "$(dirname "$0")/lib.sh"
start_s3d --no-marks --bucket=data
for f in f1 f2 f3; do put data "d/$f" "text-$f"; done
mount_s3 m s3://data -o retries=0,cache_ttl=0
for name in absent d/absent; do
	refuse command stat m/$name 2>err
	grep -qi 'no such file' err || fail "$(cat err)"
done
cp -r m/d m/e || fail "cp -r"
mv m/e m/f || fail "mv"
echo new >m/d/new || fail "write"
mv m/d/new m/d/newer || fail "mv one"
rm m/d/newer || fail "rm one"
rm -r m/f || fail "rm -r"
equal "by a mount" "$(keys data | tr '\n' ' ')" "d/f1 d/f2 d/f3 "
refuse "$FERRYFS" cp --retries 0 -q s3://data/absent s3://data/x 2>err
grep -q 'no such object' err || fail "$(cat err)"
"$FERRYFS" cp -q --retries 0 s3://data/d/f1 s3://data/x || fail "cp"
"$FERRYFS" mv -r -q --retries 0 s3://data/d s3://data/g || fail "mv -r"
"$FERRYFS" rm -q --retries 0 s3://data/x || fail "rm"
equal "by commands" "$(keys data | tr '\n' ' ')" "g/f1 g/f2 g/f3 "
# Without permission to list, a name that is not there is refused, and not unknown.
mkdir m2
"$FERRYFS" mount -o retries=0 s3:// m2 || fail "mount of all"
MOUNTS+=("$(readlink -f m2)")
refuse command stat m2/nobucket 2>err
grep -qi 'no such file' err || fail "$(cat err)"
