#!/bin/bash
# A source that changed since it was listed is moved as it is now; the old content is never what arrives.
. "$(dirname "$0")/lib.sh"
for mode in "" "--no-conditional-copy --no-conditional-delete --no-conditional-put"; do
	# shellcheck disable=SC2086
	start_s3d --bucket bkt $mode
	put bkt a old
	m=m${#S3D_PIDS[@]}
	mount_s3 "$m" s3://bkt -o cache_ttl=600
	ls -l "$m" >/dev/null
	put bkt a newer
	mv "$m/a" "$m/b" || fail "mv ($mode)"
	equal "keys" "$(keys bkt)" b
	equal "size at S3 ($mode)" "$(object bkt b | field size)" 5
	put bkt c x
	ls -l "$m" >/dev/null
	admin DELETE 'object?bucket=bkt&key=c' >/dev/null
	refuse mv "$m/c" "$m/d" 2>/dev/null
	equal "nothing appeared" "$(keys bkt)" b
done
