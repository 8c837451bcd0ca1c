#!/bin/bash
# What is answered by something that is no S3 (an ingress without a backend, a portal) says nothing of an object: no name is
# taken for absent, no delete for done, no write for stored, no listing for empty.  Commands and mounts fail, and nothing changes.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=data
for f in f1 f2 f3 top; do put data "d/$f" "precious-$f"; done
foreign() { # SPEC STATUS: the only fault
	admin DELETE fault >/dev/null
	admin POST fault "$1,action=foreign:$2" >/dev/null
}
quick=(--retries 0)
mount_s3 m s3://data -o retries=0,cache_ttl=0
mkdir m/d2
echo local >local
before=$(keys data)

# A DELETE, and DeleteObjects.
for status in 404 405 301 200; do
	foreign op=delete $status
	refuse "$FERRYFS" rm "${quick[@]}" -q s3://data/d/f1 2>err
	refuse "$FERRYFS" mv "${quick[@]}" -q s3://data/d/f2 s3://data/moved 2>err
	refuse rm m/d/f3 2>err
	grep -qi 'input/output' err || fail "$status: $(cat err)"
	refuse mv m/d/top m/top 2>err
	refuse rmdir m/d2 2>err
	admin DELETE fault >/dev/null
	equal "$status: sources" "$(keys data | grep -Fx "$before")" "$before"
	foreign op=deletes $status
	refuse "$FERRYFS" rm -r "${quick[@]}" -q s3://data/d 2>err
	refuse rm -r m/d 2>err
	admin DELETE fault >/dev/null
	equal "$status: sets" "$(keys data | grep -Fx "$before")" "$before"
	for key in moved top; do "$FERRYFS" rm -q "s3://data/$key" 2>/dev/null; done
	equal "$status: all" "$(keys data)" "$before"
done

# What is asked: nothing is taken for absent, and nothing known is forgotten.
for status in 404 405 412 301 200; do
	foreign op=read $status
	refuse "$FERRYFS" ls "${quick[@]}" s3://data/d >out 2>err
	refuse "$FERRYFS" cp "${quick[@]}" -q s3://data/d/f1 s3://data/copy 2>err
	! grep -q 'no such' err || fail "$status: $(cat err)"
	refuse "$FERRYFS" cp -r "${quick[@]}" -q s3://data/d s3://data/copy 2>err
	refuse "$FERRYFS" mv -r "${quick[@]}" -q s3://data/d s3://data/copy 2>err
	refuse "$FERRYFS" cp -r --if-missing "${quick[@]}" -q s3://data/d s3://data/copy 2>err
	for name in d/f1 d absent; do
		refuse test -e m/$name
		refuse command stat m/$name 2>err
		grep -qi 'input/output' err || fail "$status: $name: $(cat err)"
	done
	refuse cat m/d/f1 2>err
	refuse cp local m/d/f1 2>err
	refuse mkdir m/d3 2>err
	admin DELETE fault >/dev/null
	equal "$status: reads" "$(keys data)" "$before"
	equal "$status: seen again" "$(cat m/d/f1)" "precious-f1"
	refuse test -e m/absent
done

# What is written: a portal's 200 stores nothing.
for status in 200 404 405 301; do
	foreign op=write $status
	refuse cp local m/new 2>err
	refuse mkdir m/d3 2>err
	refuse mv m/d/f1 m/d/g1 2>err
	refuse cp m/d/f1 m/d/g1 2>err
	refuse "$FERRYFS" cp "${quick[@]}" -q s3://data/d/f1 s3://data/copy 2>err
	refuse "$FERRYFS" cp -r "${quick[@]}" -q s3://data/d s3://data/copy 2>err
	refuse "$FERRYFS" mv -r "${quick[@]}" -q s3://data/d s3://data/copy 2>err
	admin DELETE fault >/dev/null
	"$FERRYFS" recover -q || fail "$status: recover"
	equal "$status: writes" "$(keys data)" "$before"
done

# A mount says what it is, and that it is no S3.
foreign op=read 404
mkdir m2
refuse "$FERRYFS" mount -o retries=0 s3://data m2 2>err
grep -q 'no S3' err || fail "$(cat err)"
foreign op=read 302
refuse "$FERRYFS" mount -o retries=0 s3://data m2 2>err
grep -q 'portal.example' err || fail "$(cat err)"

# It passes: nobody hears of it.
admin DELETE fault >/dev/null
admin POST fault "op=any,count=6,action=foreign:404" >/dev/null
"$FERRYFS" mv -r -q s3://data/d s3://data/e || fail "a passing 404"
equal "moved" "$(keys data e/ | wc -l) $(keys data d/)" "4 "
