#!/bin/bash
# Ctrl-C, or SIGTERM, twice: a command ends though the server says nothing, names what it can't know the outcome of, and a
# move leaves its journal.
. "$(dirname "$0")/lib.sh"
[ -z "${FERRYFS_REAL:-}" ] || skip "faults are the embedded server's"
start_s3d --seed=src,prefix=x/,count=60,size=10 --bucket=dst
small=s3://src/x/file000001.txt

# begin OP WORD ...: a command whose requests of this kind get no answer; its pid
begin() {
	admin POST fault "op=$1,action=stall" >/dev/null
	shift
	"$FERRYFS" "$@" >out 2>err &
	pid=$!
}
met() { admin GET fault | grep -q '"fired": *[1-9]'; }
gone() { ! kill -0 "$1" 2>/dev/null; }
# twice SIGNAL WHAT: the second when the first was taken
twice() {
	until_true 120 met
	kill "-$1" $pid
	until_true 120 eval "grep -q 'stopping' err || gone $pid"
	kill "-$1" $pid 2>/dev/null
	until_true 120 gone $pid # the time-out is an hour: nothing else ends it
	wait $pid
	equal "$2" $? 130
	admin DELETE fault >/dev/null
}
set -m
slow=(--timeout 3600 --retries 9)

begin copy cp -r "${slow[@]}" s3://src/x s3://dst/y
twice INT "cp -r"
grep -q 'copy.*s3://dst/y/file.*no answer.*may be at the destination' err || fail "cp -r: $(cat err)"
begin copy cp -r --sync "${slow[@]}" s3://src/x s3://dst/y
twice TERM "cp --sync"
grep -q 'copy.*s3://dst/y/file.*no answer.*may be at the destination' err || fail "cp --sync: $(cat err)"
begin deletes rm -r "${slow[@]}" s3://src/x
twice INT "rm -r"
grep -q 'delete s3://src/x/file.*60 objects may be gone' err || fail "rm -r: $(cat err)"
begin list ls -r "${slow[@]}" s3://src/x/
twice INT "ls -r"
begin list cp -r "${slow[@]}" s3://src/x s3://dst/y
twice TERM "cp -r that lists"

begin copy cp "${slow[@]}" $small s3://dst/one
twice INT "cp"
grep -q 's3://dst/one had no answer, and may have been written' err || fail "cp: $(cat err)"
begin delete rm "${slow[@]}" $small
twice TERM "rm"
grep -q "$small had no answer, and may have been removed" err || fail "rm: $(cat err)"
begin head mv "${slow[@]}" $small s3://dst/one
twice INT "mv that looks"

begin copy mv -r "${slow[@]}" s3://src/x s3://dst/moved
twice INT "mv -r"
grep -q "ferryfs recover" err || fail "mv -r: $(cat err)"
equal "nothing is lost" "$(keys src x/ | wc -l)" 60
"$FERRYFS" recover >out || fail "recover: $(cat out)"
grep -q '^undone: s3://src/x/ -> s3://dst/moved/' out || fail "recover: $(cat out)"
equal "nothing stays" "$(keys dst moved/ | wc -l)" 0

# A mount in the foreground, before it is one.
mkdir m
begin list mount -f -o "hub=no,timeout=3600" s3://src m
until_true 120 met
kill -INT $pid
until_true 120 gone $pid
equal "not mounted" "$(mountpoint -q m && echo yes)" ""
