#!/bin/bash
# --dry-run says what would be done and writes nothing.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=src --bucket=dst
put src x/a text
put src x/b text
admin POST reset >/dev/null
equal "cp -r" "$("$FERRYFS" cp -r --dry-run s3://src/x s3://dst/y 2>/dev/null)" "(dry run) copy: s3://src/x/a -> s3://dst/y/a
(dry run) copy: s3://src/x/b -> s3://dst/y/b"
equal "cp" "$("$FERRYFS" cp --dryrun s3://src/x/a s3://dst/ 2>/dev/null)" "(dry run) copy: s3://src/x/a -> s3://dst/a"
equal "sync" "$("$FERRYFS" cp -r --sync --dry-run s3://src/x s3://dst/y 2>/dev/null | wc -l)" 2
equal "mv -r" "$("$FERRYFS" mv -r --dry-run s3://src/x s3://dst/y 2>/dev/null | head -n 1)" "(dry run) move: s3://src/x/a -> s3://dst/y/a"
equal "mv" "$("$FERRYFS" mv --dry-run s3://src/x/a s3://dst 2>/dev/null)" "(dry run) move: s3://src/x/a -> s3://dst/a"
equal "rm -r" "$("$FERRYFS" rm -r --dry-run --exclude b s3://src/x 2>err)" "(dry run) delete: s3://src/x/a"
grep -q '^(dry run) would remove 1 of 2 objects' err || fail "summary: $(cat err)"
equal "rm" "$("$FERRYFS" rm --dry-run s3://src/x/a 2>/dev/null)" "(dry run) delete: s3://src/x/a"
equal "writes" "$(requests copy) $(requests delete) $(requests deletes) $(requests put)" "0 0 0 0"
# ... nor anything else but questions: one in parts, and with conditions, too.
admin POST "sparse?bucket=src&key=x/big&size=20971520" >/dev/null
"$FERRYFS" cp -r --dry-run --part-threshold 8M --part-size 8M s3://src/x s3://dst/y >/dev/null 2>&1 || fail "in parts"
"$FERRYFS" mv -r --dry-run --json s3://src/x s3://dst/y >/dev/null 2>&1 || fail "mv, json"
equal "requests that ask" "$(($(requests list) + $(requests head) + $(requests head-bucket)))" "$(stat total)"
equal "journals" "$(ls "$FERRYFS_JOURNAL" 2>/dev/null | wc -l)" 0
