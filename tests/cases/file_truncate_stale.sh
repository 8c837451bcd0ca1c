#!/usr/bin/env bash
# truncate to the size that the mount believes a file to have: it looks at what S3 has, or stores.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket data
mount_s3 m s3://data -o cache_ttl=3600
for f in f g h i j; do put data $f 12345; done
put data e ''
ls -l m >/dev/null
cat m/f m/g m/h m/e >/dev/null
for f in f g h e j; do put data $f 1234567890; done
python3 - <<'P' || fail truncate
import errno, os
os.truncate('m/f', 5)
os.truncate('m/g', 3)
os.truncate('m/e', 0)
os.truncate('m/i', 5)
# Through a file: of the version that was opened.
fd = os.open('m/h', os.O_RDWR)
try:
    os.ftruncate(fd, 5); os.close(fd)
except OSError as e:
    assert e.errno == errno.ESTALE, e
# Unlinked and still open: it does not come back.
fd = os.open('m/j', os.O_RDWR); os.unlink('m/j'); os.ftruncate(fd, 0); os.close(fd)
P
equal "to the size believed" "$(object data f | field size)" 5
equal "shorter" "$(object data g | field size)" 3
equal "to nothing" "$(object data e | field size)" 0
equal "the same in truth" "$(object data i | field size)" 5
equal "keys" "$(keys data | tr '\n' ' ')" "e f g h i "
