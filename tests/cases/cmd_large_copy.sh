#!/usr/bin/env bash
# Objects above the limit of one CopyObject go in parts, with all that belongs to them; a part that can't be copied
# ends the upload, and none is left open.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=other
size=$((6 << 30))
admin POST "seed?bucket=data&prefix=p/&count=1&size=$size&sparse=1&meta=owner:me&content-type=text/x-odd&storage-class=STANDARD_IA" >/dev/null
key=$(keys data p/ | grep -v '/$' | head -n 1)
"$FERRYFS" cp --tagging-directive REPLACE --tagging 't=1' "s3://data/$key" s3://data/tagged 2>err || { cat err; fail "cp with tags"; }
key=tagged
admin POST reset >/dev/null

open_uploads() { admin GET 'uploads?bucket=other' | python3 -c 'import json,sys; v=json.load(sys.stdin); print(len(v))'; }

# Part 3 is refused for good.
admin POST fault 'op=copy-part,nth=3,action=403:AccessDenied' >/dev/null
refuse "$FERRYFS" cp "s3://data/$key" s3://other/big 2>err
grep -q AccessDenied err || { cat err; fail "the refusal is not told"; }
equal "open uploads" "$(open_uploads)" 0
equal "aborts" "$(requests abort)" 1
equal "destination" "$(keys other | wc -l)" 0
admin DELETE fault >/dev/null

# A passing failure of a part is nothing: it is tried again.
admin POST reset >/dev/null
admin POST fault 'op=copy-part,nth=3,action=500:InternalError
op=copy-part,nth=5,action=reset-after' >/dev/null
"$FERRYFS" cp "s3://data/$key" s3://other/big 2>err || { cat err; fail "cp"; }
equal "open uploads" "$(open_uploads)" 0
[ "$(requests copy-part)" -ge 24 ] || fail "$(requests copy-part) parts of 256 MiB for 6 GiB"
object other big >found
equal "size" "$(field size <found)" "$size"
field etag <found | grep -Eq '^[0-9a-f]{32}-24$' || fail "ETag $(field etag <found) is not that of 24 parts"
equal "class" "$(field storage_class <found)" STANDARD_IA
equal "type" "$(field headers.content-type <found)" text/x-odd
equal "metadata" "$(field headers.x-amz-meta-owner <found)" me
equal "tags" "$(field tags.t <found)" 1
equal "bytes through here" "$(stat object_bytes_in) $(stat object_bytes_out)" "0 0"
