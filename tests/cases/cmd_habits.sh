#!/bin/bash
# What people type first works or is answered with the remedy: cp -R, rm -rf, help cp, remount, letters of cp(1), addresses of other
# kinds, values without their scheme; and a list of buckets in pages is read to its end.
. "$(dirname "$0")/lib.sh"
any_server "words and messages"
[ -z "${FERRYFS_REAL:-}" ] || skip "not on a real server: --anonymous"
start_s3d --bucket=bkt --anonymous --no-auth
for name in a b; do put bkt d/$name $name; done
"$FERRYFS" cp -R -q s3://bkt/d s3://bkt/e || fail "cp -R"
equal "cp -R" "$(keys bkt e/ | wc -l)" 2
equal "ls -R" "$("$FERRYFS" ls -R s3://bkt/e | wc -l)" 2
"$FERRYFS" rm -rf -q s3://bkt/e || fail "rm -rf"
"$FERRYFS" rm -rf -q s3://bkt/e || fail "rm -rf of nothing"
"$FERRYFS" rm -f -q s3://bkt/e/a || fail "rm -f of nothing"
refuse "$FERRYFS" rm -r -q s3://bkt/e 2>/dev/null
refuse "$FERRYFS" rm -f -q s3://none/e/a 2>/dev/null
equal "gone" "$(keys bkt e/)" ""
"$FERRYFS" cp --help >one && "$FERRYFS" help cp >two && cmp one two || fail "help cp"
says() { # STATUS TEXT COMMAND...
	local status=$1 text=$2
	shift 2
	"$FERRYFS" "$@" >out 2>err
	equal "status of $*" "$?" "$status"
	grep -qF -e "$text" err || fail "$*: $(<err)"
}
says 2 "--if-missing" cp -n s3://bkt/d/a s3://bkt/x
says 2 "--if-newer" cp -ru s3://bkt/d s3://bkt/x
says 2 "kept anyway" cp -a s3://bkt/d s3://bkt/x
says 2 "kept anyway" cp -p s3://bkt/d/a s3://bkt/x
says 2 "overwritten anyway" mv -f s3://bkt/d/a s3://bkt/x
says 2 "unknown command" help nothing
says 2 "'ferryfs umount DIR'" mount -o remount,ro s3://bkt m
for kind in "ls" "mount m"; do
	set -- $kind
	says 2 "alias" "$1" s3://arn:aws:s3:us-east-1:1:accesspoint/ap/ ${2:-}
	says 2 "TENANT:BUCKET" "$1" s3://tenant:bucket/ ${2:-}
	says 2 "less than 3 letters" "$1" s3://ab/ ${2:-}
done
says 1 "http://HOST" ls --endpoint-url 127.0.0.1:9000 s3://bkt/
says 2 "is not a size" cp --part-size 1K s3://bkt/d/a s3://bkt/x
says 1 "Connection refused: http://127.0.0.1:1" ls --retries 0 --endpoint-url http://127.0.0.1:1 s3://bkt/
says 1 "use http://" ls --retries 0 --endpoint-url "https://127.0.0.1:$S3_PORT" s3://bkt/
equal "nothing was changed" "$(keys bkt | tr '\n' ' ')" "d/a d/b "

# pages of buckets
start_front '
def before(method, path, query, headers, body):
    if path != "/" or method != "GET": return None
    page = int(query.split("continuation-token=page")[1].split("&")[0]) if "page" in query else 0
    names = "".join("<Bucket><Name>bucket-%d-%d</Name><CreationDate>2026-01-01T00:00:00Z</CreationDate></Bucket>" % (page, i) for i in range(3))
    token = "<ContinuationToken>page%d</ContinuationToken>" % (page + 1) if page < 2 else ""
    return 200, [], ("<ListAllMyBucketsResult><Buckets>%s</Buckets>%s</ListAllMyBucketsResult>" % (names, token)).encode()
'
equal "all pages" "$("$FERRYFS" ls | wc -l)" 9
mount_s3 m s3://
equal "all pages on a mount" "$(ls m | wc -l)" 9
umount_s3 m
