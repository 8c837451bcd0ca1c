#!/bin/bash
# A type that came from a name follows the new name, on rename and on copy: what is saved under a temporary name, or with an
# ending that means nothing, has the type of the name it ends up with.  A type that somebody chose stays, and so does all
# else that the object has.  An ending that stays the same costs no request.
. "$(dirname "$0")/lib.sh"
command -v aws >/dev/null || skip "no aws"
# Ceph has the one storage class that it was set up with, and Swift no tags.
[ -z "${FERRYFS_REAL:-}" ] || skip "storage classes and tags are not every server's"
start_s3d --bucket=site --bucket=other
type_of() { object "$1" "$2" | python3 -c 'import json, sys; print({k.lower(): v for k, v in json.load(sys.stdin)["headers"].items()}.get("content-type"))'; }
is() { equal "type of $1/$2" "$(type_of "$1" "$2")" "$3"; }
make() { # KEY [OPTION ...]
	head -c "${SIZE:-20}" /dev/zero >body
	local key=$1
	shift
	aws --endpoint-url "$ENDPOINT" s3api put-object --bucket site --key "$key" --body body "$@" >/dev/null || fail "put $key"
}
make chosen.tmp --content-type text/x-own
make rich.part --content-type binary/octet-stream --cache-control max-age=7 --metadata colour=blue --storage-class STANDARD_IA --tagging 'team=a%20b'
SIZE=17000000 make large.part --content-type binary/octet-stream --metadata colour=green
make same.html --content-type text/html
mount_s3 m s3://site -o part_size=8m,part_threshold=8m
mount_s3 o s3://other
ls m o >/dev/null
# as programs save
printf '<p>one' >m/page.tmp && mv m/page.tmp m/page.html || fail mv
is site page.html text/html
sed -i s/one/two/ m/page.html || fail sed
is site page.html text/html
equal "content" "$(<m/page.html)" "<p>two"
if command -v rsync >/dev/null; then
	mkdir src
	echo 'p{}' >src/style.css
	rsync -r src/ m/ || fail rsync
	is site style.css text/css
fi
# copies by the server, in one bucket and between two
cp m/page.html m/page.txt && is site page.txt text/plain
printf x >m/a.tmp && cp m/a.tmp o/b.json && is other b.json application/json
mv m/a.tmp o/c.csv && is other c.csv text/csv
: >m/none.tmp && cp m/none.tmp m/none.svg && is site none.svg image/svg+xml
# what is not known, or was chosen, stays
mv m/page.txt m/page.bak && is site page.bak text/plain
mv m/chosen.tmp m/chosen.html && is site chosen.html text/x-own
cp m/chosen.html m/chosen.css && is site chosen.css text/x-own
# everything else is kept
mv m/rich.part m/rich.html || fail mv
object site rich.html | python3 -c '
import json, sys
o = json.load(sys.stdin)
h = {k.lower(): v for k, v in o["headers"].items()}
assert h["content-type"] == "text/html", h
assert h["cache-control"] == "max-age=7" and h["x-amz-meta-colour"] == "blue", h
assert o["storage_class"] == "STANDARD_IA" and o["tags"] == {"team": "a b"}, o' || fail "rich.html lost something"
mv m/large.part m/large.mp4 && is site large.mp4 video/mp4
object site large.mp4 | grep -q green || fail "large.mp4 lost its metadata"
# the fast paths
ls m >/dev/null
admin POST reset >/dev/null
mv m/same.html m/other.html || fail mv
[ "$(requests head)" -le 1 ] || fail "$(requests head) HEADs for a rename with the same ending"
cp m/other.html m/third.html || fail cp
equal "copies" "$(requests copy)" 2
