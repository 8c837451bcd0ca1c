#!/bin/bash
# A move's journal goes only when S3 has said what became of each of its keys.  Whatever else answers, with whatever status and
# in whatever phase: recover fails, the journal stays, and with the service back it is settled; a move at work leaves its journal.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt
count() { keys bkt "$1/" | wc -l; }
one=(--retries 0 --workers 1 --list-streams 1 --inflight 4)

# A move that was killed when $1 ("copying", "deleting"), in $2.
cut_off() {
	admin POST "seed?bucket=bkt&prefix=$2/old/&count=12&size=10" >/dev/null
	if [ "$1" = deleting ]; then
		admin POST fault 'op=deletes,action=stall' >/dev/null
	else
		admin POST fault 'op=copy,from=8,action=stall' >/dev/null
	fi
	"$FERRYFS" mv -r -q "${one[@]}" "s3://bkt/$2/old" "s3://bkt/$2/new" 2>err &
	local pid=$!
	if [ "$1" = deleting ]; then
		until_true 120 eval "[ \$(requests deletes) -gt ${3:-0} ]"
	else
		until_true 120 eval "[ \$(count $2/new) -ge 6 ]"
	fi
	kill -9 $pid
	wait $pid 2>/dev/null
	admin DELETE fault >/dev/null
	[ -n "$(ls journal)" ] || fail "no journal: $1"
}
not_settled() { # what
	! "$FERRYFS" recover --retries 0 --timeout 1 >out 2>err || fail "$1: $(cat out)"
	grep -q '^failed: ' out || fail "$1: $(cat out err)"
	! grep -q 'sources are missing' err || fail "$1: $(cat err)"
	[ -n "$(ls journal)" ] || fail "$1: its journal is gone"
}
few='foreign:404 foreign:405 foreign:301 foreign:200 404:NoSuchBucket 403:AccessDenied'
many='foreign:400 foreign:403 foreign:409 foreign:412 foreign:413 foreign:451 foreign:501 foreign:502 foreign:505'
many+=' foreign:511 foreign:520 405:MethodNotAllowed 400:InvalidArgument 501:NotImplemented'
for phase in deleting copying; do
	cut_off $phase $phase "$(requests deletes)"
	before="$(count $phase/old) $(count $phase/new)"
	# All that is asked, by kind of request and status; what S3 itself says of a request as a whole is no better.
	statuses=$few
	[ $phase = copying ] || statuses="$few $many"
	for what in $statuses; do
		admin POST fault "op=list,action=$what" >/dev/null
		not_settled "$phase, list, $what"
		admin DELETE fault >/dev/null
		equal "$phase, list, $what" "$(count $phase/old) $(count $phase/new)" "$before"
	done
	for what in foreign:404 foreign:405 foreign:301 foreign:200 404:NoSuchBucket 400:InvalidArgument 403:AccessDenied; do
		admin POST fault "op=deletes,action=$what" >/dev/null
		admin POST fault "op=delete,action=$what" >/dev/null
		not_settled "$phase, deletes, $what"
		admin DELETE fault >/dev/null
		equal "$phase, deletes, $what" "$(count $phase/old) $(count $phase/new)" "$before"
	done
	"$FERRYFS" recover >out 2>err || fail "$phase: $(cat out err)"
	[ $phase = deleting ] && wanted="0 12" || wanted="12 0"
	equal "$phase: settled" "$(count $phase/old) $(count $phase/new)" "$wanted"
	equal "$phase: journal" "$(ls journal)" ""
done

# A move at work: all is answered so from some request on.
for from in 'op=list,from=2' 'op=copy,from=6' 'op=list,from=3' 'op=deletes,from=1'; do
	admin POST "seed?bucket=bkt&prefix=live/old/&count=12&size=10" >/dev/null
	admin POST fault "$from,action=foreign:404" >/dev/null
	[ "$from" != 'op=copy,from=6' ] || admin POST fault "op=list,from=2,action=foreign:404" >/dev/null
	refuse "$FERRYFS" mv -r -q "${one[@]}" s3://bkt/live/old s3://bkt/live/new 2>err
	admin DELETE fault >/dev/null
	"$FERRYFS" recover >out 2>err || fail "$from: $(cat out err)"
	equal "$from: in one place" "$(($(count live/old) + $(count live/new)))" 12
	[ "$(count live/old)" = 0 ] || [ "$(count live/new)" = 0 ] || fail "$from: in halves: $(cat out)"
	equal "$from: journal" "$(ls journal)" ""
	"$FERRYFS" rm -r -q s3://bkt/live || fail "rm"
done

# Credentials that end in the middle: the sources are there, and nobody says they were missing.
admin POST "seed?bucket=bkt&prefix=x/old/&count=200&size=10" >/dev/null
admin POST fault "op=copy,from=60,action=400:ExpiredToken" >/dev/null
admin POST fault "op=list,from=3,action=400:ExpiredToken" >/dev/null
refuse "$FERRYFS" mv -r -q "${one[@]}" s3://bkt/x/old s3://bkt/x/new 2>err
! grep -q 'sources are missing' err || fail "$(tail -n 5 err)"
admin DELETE fault >/dev/null
[ -n "$(ls journal)" ] || fail "no journal: $(tail -n 5 err)"
"$FERRYFS" recover -q || fail "recover"
equal "undone" "$(count x/old) $(count x/new)" "200 0"
