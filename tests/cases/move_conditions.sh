#!/bin/bash
# A move on servers that enforce conditions, ignore them, or refuse a DeleteObjects that carries them: an object overwritten
# after its copy and before its delete stays, everything else goes.  Where only a set of deletes is refused for its conditions
# (Swift), that holds also for one that is overwritten among the deletes.
. "$(dirname "$0")/lib.sh"
for mode in "" "--no-conditional-copy --no-conditional-delete --no-conditional-put" "--strict-deletes --no-conditional-delete" "--strict-deletes"; do
	# shellcheck disable=SC2086
	start_s3d --bucket=bkt $mode
	m=m${#S3D_PIDS[@]}
	for dir in plain mount command; do admin POST "seed?bucket=bkt&prefix=$dir/&count=50&size=10&dirs=3" >/dev/null; done
	names=$(keys bkt plain/ | sed 's|^plain/||')
	victim=$(head -n 1 <<<"$names")
	mount_s3 "$m" s3://bkt
	mv "$m/plain" "$m/moved" || fail "mv ($mode)"
	equal "moved ($mode)" "$(keys bkt moved/ | sed 's|^moved/||')" "$names"
	equal "its source ($mode)" "$(keys bkt plain/)" ""
	"$FERRYFS" mv -r --quiet s3://bkt/moved s3://bkt/again || fail "mv -r ($mode)"
	equal "moved by command ($mode)" "$(keys bkt again/ | sed 's|^again/||')" "$names"
	equal "its source ($mode)" "$(keys bkt moved/)" ""

	# A copy is held until the first object has been overwritten: that was copied, and no delete was sent yet.  It is the
	# fiftieth where the daemon knows the service already; where the first object's first copy is a probe, one more.
	for dir in mount command; do
		nth=50
		[ $dir = mount ] || nth=51
		admin POST hook "when=copy,nth=$nth,at=after,do=put,bucket=bkt,key=$dir/$victim,text=overwritten" >/dev/null
		if [ $dir = mount ]; then
			refuse mv -T "$m/$dir" "$m/to-$dir" 2>err
		else
			refuse "$FERRYFS" mv -r --quiet "s3://bkt/$dir" "s3://bkt/to-$dir" 2>err
		fi
		admin DELETE hook >/dev/null
		equal "what is left ($dir, $mode)" "$(keys bkt $dir/)" "$dir/$victim"
		equal "its content ($dir, $mode)" "$(object bkt "$dir/$victim" | field size)" 11
		equal "copies ($dir, $mode)" "$(keys bkt to-$dir/ | sed "s|^to-$dir/||")" "$names"
		equal "the old content ($dir, $mode)" "$(object bkt "to-$dir/$victim" | field size)" 10
		cat err mount.log | grep -q "$dir/$victim" || fail "it is not named ($dir, $mode)"
	done
	if [ "$mode" = --strict-deletes ] && [ "${FERRYFS_REAL:-}" != rgw ]; then
		admin POST "seed?bucket=bkt&prefix=late/&count=30&size=10" >/dev/null
		last=$(keys bkt late/ | tail -n 1)
		admin POST hook "when=delete,nth=1,at=before,do=put,bucket=bkt,key=$last,text=overwritten" >/dev/null
		refuse mv -T "$m/late" "$m/to-late" 2>err
		admin DELETE hook >/dev/null
		equal "left of what was overwritten among the deletes" "$(keys bkt late/)" "$last"
		equal "its content" "$(object bkt "$last" | field size)" 11
	fi
	umount_s3 "$m"
done
