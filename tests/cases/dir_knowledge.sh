#!/bin/bash
# What is known of a directory answers lookups without a request: just made here, listed whole, fetched after a second miss.
. "$(dirname "$0")/lib.sh"
any_server "which requests are sent"
start_s3d --bucket bkt
admin POST 'seed?bucket=bkt&prefix=d/&count=50&size=1' >/dev/null
admin POST 'seed?bucket=bkt&prefix=big/&count=9000&size=1' >/dev/null
mount_s3 m s3://bkt -o cache_ttl=600
total() { admin GET stats | python3 -c 'import json,sys; r=json.load(sys.stdin)["requests"]; print(sum(v for k, v in r.items() if k not in ("admin",)))'; }
mkdir m/born
admin POST reset >/dev/null
for i in 1 2 3 4 5; do [ ! -e m/born/$i ] || fail "exists"; done
equal "requests in a directory made here" "$(total)" 0
ls m/d >/dev/null
admin POST reset >/dev/null
python3 -c '
import os
for i in range(50): os.path.exists("m/d/no%d" % i)
for e in os.listdir("m/d"): pass' || fail
[ "$(total)" -le 2 ] || fail "$(total) requests in a listed directory"
mount_s3 n s3://bkt -o cache_ttl=600
admin POST reset >/dev/null
python3 -c '
import os
for i in range(50): assert not os.path.exists("n/d/no%d" % i)
assert os.path.exists("n/d/" + os.listdir("m/d")[0])' || fail
[ "$(total)" -le 10 ] || fail "$(total) requests for fifty misses"
# One that is too long is asked name by name.
admin POST reset >/dev/null
python3 -c '
import os
for i in range(20): assert not os.path.exists("n/big/no%d" % i)' || fail
[ "$(requests list)" -le 26 ] || fail "$(requests list) listings: a long directory was listed for a miss"
