#!/bin/bash
# A move that is stopped (Ctrl-Z) while the answer to a copy is lost: when it goes on, its own copy is known as such, though
# the time that it was stopped is missing from its workers' clock.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt
for i in 1 2 3 4; do put bkt old/f$i text-$i; done
admin POST 'fault' 'op=copy,key=new/f3,nth=1,action=stall-after' >/dev/null
"$FERRYFS" mv -r -q --workers 1 --inflight 8 s3://bkt/old s3://bkt/new 2>err &
pid=$!
until_true 60 eval '[ "$(keys bkt new/ | wc -l)" = 4 ]'
kill -STOP $pid
admin DELETE fault >/dev/null # ends what is stalled by a reset
later=$((SECONDS + 8))
until_true 60 eval '[ $SECONDS -ge $later ]'
kill -CONT $pid
wait $pid || fail "$?: $(cat err)"
equal "moved" "$(keys bkt old/ | wc -l) $(keys bkt new/ | wc -l)" "0 4"
