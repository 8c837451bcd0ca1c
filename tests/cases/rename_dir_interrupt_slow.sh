#!/bin/bash
# A killed mv ends soon although the server keeps saying that it is too much: what is refused is not begun anew.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket bkt
for i in 1 2 3; do put bkt d/$i text; done
mount_s3 m s3://bkt -o timeout=5
ls -lR m >/dev/null
admin POST set?latency.copy=700 >/dev/null
admin POST fault 'op=copy,key=*/3,action=503:SlowDown' >/dev/null
mv -T m/d m/n 2>/dev/null &
mv=$!
tries() { [ "$(stat refused.copy 2>/dev/null || echo 0)" -ge 2 ] || [ "$(requests copy)" -ge 5 ]; }
until_true 120 tries
kill -TERM $mv
for n in $(seq 200); do kill -0 $mv 2>/dev/null || break; read -rt 0.05 <> <(:) || :; done
kill -0 $mv 2>/dev/null && fail "still at it"
wait $mv
equal "undone" "$(keys bkt | tr '\n' ' ')" "d/1 d/2 d/3 "
