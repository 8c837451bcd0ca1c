#!/bin/bash
# Below an automount trigger: the first program that looks gets the mount, also one with a daemon of its own.
if [ -z "${IN_NAMESPACE:-}" ]; then
	IN_NAMESPACE=1 exec unshare -m --propagation private bash "$0"
fi
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root"
grep -q autofs /proc/filesystems || skip "no autofs here"

start_s3d --bucket=bkt
put bkt file content
for hub in no yes; do
	mkdir "at.$hub"
	python3 "$TOP/tests/automount.py" "$WORK/at.$hub" "$FERRYFS" mount -o \
		"hub=$hub,log_file=$WORK/mount.log,staging=$WORK${SANITIZER_OPTIONS[1]+,${SANITIZER_OPTIONS[1]}}" s3://bkt "$WORK/at.$hub" >"said.$hub" 2>&1 &
	automounter=$!
	until_true 120 eval "grep -q . 'said.$hub'"
	grep -q '^waiting' "said.$hub" || skip "$(<"said.$hub")"
	MOUNTS+=("$WORK/at.$hub")
	got=$(timeout 120 cat "at.$hub/file") || { kill -KILL $automounter; umount -l "at.$hub"; fail "hub=$hub: $(<"said.$hub")"; }
	equal "hub=$hub" "$got" content
	wait $automounter
	grep -q '^ended 0' "said.$hub" || fail "hub=$hub: $(<"said.$hub")"
	"$FERRYFS" umount "at.$hub" || fail "hub=$hub: umount"
	umount -l "at.$hub"
done
