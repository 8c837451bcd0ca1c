#!/bin/bash
# An object that appears below a directory while it is renamed stays where it is, and the rename says EBUSY.
# (By rename(2) itself: mv tries more than once.)
. "$(dirname "$0")/lib.sh"
cat >rename.py <<'P'
import errno, os, sys
try:
    os.rename(sys.argv[1], sys.argv[2])
except OSError as e:
    print(errno.errorcode[e.errno])
P
for mode in "" "--no-conditional-copy --no-conditional-delete --no-conditional-put"; do
	# shellcheck disable=SC2086
	start_s3d --bucket bkt $mode
	for i in 1 2 3 4 5; do put bkt "dir/$i" "text$i"; done
	m=m${#S3D_PIDS[@]}
	mount_s3 "$m" s3://bkt
	ls -lR "$m" >/dev/null
	admin POST hook 'when=copy,nth=3,at=after,do=put,bucket=bkt,key=dir/late,text=late' >/dev/null
	equal "errno ($mode)" "$(python3 rename.py "$m/dir" "$m/new")" EBUSY
	equal "keys ($mode)" "$(keys bkt | tr '\n' ' ')" "dir/late new/1 new/2 new/3 new/4 new/5 "
	equal "old place shown" "$(ls "$m/dir")" late
	equal "content" "$(cat "$m/dir/late")" late
	equal "new place shown" "$(ls "$m/new" | tr '\n' ' ')" "1 2 3 4 5 "
	grep -q 'dir/late' mount.log || fail "the log does not name it"
	admin DELETE hook >/dev/null
	# The same where the new place is an empty directory with a marker of its own.
	put bkt empty/ ''
	put bkt old/ ''
	put bkt old/1 1
	ls -lR "$m" >/dev/null
	admin POST hook 'when=copy,nth=1,at=after,do=put,bucket=bkt,key=old/late,text=late' >/dev/null
	equal "errno, onto an empty one ($mode)" "$(python3 rename.py "$m/old" "$m/empty")" EBUSY
	equal "keys, onto an empty one ($mode)" "$(keys bkt | grep -e ^old -e ^empty | tr '\n' ' ')" "empty/ empty/1 old/ old/late "
	admin DELETE hook >/dev/null
done
