#!/bin/bash
# A prefix copied into itself ends; a copy or move onto itself is refused before any request.
. "$(dirname "$0")/lib.sh"
any_server "where a copy into itself ends"
start_s3d --seed=bkt,prefix=x/,count=1500,size=10 --bucket=dst
"$FERRYFS" cp -r s3://bkt/x s3://bkt/x/copy || fail "first"
equal "keys" "$(keys bkt | wc -l)" 3000
"$FERRYFS" cp -r s3://bkt/x s3://bkt/x/copy || fail "again: what was copied is left out"
equal "keys again" "$(keys bkt | wc -l)" 3000
admin POST reset >/dev/null
for words in "cp -r s3://bkt/x s3://bkt/x/" "cp s3://bkt/x/a s3://bkt/x/" "mv -r s3://bkt s3://bkt/" "mv -r s3://bkt/x s3://bkt/x/y" \
	"mv s3://bkt/x/a s3://bkt/x/a" "cp -r --sync s3://bkt/x/ s3://bkt/x"; do
	"$FERRYFS" $words 2>err
	equal "status of $words" $? 1
	[ -s err ] || fail "$words said nothing"
done
equal "requests" "$(stat total)" 0
