#!/bin/bash
# A key that would have more than 1,024 bytes at the destination: told, exit 1, the rest copied.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=src --bucket=dst
long=$(printf 'k%.0s' {1..1020})
put src "x/$long" text
put src x/short text
for sync in "" --sync; do
	"$FERRYFS" cp -r $sync s3://src/x s3://dst/prefix$sync 2>err
	equal "status" $? 1
	equal "the rest" "$(keys dst "prefix$sync/" | tr '\n' ' ')" "prefix$sync/short "
	grep -q '^failed: copy: .*more than 1,024 bytes' err || fail "$(cat err)"
done
