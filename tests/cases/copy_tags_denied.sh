#!/bin/bash
# Copies in parts with credentials that may not read tags: with tags=auto they go on without, and the log says so once; an object
# without tags is not asked for; tags=required fails.  A service that answers ?tagging with the object itself has no tags.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt --anonymous --no-auth
head -c 6000000 /dev/zero >zeros
sized() { curl -sS -X PUT --data-binary @zeros "$@" >/dev/null || fail "put $*"; }
sized "$ENDPOINT/bkt/d/plain"
sized -H 'x-amz-tagging: a=b' "$ENDPOINT/bkt/d/tagged"
start_front '
def before(method, path, query, headers, body):
    if method == "GET" and query.startswith("tagging"):
        open("asked", "a").write(path + "\n")
        if "fixed" in path: return 200, [("ETag", "\"0123\""), ("Content-Type", "text/plain")], b"the object itself"
        if "huge" in path: return 200, [("ETag", "\"0123\""), ("Content-Type", "text/plain")], b"<a>" + b"x" * 20000000
        return error(501, "NotImplemented") if "none" in path else error(403, "AccessDenied", "not authorized to perform: s3:GetObjectTagging")
def after(method, path, query, status, headers, body):
    # as AWS: the number is not shown to those who may not read the tags; "told" shows it
    return status, [(n, v) for n, v in headers if n != "x-amz-tagging-count"] + ([("x-amz-tagging-count", "0")] if "told" in path else []), body
'
admin() { local ENDPOINT=$BEHIND; curl -sS -X "$1" "$ENDPOINT/_s3d/$2" ${3+--data-binary "$3"}; }
mount_s3 m s3://bkt -o part_threshold=5M,part_size=5M,recognise=no
cp m/d/plain m/copy || fail "cp in parts"
cp m/d/tagged m/copy2 || fail "cp of one with tags"
mv m/d m/e || fail "mv of a directory"
equal "all moved" "$(keys bkt e/ | tr '\n' ' ')" "e/plain e/tagged "
equal "said once" "$(grep -c s3:GetObjectTagging mount.log)" 1
umount_s3 m
mount_s3 m s3://bkt -o part_threshold=5M,part_size=5M,recognise=no,tags=required
refuse cp m/e/plain m/no 2>/dev/null
grep -q "not copied: grant s3:GetObjectTagging" mount.log || fail "tags=required: $(<mount.log)"
umount_s3 m
"$FERRYFS" cp -q --part-threshold 5M s3://bkt/e/plain s3://bkt/told 2>err.log || fail "command: $(<err.log)"
grep -q -e --no-tags err.log || fail "no hint: $(<err.log)"
: >asked
"$FERRYFS" cp -q --part-threshold 5M s3://bkt/told s3://bkt/x || fail "told that there are none"
"$FERRYFS" cp -q --no-tags --part-threshold 5M s3://bkt/copy s3://bkt/x || fail "--no-tags"
equal "not asked" "$(<asked)" ""
for kind in fixed huge none; do
	sized "$BEHIND/bkt/$kind"
	: >asked
	"$FERRYFS" cp -q --part-threshold 5M s3://bkt/$kind s3://bkt/x 2>err.log || fail "$kind: $(<err.log)"
	equal "$kind: asked once" "$(wc -l <asked)" 1
done
