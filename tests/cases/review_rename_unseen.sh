#!/bin/bash
# A directory's rename to a name that this mount believes to be free, but is not: nothing is mixed, nothing overwritten.
. "$(dirname "$0")/lib.sh"
for mode in "" "--no-conditional-copy --no-conditional-delete --no-conditional-put"; do
	# shellcheck disable=SC2086
	start_s3d --bucket bkt $mode
	put bkt dir/a mine
	put bkt file mine
	m=m${#S3D_PIDS[@]}
	mount_s3 "$m" s3://bkt -o cache_ttl=600
	ls -l "$m" >/dev/null
	put bkt new/a theirs
	put bkt new/b theirs
	put bkt other theirs
	refuse mv -T "$m/dir" "$m/new" 2>/dev/null
	mv -n -T "$m/dir" "$m/new" 2>/dev/null || :
	equal "keys ($mode)" "$(keys bkt | tr '\n' ' ')" "dir/a file new/a new/b other "
	equal "theirs ($mode)" "$(object bkt new/a | field size)" 6
	python3 - "$m" <<'P' || fail "RENAME_NOREPLACE of a file ($mode)"
import ctypes, errno, sys
libc = ctypes.CDLL(None, use_errno=True)
m = sys.argv[1].encode()
r = libc.renameat2(-100, m + b'/file', -100, m + b'/other', 1)
assert r != 0 and ctypes.get_errno() == errno.EEXIST, (r, ctypes.get_errno())
P
	equal "their file ($mode)" "$(object bkt other | field size)" 6
done
