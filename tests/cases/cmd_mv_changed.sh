#!/bin/bash
# An object that changes between its copy and its delete is not deleted, even by a server without conditional delete.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=src --bucket=dst
for switch in 0 1; do
	admin POST "set?conditional-delete=$switch" >/dev/null
	put src a old
	admin POST hook 'when=copy,nth=1,at=after,do=put,bucket=src,key=a,text=newer-content' >/dev/null
	"$FERRYFS" mv s3://src/a s3://dst/a 2>err
	equal "status" $? 1
	grep -q '^failed: delete: s3://src/a: ' err || fail "$(cat err)"
	equal "source" "$(object src a | field size)" 13
	equal "copy" "$(object dst a | field size)" 3
	admin DELETE hook >/dev/null
done
