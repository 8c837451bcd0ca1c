#!/bin/bash
# Where one key would become too long nothing is moved, also among many, and also by the command.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket bkt
long=$(printf 'x%.0s' $(seq 250))
admin POST 'seed?bucket=bkt&prefix=d/&count=1500&size=1' >/dev/null
put bkt "d/$long/$long/$long/$long" text
mount_s3 m s3://bkt
before=$(keys bkt | md5sum)
python3 -c "
import errno, os
try:
    os.rename('m/d', 'm/' + 'n' * 100)
    raise SystemExit('renamed')
except OSError as e:
    assert e.errno == errno.ENAMETOOLONG, e" || fail "rename"
equal "keys after rename" "$(keys bkt | md5sum)" "$before"
equal "shown" "$(ls m | tr '\n' ' ')" "d "
"$FERRYFS" mv -r s3://bkt/d "s3://bkt/$(printf 'n%.0s' $(seq 100))" 2>err
equal "status" $? 1
[ "$(keys bkt d/ | wc -l)" = 1501 ] || fail "sources are gone"
