#!/bin/bash
# A key with control bytes or broken UTF-8 is copied as it is and shown escaped.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=src --bucket=dst
put src 'x/%1B%5B31m%0A%FFé' text
for shown in "$("$FERRYFS" cp -rv s3://src/x s3://dst/x 2>/dev/null)" "$("$FERRYFS" ls -r s3://dst)" \
	"$("$FERRYFS" rm -r --dry-run s3://src/x 2>/dev/null)"; do
	[[ $shown == *'\x1b[31m\x0a\xff'$'\xc3\xa9'* ]] || fail "shown as: $(printf %q "$shown")"
	[[ $shown != *$'\x1b'* ]] || fail "an escape sequence came through"
done
equal "the key" "$(keys dst)" "$(keys src)"
