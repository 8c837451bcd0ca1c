#!/bin/bash
# Objects that were uploaded in parts, whose ETags no condition matches on some servers, are copied and moved all the same,
# but not when they are other ones by then.
. "$(dirname "$0")/lib.sh"
head -c 33000000 /dev/urandom >big # above the size from which uploads go in parts
for mode in "" "--strict-parts --strict-deletes --no-conditional-delete"; do
	# shellcheck disable=SC2086
	start_s3d --bucket=bkt $mode
	m=m${#S3D_PIDS[@]}
	mount_s3 "$m" s3://bkt
	mkdir "$m/d"
	cp big "$m/d/big" || fail "cp ($mode)"
	object bkt d/big | field etag | grep -q -- - || fail "not uploaded in parts"
	cp "$m/d/big" "$m/copy" || fail "cp in the mount ($mode)"
	equal "bytes through the client ($mode)" "$(requests get)" 0
	"$FERRYFS" cp --quiet --part-threshold 8M --part-size 8M s3://bkt/d/big s3://bkt/parts || fail "cp in parts ($mode)"
	[ "$(requests copy-part)" -ge 4 ] || fail "not copied in parts ($mode)"
	mv "$m/d" "$m/e" || fail "mv of the directory ($mode)"
	cp big "$m/file"
	mv "$m/file" "$m/moved" || fail "mv of the file ($mode)"
	"$FERRYFS" mv -r --quiet s3://bkt/e s3://bkt/f || fail "mv by command ($mode)"
	equal "keys ($mode)" "$(keys bkt | tr '\n' ' ')" "copy f/ f/big moved parts "
	for file in copy f/big moved parts; do
		equal "$file ($mode)" "$(object bkt $file | field md5)" "$(md5sum <big | cut -d' ' -f1)"
	done

	# another one by the time of the copy
	cp big "$m/late"
	admin POST hook 'when=copy,nth=1,at=before,do=put,bucket=bkt,key=late,text=other' >/dev/null
	refuse cp "$m/late" "$m/stale" 2>err
	grep -q Stale err || fail "said: $(<err) ($mode)"
	equal "the other one ($mode)" "$(object bkt late | field size)" 5
	umount_s3 "$m"
done
