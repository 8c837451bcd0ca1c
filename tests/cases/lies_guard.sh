#!/usr/bin/env bash
# The library's own guard: a case whose log says that a tool ended with 0 and was never told of a failure fails, whatever
# else it checks; and what the daemon says of a tool's end is so.
. "$(dirname "$0")/lib.sh"
[ -z "${FERRYFS_REAL:-}" ] || skip "faults are the embedded server's"
start_s3d --bucket=bkt --seed=bkt,prefix=src,count=5,size=10
mount_s3 m s3://bkt -o retries=0
# Killed with a refused copy untold: the log has the signal.
admin POST 'set?latency.copy=4000' >/dev/null
admin POST fault 'op=copy,key=to/file000001.txt,action=403:AccessDenied' >/dev/null
cp -r m/src m/to 2>/dev/null &
copier=$!
until_true 120 eval '[ "$(stat now.copy)" -ge 4 ]'
kill -KILL "$copier"
wait "$copier"
until_true 120 grep -qE "process $copier \(cp\) ended before it could be told of a failure: (signal 9|exit status unknown)$" mount.log
# The guard, on a case of its own.
inner() { # LINE [STATEMENT]: a case that does nothing but leave this in its log
	printf '. "%s"\n%s\nprintf "%%s\\n" "%s" >mount.log\n' "$TOP/tests/cases/lib.sh" "${2:-}" "$1" >inner.sh
	TMPDIR=$WORK bash inner.sh >inner.out 2>&1
}
said="ferryfs: error: process 7 (cp) ended before it could be told of a failure"
inner "$said: exit status 1" || fail "one that failed is no lie: $(<inner.out)"
inner "$said: signal 9" || fail "one that was killed is no lie: $(<inner.out)"
refuse inner "$said: exit status 0"
grep -q "told that all went well" inner.out || fail "without a reason: $(<inner.out)"
refuse inner "$said: exit status 0" may_be_untold
refuse inner "$said: exit status unknown"
inner "$said: exit status unknown" may_be_untold || fail "it was to be expected: $(<inner.out)"
# The matrices' guard, likewise.
cat >guard.py <<'PY'
import sys
sys.path.insert(0, sys.argv[1])
from tries import untold
said = "process %d (cp) ended before it could be told of a failure: %s"
assert untold(said % (7, "exit status 0"), {}), "a lie"
assert untold(said % (7, "exit status unknown"), {7: 0}), "a lie, known by its status"
assert not untold(said % (7, "exit status unknown"), {7: 1})
assert not untold(said % (7, "exit status 1") + "\n" + said % (8, "signal 9"), {7: 1})
PY
python3 guard.py "$TOP/tests/matrix" || fail "the matrices' guard"
may_be_untold
