#!/bin/bash
# A file renamed while it is written is stored under its new name; one that is not stored yet keeps its directory where it is.
# (Python, since a shell's echo >&3 closes a duplicate each time, which stores the file.)
. "$(dirname "$0")/lib.sh"
start_s3d --bucket bkt
put bkt d/old stored
put bkt winner won
mount_s3 m s3://bkt
cat >open.py <<'P'
import errno, os
def keys(): return sorted(os.listdir('m'))
# Never stored: moved here alone, listed at once, stored under the new name.
f = open('m/new', 'w'); f.write('one\n'); f.flush()
os.rename('m/new', 'm/named'); assert not os.path.exists('m/new') and 'named' in keys(), keys()
f.write('two\n'); f.close()
# Stored before, and being appended to.
f = open('m/d/old', 'a'); f.write(' more'); f.flush()
os.rename('m/d/old', 'm/d/renamed')
f.write(' and more'); f.close()
# A directory with content that is not stored.
f = open('m/d/open', 'w'); f.write('x'); f.flush()
try:
    os.rename('m/d', 'm/e')
    raise SystemExit('a directory moved under an open writer')
except OSError as e:
    assert e.errno == errno.EBUSY, e
f.close()
os.rename('m/d', 'm/e')
# A reader follows.
f = open('m/e/renamed'); os.rename('m/e', 'm/f'); assert f.read() == 'stored more and more'; f.close()
# Renamed over while it is written: nothing of it is stored any more.
f = open('m/victim', 'w'); f.write('lost'); f.flush()
os.rename('m/winner', 'm/victim')
f.write(' as well'); f.close()
P
python3 open.py || fail "open files"
equal "keys" "$(keys bkt | tr '\n' ' ')" "f/open f/renamed named victim "
equal "written across the rename" "$(cat m/named)" "$(printf 'one\ntwo')"
equal "appended across the rename" "$(cat m/f/renamed)" "stored more and more"
equal "victim" "$(cat m/victim)" won
