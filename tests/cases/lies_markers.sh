#!/usr/bin/env bash
# A directory that somebody else had settled while cp was on its way has a marker; when cp ends it has gone again, also
# where cp's very last file is the only one in it.  One that cannot be removed again is told.
. "$(dirname "$0")/lib.sh"
[ -z "${FERRYFS_REAL:-}" ] || skip "latency and faults are the embedded server's"
start_s3d --bucket=bkt
put bkt src/d/only x
mount_s3 m s3://bkt -o retries=0
settle() { python3 -c 'import os, sys; os.fsync(os.open(sys.argv[1], os.O_RDONLY))' "$1" || fail "fsync $1"; }
# settled DIR: cp -r into it, stopped and settled between the making of its directory and the copy of its file
settled() {
	admin POST 'set?latency.list=600' >/dev/null
	cp -r m/src "m/$1" 2>"$1.err" &
	copier=$!
	until_true 120 test -d "m/$1/d"
	kill -STOP "$copier"
	settle "m/$1"
	stopped=$(keys bkt "$1/" | tr '\n' ' ')
}
for round in 1 2 3; do
	settled to$round
	kill -CONT "$copier"
	wait "$copier" || fail "cp: $(<to$round.err)"
	at_exit=$(keys bkt "to$round/" | tr '\n' ' ')
	admin POST 'set?latency.list=0' >/dev/null
	# (Where the file was under way already nothing is shown by this round.)
	[ "$stopped" != "to$round/d/ " ] && [ "$stopped" != "to$round/ to$round/d/ " ] || shown=yes
	equal "at the exit of cp" "$at_exit" "to$round/d/only "
done
[ -n "${shown:-}" ] || skip "cp was never stopped in time"
settled kept
admin POST fault 'op=delete,key=kept/*,action=403:AccessDenied' >/dev/null
kill -CONT "$copier"
if wait "$copier"; then
	equal "cp ended with 0" "$(keys bkt kept/ | tr '\n' ' ')" "kept/d/only "
fi
