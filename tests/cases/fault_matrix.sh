#!/usr/bin/env bash
# A sample of the fault matrix (tests/matrix/faults.py): another one each day; SEED chooses, MATRIX=all takes all of it.
. "$(dirname "$0")/lib.sh"
[ -z "${FERRYFS_REAL:-}" ] || skip "faults are the embedded server's"
if [ "${MATRIX:-}" = all ]; then how=--all; else how=--seconds=${SECONDS_MATRIX:-90}; fi
TMPDIR=$WORK FERRYFS=$FERRYFS S3D=$S3D python3 "$TOP/tests/matrix/faults.py" $how --workers 3 ${SEED:+--seed "$SEED"}
