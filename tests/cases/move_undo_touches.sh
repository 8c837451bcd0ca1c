#!/bin/bash
# An undone move removes its own copies and nothing else: not what was there before, not what somebody wrote meanwhile, at the
# destination or in place of a copy.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt
for on in 1 0; do
	admin POST "set?conditional-copy=$on&conditional-delete=$on&conditional-put=$on" >/dev/null
	d=d$on
	admin POST "seed?bucket=bkt&prefix=$d/old/&count=20&size=10" >/dev/null
	before=$(keys bkt $d/old/)
	last=$(tail -n 1 <<<"$before")
	third=$(sed -n 3p <<<"$before")
	copy=$d/new/${third##*/}
	mount_s3 m s3://bkt -o inflight=1,workers=1,cache_ttl=0
	admin POST hook "when=copy,nth=15,at=after,do=put,bucket=bkt,key=$d/new/theirs,text=theirs" >/dev/null
	admin POST hook "when=copy,nth=16,at=after,do=put,bucket=bkt,key=$copy,text=not-our-copy" >/dev/null
	admin POST fault "op=copy,key=*${last##*/},action=403:AccessDenied" >/dev/null
	refuse mv -T m/$d/old m/$d/new 2>err
	admin DELETE hook >/dev/null
	admin DELETE fault >/dev/null
	equal "the old place ($on)" "$(keys bkt $d/old/)" "$before"
	equal "the new place ($on)" "$(keys bkt $d/new/)" "$(printf '%s\n' "$copy" "$d/new/theirs" | sort)"
	equal "their content ($on)" "$(object bkt "$copy" | field size)" 12
	umount_s3 m

	# A command that would overwrite can't be undone; it deletes nothing all the same.
	admin POST "seed?bucket=bkt&prefix=$d/src/&count=5&size=10" >/dev/null
	put bkt $d/dst/was-there before
	admin POST fault "op=copy,key=*4.txt,action=403:AccessDenied" >/dev/null
	refuse "$FERRYFS" mv -r --quiet s3://bkt/$d/src s3://bkt/$d/dst 2>err
	admin DELETE fault >/dev/null
	equal "sources ($on)" "$(keys bkt $d/src/ | wc -l)" 5
	equal "what was there ($on)" "$(object bkt $d/dst/was-there | field size)" 6
	# Onto nothing, it is undone.
	admin POST fault "op=copy,key=*4.txt,action=403:AccessDenied" >/dev/null
	refuse "$FERRYFS" mv -r --quiet s3://bkt/$d/src s3://bkt/$d/nowhere 2>err
	admin DELETE fault >/dev/null
	equal "sources ($on)" "$(keys bkt $d/src/ | wc -l)" 5
	equal "nowhere ($on)" "$(keys bkt $d/nowhere/)" ""
done
equal "journals" "$(ls journal)" ""
