#!/bin/bash
# A directory's rename is one tree move: every key below, those that can't be shown included, copied by the server, then deleted.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket bkt --bucket other
admin POST 'seed?bucket=bkt&prefix=a/dir/&count=2000&size=10&dirs=20&depth=2' >/dev/null
put bkt a/dir//odd 1
put bkt a/dir/../odd 1
put bkt a/dir/empty/ ''
put bkt a/dir-not/x 1
before=$(admin GET 'keys?bucket=bkt&prefix=a/dir/' | cut -f1- | sed 's|^a/dir/||')
mount_s3 m s3://
find m/bkt/a/dir >/dev/null
admin POST reset >/dev/null
mv m/bkt/a/dir m/bkt/new || fail mv
equal "bytes read" "$(requests get)" 0
# A few more than there are keys: whether the server enforces conditions is learnt on the first.
extra=$(($(requests copy) - $(wc -l <<<"$before")))
[ $extra -ge 0 ] && [ $extra -le 4 ] || fail "$extra more copies than keys"
equal "content" "$(admin GET 'keys?bucket=bkt&prefix=new/' | cut -f1- | sed 's|^new/||')" "$before"
equal "source" "$(keys bkt a/ | tr '\n' ' ')" "a/dir-not/x "
equal "files shown" "$(find m/bkt/new -type f | wc -l)" 2000
[ ! -e m/bkt/a/dir ] || fail "the old name is shown"
mv m/bkt/new m/other/there || fail "mv to another bucket"
equal "other" "$(admin GET 'keys?bucket=other&prefix=there/' | cut -f1- | sed 's|^there/||')" "$before"
equal "emptied" "$(keys bkt)" a/dir-not/x
mkdir m/bkt/old && mv m/bkt/old m/bkt/old2 || fail "mv of an empty directory"
equal "empty" "$(keys bkt old)" old2/
# A file open below follows.
mv m/other/there m/other/again &
wait $! || fail mv
equal "again" "$(keys other again/ | wc -l)" "$(wc -l <<<"$before")"
