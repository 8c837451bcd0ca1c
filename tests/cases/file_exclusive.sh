#!/usr/bin/env bash
# A name opened as a new one (O_EXCL, or without O_TRUNC) that somebody else has made meanwhile is not overwritten at close.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket data
mount_s3 m s3://data
cat >lib.py <<'P'
import errno, os, sys, urllib.request
def put(key, text): urllib.request.urlopen(urllib.request.Request(os.environ['ENDPOINT'] + '/_s3d/overwrite?bucket=data&key=%s&text=%s' % (key, text), method='POST')).read()
def refused(call, want):
    try:
        call()
    except OSError as e:
        assert e.errno == want, e
        return
    raise SystemExit('succeeded')
def make(name, flags, text=b'mine'):
    fd = os.open('m/' + name, os.O_CREAT | os.O_WRONLY | flags)
    if text:
        os.write(fd, text)
    return fd
P
export ENDPOINT
cat >close.py <<'P'
from lib import *
run = sys.argv[1]
for flags, want in ((os.O_EXCL, errno.EEXIST), (os.O_EXCL | os.O_TRUNC, errno.EEXIST), (os.O_APPEND, errno.ESTALE), (0, errno.ESTALE)):
    for text in (b'mine', b'', b'x' * 70000):
        name = '%s.%x.%d' % (run, flags, len(text))
        fd = make(name, flags, text)
        put(name, 'theirs')
        refused(lambda: os.fsync(fd), want)
        refused(lambda: os.close(fd), want)
        assert open('m/' + name).read() == 'theirs', name
        assert name in os.listdir('m')
        refused(lambda: make(name, os.O_EXCL), errno.EEXIST)
# Emptied by who made it, it is still to be new.
fd = make(run + '.emptied', os.O_EXCL); os.ftruncate(fd, 0); put(run + '.emptied', 'theirs')
refused(lambda: os.close(fd), errno.EEXIST)
# Plain overwriting: the last one wins.
fd = make(run + '.truncated', os.O_TRUNC); put(run + '.truncated', 'theirs'); os.close(fd)
assert open('m/' + run + '.truncated').read() == 'mine'
# Made, and renamed onto what is there: that is to be replaced.
put(run + '.final', 'old')
fd = make(run + '.temporary', os.O_EXCL); os.rename('m/%s.temporary' % run, 'm/%s.final' % run); os.close(fd)
assert open('m/' + run + '.final').read() == 'mine'
# Stored once it is an object of ours, and may be written on.
fd = make(run + '.on', os.O_EXCL); os.fsync(fd); os.write(fd, b' too'); os.fsync(fd); os.write(fd, b' and on'); os.close(fd)
assert open('m/' + run + '.on').read() == 'mine too and on'
P
python3 close.py enforced || fail "conditions enforced"
equal "a name that was made twice" "$(object data enforced.80.4 | field size)" 6
admin POST 'set?conditional-put=0' >/dev/null
umount_s3 m
until_true 120 no_hub
mount_s3 m s3://data
python3 close.py ignored || fail "conditions ignored"
equal "not enforced" "$(object data ignored.80.4 | field size)" 6
