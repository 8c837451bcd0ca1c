#!/bin/bash
# cp -r takes the keys below the prefix at its slash, marker included, with or without the slash typed.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=src --bucket=one --bucket=two --bucket=all
for key in x x/ x/a x/b/c x/b/d xy x//e; do put src "$key" text; done

"$FERRYFS" cp -r s3://src/x s3://one/y 2>err || fail "cp -r: $(cat err)"
equal "keys" "$(keys one | tr '\n' ' ')" "y/ y//e y/a y/b/c y/b/d "
grep -q '^copied 5 objects' err || fail "summary: $(cat err)"
"$FERRYFS" cp -r s3://src/x/ s3://two/y/ || fail "with slashes"
equal "with slashes" "$(keys two)" "$(keys one)"
"$FERRYFS" cp -r s3://src s3://all || fail "whole bucket"
equal "whole bucket" "$(keys all)" "$(keys src)"
equal "bytes in" "$(stat requests.get)" 0
