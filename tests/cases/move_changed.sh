#!/bin/bash
# What others write while a directory is moved is never deleted: an object overwritten between its copy and its delete, at each
# of the moments there are, and one added; on a mount, with conditions that the server enforces and with ones that it ignores.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt
for on in 1 0; do
	admin POST "set?conditional-copy=$on&conditional-delete=$on&conditional-put=$on" >/dev/null
	mount_s3 m s3://bkt -o inflight=1,workers=1,cache_ttl=0
	number=0
	for moment in when=copy,nth=1,at=after when=copy,nth=9,at=after when=list,nth=2,at=before when=deletes,nth=1,at=before; do
		number=$((number + 1))
		# Without conditions nothing can hold the instant between the last look and the delete.
		[ "$on$moment" = 0when=deletes,nth=1,at=before ] && continue
		d=d$on$number
		# The window that remains where conditional deletes are not enforced (ferryfs.7, SERVERS).
		[ -n "${FERRYFS_REAL:-}" ] && [[ $moment == when=deletes* ]] && continue
		admin POST "seed?bucket=bkt&prefix=$d/&count=9&size=10" >/dev/null
		victim=$(keys bkt $d/ | head -n 1)
		ls m/$d >/dev/null
		admin POST hook "$moment,do=put,bucket=bkt,key=$victim,text=written-meanwhile" >/dev/null
		mv -T m/$d m/to-$d 2>err
		status=$?
		admin DELETE hook >/dev/null
		# Overwritten before its copy, it is moved as it is; after that, it stays.
		all=$(keys bkt $d/; keys bkt to-$d/)
		grep -q . <<<"$all" || fail "everything is gone"
		found=no
		for key in "$victim" "to-$victim"; do
			[ "$(admin GET "keys?bucket=bkt&prefix=$key" | cut -f2)" = 17 ] && found=yes
		done
		equal "the new content is somewhere ($moment, $on)" $found yes
		[ $status = 0 ] || grep -q "$victim" mount.log || fail "not named ($moment, $on): $(cat mount.log)"
		equal "objects ($moment, $on)" "$(sed 's|^to-||' <<<"$all" | sort -u | wc -l)" 9
	done

	admin POST "seed?bucket=bkt&prefix=add$on/&count=9&size=10" >/dev/null
	admin POST hook "when=copy,nth=12,at=after,do=put,bucket=bkt,key=add$on/zz,text=added" >/dev/null
	admin POST hook "when=copy,nth=5,at=after,do=put,bucket=bkt,key=add$on/zz,text=added" >/dev/null
	mv -T m/add$on m/added$on 2>err
	admin DELETE hook >/dev/null
	equal "the added one survives" "$(keys bkt | grep -c "^add.*$on/zz$")" 1
	equal "and all others" "$(keys bkt | grep "^add.*$on/" | sed 's|.*/||' | sort -u | wc -l)" 10
	umount_s3 m
done
equal "journals" "$(ls journal)" ""
