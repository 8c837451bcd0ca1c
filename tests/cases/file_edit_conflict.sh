#!/usr/bin/env bash
# An append or an edit of an object that somebody else replaced meanwhile: ESTALE, and theirs stays.  O_TRUNC: the last one wins.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket data
mount_s3 m s3://data -o cache_ttl=0
export ENDPOINT
cat >edit.py <<'P'
import errno, os, sys, urllib.request
def admin(method, path): return urllib.request.urlopen(urllib.request.Request(os.environ['ENDPOINT'] + '/_s3d/' + path, method=method)).read()
def put(key, text): admin('POST', 'overwrite?bucket=data&key=%s&text=%s' % (key, text))
def refused(call):
    try:
        call()
    except OSError as e:
        assert e.errno == errno.ESTALE, e
        return
    raise SystemExit('succeeded')
n = 0
def edit(flags, text=b'mine', old='old'):
    global n
    n += 1
    name = '%s%d' % (sys.argv[1], n)
    put(name, old)
    fd = os.open('m/' + name, flags)
    if text: os.write(fd, text)
    return name, fd
def stays(name, what='theirs'):
    assert open('m/' + name).read() == what, open('m/' + name).read()
    assert os.stat('m/' + name).st_size == len(what)
for flags in (os.O_WRONLY | os.O_APPEND, os.O_RDWR, os.O_WRONLY | os.O_CREAT):
    name, fd = edit(flags)
    put(name, 'theirs')
    refused(lambda: os.fsync(fd)); refused(lambda: os.close(fd))
    stays(name)
    # Between two stores of ours.
    name, fd = edit(flags); os.fsync(fd); os.write(fd, b' more'); put(name, 'theirs')
    refused(lambda: os.close(fd))
    stays(name)
    # Nobody else: it goes on and on, also across a rename.
    name, fd = edit(flags); os.fsync(fd); os.write(fd, b' more'); os.fsync(fd); os.write(fd, b' yet')
    os.rename('m/' + name, 'm/' + name + 'r'); os.write(fd, b'!'); os.close(fd)
    assert open('m/' + name + 'r').read().endswith('mine more yet!')
    # Gone meanwhile: it does not come back.
    name, fd = edit(flags); admin('DELETE', 'object?bucket=data&key=' + name)
    refused(lambda: os.close(fd))
    assert not os.path.exists('m/' + name)
# An empty one, into which somebody has put something.
name, fd = edit(os.O_WRONLY | os.O_APPEND, b'', ''); put(name, 'theirs')
refused(lambda: (os.write(fd, b'mine'), os.close(fd)))
stays(name)
# Shortened through a file.
name, fd = edit(os.O_RDWR, b''); os.ftruncate(fd, 2); put(name, 'theirs'); refused(lambda: os.close(fd)); stays(name)
# Overwritten: the last one wins.
for how in (lambda name: os.open('m/' + name, os.O_WRONLY | os.O_TRUNC), ):
    name, fd = edit(os.O_RDONLY, b''); os.close(fd); fd = how(name); os.write(fd, b'mine'); put(name, 'theirs'); os.close(fd)
    stays(name, 'mine')
# As a shell does it: a duplicate is closed first, which stores nothing of content.
name, fd = edit(os.O_WRONLY | os.O_TRUNC, b''); os.close(os.dup(fd)); put(name, 'theirs'); os.write(fd, b'mine'); os.close(fd)
stays(name, 'mine')
name, fd = edit(os.O_RDWR); os.ftruncate(fd, 0); os.pwrite(fd, b'mine', 0); put(name, 'theirs'); os.close(fd)
stays(name, 'mine')
P
python3 edit.py enforced || fail "conditions enforced"
umount_s3 m
until_true 120 no_hub
admin POST 'set?conditional-put=0' >/dev/null
mount_s3 m s3://data -o cache_ttl=0
python3 edit.py ignored || fail "conditions ignored"
grep -q "another client has changed it meanwhile" mount.log || fail "nothing in the log"
