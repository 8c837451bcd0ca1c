#!/usr/bin/env bash
# A file that S3 is being asked about while its directory is renamed, and is answered 404 about for its old key is gone already: open and truncate(2) find it at its new name.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt
for d in open truncate; do put bkt $d/f 0123456789; done
mount_s3 m s3://bkt -o cache_ttl=0
cat >ask.py <<'E2'
import os, sys
# The name is looked up once, here; what follows asks about the file itself.
path = os.open('m/%s/f' % sys.argv[1], os.O_PATH)
open('ready', 'w').close()
while os.path.exists('ready'):
    os.sched_yield()
file = '/proc/self/fd/%d' % path
if sys.argv[1] == 'open':
    assert os.read(os.open(file, os.O_RDONLY), 100) == b'0123456789'
else:
    os.truncate(file, 4)
E2
asked() { [ "$(stat now.head)" -gt "$before" ]; }
for how in open truncate; do
	python3 ask.py $how 2>err & pid=$!
	until_true 120 test -e ready
	# The first answer does not come, and when it is asked again the key is gone: the rename still waits for its delete's answer.
	admin POST fault "op=head,key=$how/f,nth=1,action=stall:1500" >/dev/null
	admin POST fault "op=deletes,nth=1,action=stall-after:4000" >/dev/null
	before=$(stat now.head)
	rm ready
	until_true 120 asked
	mv m/$how m/$how.new || fail "mv"
	wait $pid || fail "$how: $(cat err)"
	admin DELETE fault >/dev/null
	[ -e m/$how.new/f ] || fail "$how: not shown at the new place"
done
equal "truncated" "$(object bkt truncate.new/f | field size)" 4
equal "keys" "$(keys bkt | tr '\n' ' ')" "open.new/f truncate.new/f "
