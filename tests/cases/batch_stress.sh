#!/bin/bash
# Random cp, mv, rm, ls, cat and find processes, several at once, against a model of the tree, with faults on
# (tests/matrix/stress.py): each exit status is true, nothing is lost, nothing hangs.  SECONDS_STRESS=20 for less than a minute;
# SEED repeats a choice of processes, though not their timing.
. "$(dirname "$0")/lib.sh"
[ -z "${FERRYFS_REAL:-}" ] || skip "faults are the embedded server's"
start_s3d --bucket=bkt
mount_s3 m s3://bkt -o cache_ttl=1,timeout=10 # the server now and then forgets a request, and so waits would be a minute
mkdir beside
mount --bind m beside || skip "no right to bind-mount"
MOUNTS+=("$WORK/beside")
TMPDIR=$WORK python3 "$TOP/tests/matrix/stress.py" --mount "$WORK/m" --beside "$WORK/beside" --server "$ENDPOINT" --bucket bkt \
	--log "$WORK/mount.log" --seconds "${SECONDS_STRESS:-60}" ${SEED:+--seed "$SEED"} || fail "see above"
may_be_untold # that is told by stress.py, which knows who ended how
# Nothing is left to come.
before=$(admin GET 'keys?bucket=bkt')
umount beside || fail "umount beside"
umount_s3 m
until_true 120 no_hub
equal "after the mount has ended" "$(admin GET 'keys?bucket=bkt')" "$before"
