#!/usr/bin/env bash
# attrs=meta: what a chmod of a stored object keeps, what becomes of it where S3 refuses, loses the answer or is asked by somebody
# else at the same time, and what others wrote into the headers.  What a chmod says is true, and no copy's failure is lost in one.
. "$(dirname "$0")/lib.sh"
[ -z "${FERRYFS_REAL:-}" ] || skip "unsigned requests and faults are the embedded server's"

start_s3d --anonymous --bucket=bkt --bucket=two
upload() { # KEY BODY HEADER...
	local key=$1 body=$2 headers=()
	shift 2
	for h; do headers+=(-H "$h"); done
	printf '%s' "$body" | curl -sSf -X PUT "${headers[@]}" --data-binary @- "$ENDPOINT/bkt/$key" || fail "put $key"
}
header() { object bkt "$1" | field headers | python3 -c 'import json, sys; print(json.load(sys.stdin).get(sys.argv[1], "-"))' "$2"; }
mode() { command stat -c %a "$1"; }
chmod_is() { # ERROR FILE
	refuse chmod 700 "$2" 2>why
	grep -qi "$1" why || fail "$2: $(<why)"
}

# everything that belongs to the object is kept, in one request and in parts
own=(content-type:text/x-own cache-control:max-age=7 x-amz-meta-colour:blue x-amz-meta-mtime:1000000000.5 x-amz-storage-class:STANDARD_IA
	x-amz-tagging:team=a%20b x-amz-server-side-encryption:aws:kms x-amz-server-side-encryption-aws-kms-key-id:k1 x-amz-website-redirect-location:/x)
upload small text "${own[@]}"
upload shared text
upload large "$(head -c 6000000 /dev/zero | tr '\0' x)" "${own[@]}"
mount_s3 m s3://bkt -o attrs=meta,part_threshold=5M,part_size=5M,cache_ttl=300
mount_s3 n s3://two -o attrs=meta,cache_ttl=300
for key in small large; do
	chmod 640 m/$key || fail "chmod $key"
	object bkt $key | python3 -c '
import json, sys
o = json.load(sys.stdin)
h = {k.lower(): v for k, v in o["headers"].items()}
want = {"content-type": "text/x-own", "cache-control": "max-age=7", "x-amz-meta-colour": "blue", "x-amz-meta-mtime": "1000000000.5", "x-amz-meta-mode": "33184",
	"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": "k1", "x-amz-website-redirect-location": "/x"}
assert not {k: h.get(k) for k in want if h.get(k) != want[k]}, h
assert o["storage_class"] == "STANDARD_IA" and o["tags"] == {"team": "a b"}, o' || fail "$key lost something"
	equal "$key" "$(mode m/$key) $(command stat -c %Y m/$key)" "640 1000000000"
done

# refused: nothing has changed, and chmod says so
for i in "501:NotImplemented not.supported" "403:AccessDenied permission" "403:InvalidObjectState remote" "412:PreconditionFailed busy" "409:OperationAborted busy"; do
	admin POST fault "op=copy,key=small,action=${i% *}" >/dev/null
	chmod_is "${i#* }" m/small
	admin DELETE fault >/dev/null
	equal "mode after ${i% *}" "$(mode m/small) $(header small x-amz-meta-mode)" "640 33184"
done
grep -q "set attributes.*small" mount.log || fail "the log: $(<mount.log)"
# lost answers are asked for again
admin POST fault "op=copy,key=small,count=1,action=reset-after" >/dev/null
chmod 600 m/small || fail "after a lost answer"
equal "after a lost answer" "$(mode m/small) $(header small x-amz-meta-mode)" "600 33152"
admin DELETE fault >/dev/null

# overwritten elsewhere meanwhile: that stays what it is, and has the mode that was asked for
admin POST hook "when=copy,nth=1,do=put,bucket=bkt,key=small,text=theirs" >/dev/null
chmod 604 m/small || fail "chmod of what was overwritten"
admin DELETE hook >/dev/null
equal "overwritten" "$(cat m/small) $(mode m/small) $(header small x-amz-meta-colour)" "theirs 604 -"
admin DELETE "object?bucket=bkt&key=small" >/dev/null
chmod_is "no such" m/small

# many at once: each is true at its end
admin POST 'set?latency.copy=50' >/dev/null
admin POST reset >/dev/null
for i in 1 2 3 4 5 6; do
	chmod 64$i m/shared &
	touch -d "2001-01-0$i UTC" m/shared &
done
wait $(jobs -p | grep -vxF "$(printf '%s\n' "${S3D_PIDS[@]}")") || fail "one of many"
admin POST 'set?latency.copy=0' >/dev/null
equal "the last" "$(header shared x-amz-meta-mode)" "$((0100000 + 0$(mode m/shared)))"

# a copy that S3 refuses is told, though its attributes were accepted; a mv between mounts loses nothing
echo text >m/source
admin POST fault "op=copy,key=denied*,action=403:AccessDenied" >/dev/null
refuse cp -p m/source m/denied 2>/dev/null
refuse command stat m/denied 2>/dev/null
mkdir m/dir
for i in 1 2 3; do echo "$i" >m/dir/f$i; done
admin POST fault "op=copy,key=dir/f2,bucket=two,action=403:AccessDenied" >/dev/null
refuse mv m/dir n/dir 2>/dev/null
admin DELETE fault >/dev/null
for i in 1 2 3; do
	[ "$(cat n/dir/f$i 2>/dev/null || cat m/dir/f$i)" = $i ] || fail "dir/f$i is lost"
done
[ -e m/dir/f2 ] || fail "the refused one is gone"

# what others wrote is read for what it can be
umount_s3 m
mount_s3 m s3://bkt -o attrs=meta,cache_ttl=0
long=$(head -c 1900 /dev/zero | tr '\0' 9)
i=0
try() { # SHOWN HEADER...
	local want=$1
	shift
	upload "bad$((++i))" x "$@"
	equal "$*" "$(command stat -c '%F %a %u %g' m/bad$i)" "regular file $want"
	cat m/bad$i >/dev/null && chmod 600 m/bad$i && equal "$* set" "$(mode m/bad$i)" 600 || fail "$*"
}
try "644 0 0" x-amz-meta-mode:none x-amz-meta-uid:root x-amz-meta-gid: x-amz-meta-mtime:yesterday
try "644 0 0" x-amz-meta-mode:-1 x-amz-meta-uid:-2 x-amz-meta-gid:4294967295 x-amz-meta-mtime:1e99
try "644 0 0" "x-amz-meta-mode:$long"
try "644 0 0" "x-amz-meta-mtime:$long"
try "755 1 2" x-amz-meta-mode:16877 x-amz-meta-uid:1 x-amz-meta-gid:2 x-amz-meta-mtime:-5.25
try "644 0 0" x-amz-meta-mode:100644 x-amz-meta-mtime:99999999999999999999
try "6711 0 0" x-amz-meta-mode:$((0106711))
equal "the time" "$(TZ=UTC command stat -c %.2Y m/bad5)" "-5.25"
