#!/bin/bash
# What is said of the copies reaches them: one object, a tree, and one in parts.
. "$(dirname "$0")/lib.sh"
[ -z "${FERRYFS_REAL:-}" ] || skip "the real servers have one storage class and no KMS"
start_s3d --bucket=src --bucket=dst
put src d/a text
check() {
	local key=$1
	equal "storage class of $key" "$(object dst "$key" | field storage_class)" STANDARD_IA
	equal "sse of $key" "$(object dst "$key" | field headers.x-amz-server-side-encryption)" aws:kms
	equal "kms key of $key" "$(object dst "$key" | field headers.x-amz-server-side-encryption-aws-kms-key-id)" key1
	equal "acl of $key" "$(object dst "$key" | field headers.x-amz-acl)" public-read
	equal "type of $key" "$(object dst "$key" | field headers.content-type)" text/x-test
	for header in "${content[@]#--}"; do
		equal "${header%%=*} of $key" "$(object dst "$key" | field "headers.${header%%=*}")" "${header#*=}"
	done
	equal "metadata of $key" "$(object dst "$key" | field headers.x-amz-meta-colour)" blue
	equal "tags of $key" "$(object dst "$key" | field tags)" '{"t": "1"}'
}
content=(--cache-control=max-age=5 --content-disposition=inline --content-encoding=x-none --content-language=de
	"--expires=Wed, 01 Jan 2031 00:00:00 GMT")
words=("${content[@]}" --storage-class STANDARD_IA --sse aws:kms --sse-kms-key-id key1 --acl public-read --content-type text/x-test
	--metadata colour=blue --tagging t=1)
"$FERRYFS" cp "${words[@]}" s3://src/d/a s3://dst/one || fail "one object"
check one
"$FERRYFS" cp --recursive --verbose "${words[@]}" s3://src/d s3://dst/tree >lines || fail "a tree"
grep -q "tree/a" lines || fail "--verbose: $(<lines)"
check tree/a
admin POST 'sparse?bucket=src&key=big/a&size=20971520' >/dev/null
"$FERRYFS" cp -r "${words[@]}" --part-threshold 8M --part-size 8M s3://src/big s3://dst/parts || fail "in parts"
equal "parts" "$(requests copy-part)" 3
check parts/a

# Nothing said: everything of the source is kept; the storage class too.
"$FERRYFS" cp s3://dst/one s3://dst/kept || fail "kept"
equal "kept class" "$(object dst kept | field storage_class)" STANDARD_IA
equal "kept metadata" "$(object dst kept | field headers.x-amz-meta-colour)" blue
equal "kept tags" "$(object dst kept | field tags)" '{"t": "1"}'
"$FERRYFS" cp --metadata-directive REPLACE --tagging-directive REPLACE s3://dst/one s3://dst/bare || fail "replaced by nothing"
equal "no metadata" "$(object dst bare | field headers.x-amz-meta-colour)" 0
equal "no tags" "$(object dst bare | field tags)" '{}'
"$FERRYFS" cp --no-tags s3://dst/one s3://dst/untagged || fail "no tags"
equal "left tags" "$(object dst untagged | field tags)" '{}'

# The same of copies in parts.
parts=(--part-threshold 8M --part-size 8M)
"$FERRYFS" cp "${parts[@]}" s3://dst/parts/a s3://dst/big-kept || fail "kept, in parts"
equal "kept class, in parts" "$(object dst big-kept | field storage_class)" STANDARD_IA
equal "kept metadata, in parts" "$(object dst big-kept | field headers.x-amz-meta-colour)" blue
equal "kept type, in parts" "$(object dst big-kept | field headers.content-type)" text/x-test
equal "kept tags, in parts" "$(object dst big-kept | field tags)" '{"t": "1"}'
equal "an ACL is not kept" "$(object dst big-kept | field headers.x-amz-acl)" 0
"$FERRYFS" cp "${parts[@]}" --metadata-directive REPLACE --tagging-directive REPLACE s3://dst/parts/a s3://dst/big-bare || fail "replaced by nothing, in parts"
equal "no metadata, in parts" "$(object dst big-bare | field headers.x-amz-meta-colour)" 0
equal "no tags, in parts" "$(object dst big-bare | field tags)" '{}'
equal "class all the same, in parts" "$(object dst big-bare | field storage_class)" STANDARD_IA
"$FERRYFS" cp "${parts[@]}" --metadata-directive COPY --tagging-directive COPY s3://dst/parts/a s3://dst/big-same || fail "COPY, in parts"
equal "metadata of COPY, in parts" "$(object dst big-same | field headers.x-amz-meta-colour)" blue
equal "tags of COPY, in parts" "$(object dst big-same | field tags)" '{"t": "1"}'
"$FERRYFS" cp "${parts[@]}" --no-tags s3://dst/parts/a s3://dst/big-untagged || fail "no tags, in parts"
equal "left tags, in parts" "$(object dst big-untagged | field tags)" '{}'
equal "parts of five" "$(requests copy-part)" 15
# mv takes the same options, and rm the filters alone.
"$FERRYFS" mv -r "${words[@]}" s3://src/d s3://dst/moved || fail "mv -r"
check moved/a
"$FERRYFS" mv "${parts[@]}" "${words[@]}" s3://src/big/a s3://dst/moved-big || fail "mv in parts"
check moved-big
equal "left" "$(keys src)" ""
