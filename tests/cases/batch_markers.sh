#!/bin/bash
# A copied tree has the markers of its source and no others, with all that belongs to them; also where somebody else
# makes the daemon settle a directory while cp is still below it.
. "$(dirname "$0")/lib.sh"
command -v aws >/dev/null || skip "no aws"
[ "${FERRYFS_REAL:-}" != swift ] || skip "Swift has no tags"
start_s3d --bucket=bkt --seed=bkt,prefix=src,count=40,size=50,dirs=2
for key in marked/ marked/deep/ marked/odd/; do
	aws --endpoint-url "$ENDPOINT" s3api put-object --bucket bkt --key "$key" --content-type application/x-own \
		--metadata mode=16877,owner=me --tagging 'team=a%20b' >/dev/null || fail put
done
put bkt marked/file one
put bkt plain/below/file two
mount_s3 m s3://bkt
cd m
below() { keys bkt "$1/" | sed "s|^$1/||"; }

# With metadata, tags and type, by the server; where the source has none the copy has none.
for tool in "cp -r" "cp -a"; do
	to=${tool#* }
	$tool marked "to$to" || fail "$tool"
	equal "$tool: keys" "$(below "to$to")" "$(below marked)"
	for key in "" deep/ odd/; do
		equal "$tool: owner of $key" "$(object bkt "to$to/$key" | field headers.x-amz-meta-owner)" me
		equal "$tool: type of $key" "$(object bkt "to$to/$key" | field headers.content-type)" application/x-own
		equal "$tool: tags of $key" "$(object bkt "to$to/$key" | field tags.team)" "a b"
	done
	$tool plain "plain$to" || fail "$tool plain"
	equal "$tool: keys" "$(below "plain$to")" below/file
done

# A marker that is refused is an error like any other.
admin POST fault 'op=copy,key=refused/deep/,action=403:AccessDenied' >/dev/null
refuse cp -r marked refused 2>/dev/null
admin DELETE fault >/dev/null
grep -q 'mkdir.*refused/deep/.*AccessDenied' ../mount.log || fail "not in the log"
equal "the others" "$(below refused)" "$(below marked | grep -vx deep/)"

# fsync while copies are under way: it waits for them, and writes no marker that they make needless.
admin POST 'set?latency.copy=300' >/dev/null
cp -r src e &
pid=$!
until_true 120 test -d e/dir0001
until_true 120 eval '[ -n "$(ls e/dir0001)" ]'
python3 -c 'import os; os.fsync(os.open("e", os.O_RDONLY))' || fail fsync
wait "$pid" || fail cp
equal "fsync while copying" "$(below e)" "$(below src)"
admin POST 'set?latency.copy=0' >/dev/null

# fsync while nothing is below yet: what it was told of is in S3, and goes when cp has put something there.
admin POST 'set?latency.list=400' >/dev/null
cp -r src f &
pid=$!
until_true 120 test -d f/dir0000
kill -STOP "$pid"
python3 -c 'import os; os.fsync(os.open("f", os.O_RDONLY))' || fail fsync
[ -n "$(below f/dir0000)$(keys bkt f/dir0000/)" ] || fail "fsync said that the directory is there"
kill -CONT "$pid"
wait "$pid" || fail cp
equal "fsync before copying" "$(below f)" "$(below src)"
