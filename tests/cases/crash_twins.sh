#!/bin/bash
# A move of objects onto themselves, under another name of their bucket, is killed at its n-th step, for every n until it ends by
# itself (as crash_matrix.sh does for others): nothing is lost, then or by the recovery, whether or not the service tells that the
# two names are one bucket.
. "$(dirname "$0")/lib.sh"
[ -x "${FERRYFS_CRASHING:-}" ] || skip "no program that crashes: make check-cases builds it"
any_server "a bucket's second name is the embedded server's"
mkdir -m 700 "$FERRYFS_JOURNAL"
words=(--inflight 6 --workers 1 --list-streams 1 --retries 0 --quiet)
below() { admin GET "keys?brief=1&bucket=bkt&prefix=$1/" | awk '{print $1, $2, $3}' | sort; }
quiet() { admin GET stats | grep -q '"in_flight": *0[,}]'; }

crashed=0
twins() { # mode step
	local n status=137
	for ((n = 1; status == 137; n += $2)); do
		base=$1$n
		admin POST "seed?bucket=bkt&prefix=$base/&count=3&size=20" >/dev/null
		names=$(below "$base")
		(FERRYFS_CRASH_AT=$n "$FERRYFS_CRASHING" mv -r "${words[@]}" "s3://bkt/$base" "s3://bkt-alias/$base"; exit $?) 2>err
		status=$?
		[ "$status" = 137 ] && crashed=$((crashed + 1))
		until_true 120 quiet
		"$FERRYFS" recover >out 2>>err
		equal "what is there (step $n, $1)" "$(below "$base")" "$names"
		rm -f "$FERRYFS_JOURNAL"/*
	done
	equal "the whole move onto itself ($1): $(cat err)" "$status" 1
}

start_s3d --bucket=bkt --alias=bkt-alias=bkt
twins told 1
for on in 1 0; do
	admin POST "set?conditional-copy=$on&conditional-delete=$on&conditional-put=$on" >/dev/null
	admin POST fault "op=list-uploads,action=403:AccessDenied" >/dev/null
	twins untold$on 3
	admin DELETE fault >/dev/null
done
[ "$crashed" -gt 4 ] || fail "only $crashed crashes"
