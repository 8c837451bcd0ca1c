#!/bin/bash
# What recover says of a file that is damaged, and of a service whose answers are none, are words: what is wrong and what to do.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt --seed=bkt,prefix=old/,count=6,size=10
admin POST fault 'op=copy,from=4,action=stall' >/dev/null
"$FERRYFS" mv -r -q --workers 1 --inflight 4 s3://bkt/old s3://bkt/new 2>err &
pid=$!
until_true 120 eval '[ "$(keys bkt new/ | wc -l)" -ge 2 ]'
kill -9 $pid
wait $pid 2>/dev/null
admin DELETE fault >/dev/null
file=$(ls journal/*)
cp "$file" kept

admin POST fault 'op=list,action=foreign:404' >/dev/null
refuse "$FERRYFS" recover --retries 0 >out 2>err
grep -q "^failed: .*answer makes no sense (is there a portal" out || fail "a foreign answer: $(cat out)"
admin DELETE fault >/dev/null

printf 'nonsense\n' >"$file"
refuse "$FERRYFS" recover >out 2>err
grep -q '^unusable: .*damaged where it says what was moved.*remove the file' out || fail "damaged: $(cat out)"
[ -e "$file" ] || fail "it is gone"
for text in "$(cat out)" "$(cat err)"; do [[ $text != *"Bad message"* ]] || fail "$text"; done

cp kept "$file"
"$FERRYFS" recover -q || fail "recover"
equal "undone" "$(keys bkt old/ | wc -l) $(keys bkt new/)" "6 "
