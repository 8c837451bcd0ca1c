#!/bin/bash
# Fields that nothing depends on may be odd: dates of other forms or none, weak ETags, tag counts, owners, storage classes.  Objects
# are listed, read, written, copied, moved and removed all the same.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt --anonymous --no-auth
start_front '
import email.utils, re
DATES = [lambda t: t.strftime("%a, ") + str(t.day) + t.strftime(" %b %Y %H:%M:%S.123456789 GMT"),
         lambda t: t.strftime("%a, %d %b %Y %H:%M:%S UTC"), lambda t: t.strftime("%A, %d-%b-%y %H:%M:%S GMT"),
         lambda t: t.strftime("%a %b %e %H:%M:%S %Y"), lambda t: t.strftime("%Y-%m-%dT%H:%M:%SZ"),
         lambda t: "yesterday", lambda t: "", lambda t: None]
LISTED = [rb".123456+00:00", rb"+00:00", rb".5Z", rb"", rb"Z and more", None, rb"Z", rb"Z"]
def after(method, path, query, status, headers, body):
    KIND = int(open("kind").read())
    def bend(name, value):
        low = name.lower()
        if low == "last-modified": return DATES[KIND](email.utils.parsedate_to_datetime(value))
        if low == "etag" and KIND % 2: return "W/" + value
        return value
    headers = [(n, bend(n, v)) for n, v in headers] + [("x-amz-tagging-count", "several")]
    if KIND % 3 == 0: headers = [h for h in headers if h[0] != "x-amz-storage-class"] + [("x-amz-storage-class", "A CLASS OF MORE THAN THIRTY-TWO BYTES, SPACED")]
    when = LISTED[KIND]
    body = re.sub(rb"<LastModified>([^<]*?)(\.\d+)?Z</LastModified>",
                  lambda m: b"" if when is None else b"<LastModified>" + m[1] + when + b"</LastModified>", body)
    if KIND % 2: body = body.replace(b"<ETag>&quot;", b"<ETag>W/&quot;").replace(b"<ETag>\"", b"<ETag>W/\"")
    if b"<ListBucketResult" in body:
        body = re.sub(rb"<StorageClass>[^<]*", b"<StorageClass>" + b"X" * 40 if KIND % 3 == 0 else rb"\g<0>", body)
        body = body.replace(b"</Contents>", b"<Owner><ID></ID><DisplayName>&#233;</DisplayName></Owner><Odd>1</Odd></Contents>")
    return status, headers, body
'
for kind in 0 1 2 3 4 5 6 7; do
	echo $kind >kind
	curl -sS -X PUT --data-binary one "$BEHIND/bkt/k$kind/d/f" && curl -sS -X PUT --data-binary two "$BEHIND/bkt/k$kind/d/g" || fail put
	"$FERRYFS" ls -r "s3://bkt/k$kind/" >list || fail "$kind: ls -r"
	"$FERRYFS" ls -r --json "s3://bkt/k$kind/" | python3 -c 'import json, sys; [json.loads(line) for line in sys.stdin]' || fail "$kind: JSON"
	equal "$kind: ls" "$(wc -l <list)" 2
	"$FERRYFS" cp -r -q "s3://bkt/k$kind/d" "s3://bkt/k$kind/c" || fail "$kind: cp -r"
	"$FERRYFS" cp -r -q --sync "s3://bkt/k$kind/d" "s3://bkt/k$kind/c" || fail "$kind: cp --sync"
	"$FERRYFS" cp -q "s3://bkt/k$kind/d/f" "s3://bkt/k$kind/c/h" || fail "$kind: cp"
	"$FERRYFS" rm -q "s3://bkt/k$kind/c/h" || fail "$kind: rm"
	"$FERRYFS" mv -r -q "s3://bkt/k$kind/c" "s3://bkt/k$kind/e" || fail "$kind: mv -r"
	mount_s3 m "s3://bkt/k$kind" -o cache_ttl=0,retries=1
	equal "$kind: names" "$(ls m/d m/e | tr '\n' ' ')" "m/d: f g  m/e: f g "
	equal "$kind: read" "$(cat m/d/f m/e/g)" onetwo
	ls -l m/d >/dev/null || fail "$kind: ls -l"
	cp m/d/f m/d/h && cat m/d/h >/dev/null || fail "$kind: cp on the mount"
	echo new >m/d/new && sync m/d/new || fail "$kind: write"
	echo more >>m/d/f && sync m/d/f || fail "$kind: append"
	equal "$kind: appended" "$(cat m/d/f)" "onemore"
	mv m/d/g m/d/k || fail "$kind: mv"
	mv m/e m/i || fail "$kind: mv of a directory"
	rm -r m/i || fail "$kind: rm -r"
	equal "$kind: the end" "$(ls m m/d | tr '\n' ' ')" "m: d  m/d: f h k new "
	umount_s3 m
done
