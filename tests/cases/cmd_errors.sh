#!/bin/bash
# Wrong usage is 2 and asks the server nothing; what is missing is 1, each with a sentence.
. "$(dirname "$0")/lib.sh"
start_s3d --seed=src,prefix=x/,count=2,size=1 --bucket=dst
expect() {
	local status=$1 text=$2
	shift 2
	"$FERRYFS" "$@" >out 2>err
	equal "status of $*" $? "$status"
	grep -q -- "$text" err || fail "$*: '$text' is not in: $(cat err)"
	[ ! -s out ] || fail "$* wrote to standard output"
}
admin POST reset >/dev/null
expect 2 "not an s3:// URL" cp file s3://dst/
expect 2 "not an s3:// URL" cp s3://src/x /tmp
expect 2 "names no bucket" cp -r s3:// s3://dst
expect 2 "names a bucket" rm s3://src
expect 2 "needs a source and a destination" mv s3://src/x
expect 2 "unknown option --wrong" cp --wrong s3://src/x s3://dst
expect 2 "needs a value" cp s3://src/x s3://dst --acl
expect 2 "for cp and mv" rm --sse s3://src/x
expect 2 "workers" ls --workers 0
expect 2 "unknown command" frobnicate
equal "requests" "$(stat total)" 0
expect 1 "no such object: s3://src/none" cp s3://src/none s3://dst/
expect 1 "no such bucket: s3://nosource" cp s3://nosource/x s3://dst/
expect 1 "no such bucket: s3://nowhere" cp -r s3://src/x s3://nowhere
expect 1 "NoSuchBucket" rm -r s3://nosource/x
expect 1 "no objects below s3://src/none/" cp -r s3://src/none s3://dst
expect 1 "no objects below s3://src/none/" rm -r s3://src/none
AWS_SECRET_ACCESS_KEY=wrong expect 1 "SignatureDoesNotMatch" cp -r s3://src/x s3://dst
AWS_ENDPOINT_URL=http://127.0.0.1:1 expect 1 "s3://src/x" cp -r --retries 0 s3://src/x s3://dst
for command in cp mv rm ls bench; do
	"$FERRYFS" $command --help >out 2>err || fail "$command --help"
	grep -q "^Usage: ferryfs $command" out || fail "$command --help: $(head -n 1 out)"
done
"$FERRYFS" --version | grep -q '^ferryfs [0-9]' || fail "--version"
