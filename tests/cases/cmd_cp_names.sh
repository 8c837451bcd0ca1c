#!/bin/bash
# One object: what its copy is called.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=src --bucket=dst
put src dir/file hello
put src dir/sub/ ""

"$FERRYFS" cp s3://src/dir/file s3://dst || fail "to a bucket"
"$FERRYFS" cp s3://src/dir/file s3://dst/p/ || fail "below a prefix"
"$FERRYFS" cp s3://src/dir/file s3://dst/other || fail "to a key"
"$FERRYFS" cp s3://src/dir/sub/ s3://dst/q/ || fail "a marker"
equal "keys" "$(keys dst | tr '\n' ' ')" "file other p/file q/sub/ "
equal "copies" "$(requests copy)" 4
equal "bytes through the client" "$(stat object_bytes_out)" 0
