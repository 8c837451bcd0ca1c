#!/usr/bin/env bash
# A copy of a part of a file whose source has changed, or has gone, before it was fetched: told at close, and then left alone.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket data
for f in a b; do put data $f 0123456789; done
put data c old
mount_s3 m s3://data -o cache_ttl=0
export ENDPOINT
python3 - <<'P' || fail "partial copies"
import os, urllib.request
def admin(method, path): return urllib.request.urlopen(urllib.request.Request(os.environ['ENDPOINT'] + '/_s3d/' + path, method=method)).read()
def part(source, name, spoil):
    src, dst = os.open('m/' + source, os.O_RDONLY), os.open('m/' + name, os.O_WRONLY | os.O_CREAT)
    assert os.copy_file_range(src, dst, 5) == 5
    spoil()
    try:
        os.close(dst)
    except OSError:
        return
    finally:
        os.close(src)
    raise SystemExit('succeeded')
part('a', 'changed', lambda: admin('POST', 'overwrite?bucket=data&key=a&text=another'))
def gone():
    admin('DELETE', 'object?bucket=data&key=b')
    assert not os.path.exists('m/b')
part('b', 'gone', gone)
P
daemon=$(daemon_of m)
admin POST reset >/dev/null
for i in {1..20}; do ls m >/dev/null; done
[ "$(requests get)" -lt 10 ] || fail "it is fetched again and again"
[ "$(grep -c changed mount.log)" -lt 10 ] || fail "told again and again"
equal "keys" "$(keys data | tr '\n' ' ')" "a c "
equal "listed" "$(ls m | tr '\n' ' ')" "a c "
kill -0 "$daemon" || fail "the daemon has ended"
