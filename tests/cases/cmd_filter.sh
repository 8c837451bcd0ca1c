#!/bin/bash
# --include and --exclude: the last that matches the path below the prefix decides.
. "$(dirname "$0")/lib.sh"
any_server "which paths match"
start_s3d --bucket=src --bucket=dst
for key in x/a.txt x/b.jpg x/d/c.txt x/d/keep.jpg; do put src "$key" text; done
"$FERRYFS" cp -r --exclude '*.jpg' s3://src/x s3://dst/1 || fail "exclude"
equal "exclude" "$(keys dst 1/ | tr '\n' ' ')" "1/a.txt 1/d/c.txt "
"$FERRYFS" cp -r --exclude '*.jpg' --include 'd/*' s3://src/x s3://dst/2 || fail "include after"
equal "include after" "$(keys dst 2/ | tr '\n' ' ')" "2/a.txt 2/d/c.txt 2/d/keep.jpg "
"$FERRYFS" cp -r --include 'd/*' --exclude '*.jpg' s3://src/x s3://dst/3 || fail "include before"
equal "include before" "$(keys dst 3/ | tr '\n' ' ')" "3/a.txt 3/d/c.txt "
"$FERRYFS" mv -r --exclude '*' --include '?.txt' s3://src/x s3://dst/4 || fail "mv"
equal "moved" "$(keys dst 4/)" "4/a.txt"
equal "left" "$(keys src | tr '\n' ' ')" "x/b.jpg x/d/c.txt x/d/keep.jpg "
"$FERRYFS" rm -r --exclude 'd/*' s3://src/x || fail "rm"
equal "not removed" "$(keys src | tr '\n' ' ')" "x/d/c.txt x/d/keep.jpg "
"$FERRYFS" rm --exclude 'c.*' s3://src/x/d/c.txt || fail "one object left out is no failure"
equal "one left out" "$(keys src | wc -l)" 2
