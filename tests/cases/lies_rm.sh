#!/usr/bin/env bash
# rm -rf takes it for done when what it is about to remove is not there, or is no directory any more.  With a removal
# refused it does not end with 0, whoever moved or removed the tree meanwhile.
. "$(dirname "$0")/lib.sh"
[ -z "${FERRYFS_REAL:-}" ] || skip "faults are the embedded server's"
start_s3d --bucket=bkt
mount_s3 m s3://bkt -o retries=0
deny() { for op in deletes-key delete; do admin POST fault "op=$op,key=$1,action=403:AccessDenied" >/dev/null; done; }
seed() { for d in 0 1 2; do admin POST "seed?bucket=bkt&prefix=$1/t/s$d&count=40&size=1" >/dev/null; done; }
admin POST 'set?latency.deletes=500' >/dev/null

# Another process renames the tree away: stopped in the middle of it, rm -rf finds nothing at its end, or a file.
strace -qq -o /dev/null -e inject=unlinkat:delay_enter=1000 -e trace=unlinkat true 2>/dev/null && held="nothing file above"
for then in ${held:-}; do
	seed "$then"
	until_true 120 test -d "m/$then/t/s2"
	ls -R "m/$then" >/dev/null
	deny "$then/t/s1/file00003*.txt"
	deny "away-$then/s1/file00003*.txt"
	# The last call is an unlinkat of the operand: strace holds it back until the tree is away.
	strace -qq -o trace -e trace=unlinkat -e inject=unlinkat:delay_enter=3000000:when=124 rm -rf "m/$then/t" 2>"$then.err" &
	remover=$!
	until_true 120 grep -qs "s2.*AT_REMOVEDIR" trace
	mv "m/$then/t" "m/away-$then" 2>mv.err
	moved=$?
	if [ "$then" = file ] && [ $moved = 0 ]; then echo x >"m/$then/t"; fi
	[ "$then" != above ] || mv "m/$then" m/gone 2>/dev/null
	wait "$remover"
	status=$?
	left=$(keys bkt "$then/t/"; keys bkt "away-$then/"; keys bkt gone/)
	[ "$status" != 0 ] || [ -z "$(grep file00003 <<<"$left")" ] ||
		fail "$then: rm -rf ended with 0 (mv: $moved), and there is $(head -3 <<<"$left")"
	admin DELETE fault >/dev/null
done

# Two at once, one of them above the other; the inner one's working directory goes away below it.
for round in 1 2 3 4 5 6; do
	seed "p$round"
	until_true 120 test -d "m/p$round/t/s2"
	ls -R "m/p$round" >/dev/null
	deny "p$round/t/s1/file00003*.txt"
	if [ $((round % 2)) = 0 ]; then
		(cd "m/p$round" && exec rm -rf t) 2>/dev/null & inner=$!
	else
		rm -rf "m/p$round/t" 2>/dev/null & inner=$!
	fi
	rm -rf "m/p$round" 2>/dev/null & outer=$!
	wait $inner; inner=$?
	wait $outer; outer=$?
	[ $inner != 0 ] || [ -z "$(keys bkt "p$round/t/")" ] || fail "the inner rm -rf: 0, and there is $(keys bkt "p$round/t/")"
	[ $outer != 0 ] || [ -z "$(keys bkt "p$round/")" ] || fail "the outer rm -rf: 0, and there is $(keys bkt "p$round/")"
	admin DELETE fault >/dev/null
done
