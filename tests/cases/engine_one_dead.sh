#!/bin/bash
# Three services behind one daemon, one of them dead, whatever way: what is asked of the others is done while it still is, a
# single error of theirs is tried again, and nobody waits for a place, a retry or a set of deletes that it holds.
. "$(dirname "$0")/lib.sh"
[ -z "${FERRYFS_REAL:-}" ] || skip "faults are the embedded server's"
[ "$(id -u)" = 0 ] || skip "needs root: a hub is root's"
start_s3d --bucket=dead --seed=dead,prefix=src,count=700,size=10
dead=$ENDPOINT
for i in $(seq 12); do admin POST "seed?bucket=dead&prefix=t$i&count=4&size=1" >/dev/null; done
start_s3d --bucket=one --seed=one,prefix=src,count=20,size=10
one=$ENDPOINT
start_s3d --bucket=two --seed=two,prefix=src,count=20,size=10
two=$ENDPOINT
mount_s3 d s3://dead -o "endpoint_url=$dead,timeout=3600"
mount_s3 a s3://one -o "endpoint_url=$one,cache_ttl=0"
mount_s3 b s3://two -o "endpoint_url=$two,cache_ttl=0"
at() { local ENDPOINT=$1; shift; admin "$@"; }
ls -lR d a b >/dev/null
BUSY=()

# Load on the dead one: more than a window of copies, readers, deletes, names.
load() {
	cp -r d/src d/copy$1 >/dev/null 2>&1 & BUSY+=($!)
	for i in $(seq 12); do rm -r d/t$i >/dev/null 2>&1 & BUSY+=($!); done
	for i in $(seq 30); do cat "d/src/file0000$((i + 10)).txt" >/dev/null 2>&1 & BUSY+=($!); done
	for i in $(seq 10); do stat "d/none$1.$i" >/dev/null 2>&1 & BUSY+=($!); done
}
still_dead() { at "$dead" GET fault | grep -q '"fired": *[1-9]'; }

# ask VIEW SERVER BUCKET N: everything that a user does; 200 s are no measure, the dead one's time-out is an hour
ask() {
	at "$2" POST fault 'op=copy,nth=3,action=500:InternalError
op=list,nth=3,action=503
op=deletes,nth=1,action=502' >/dev/null
	timeout 200 stat "$1/src" >/dev/null || fail "stat on $1"
	timeout 200 ls "$1" >/dev/null || fail "ls on $1"
	timeout 200 cat "$1/src/file000001.txt" >/dev/null || fail "cat on $1"
	timeout 200 cp -r "$1/src" "$1/dst$4" || fail "cp -r on $1"
	ENDPOINT=$2 equal "copied on $1" "$(ENDPOINT=$2 keys "$3" "dst$4/" | wc -l)" 20
	timeout 200 mv "$1/dst$4" "$1/moved$4" || fail "mv on $1"
	timeout 200 rm -r "$1/moved$4" || fail "rm -r on $1"
	equal "removed on $1" "$(ENDPOINT=$2 keys "$3" "moved$4/" | wc -l)" 0
	at "$2" DELETE fault >/dev/null
}

n=0
for way in stall 503; do
	n=$((n + 1))
	at "$dead" POST fault "op=any,action=$way" >/dev/null
	load $n
	until_true 120 still_dead
	ask a "$one" one $n
	ask b "$two" two $n
	for pid in "${BUSY[@]}"; do kill -9 "$pid" 2>/dev/null; done
	BUSY=()
	at "$dead" DELETE fault >/dev/null
done

# And gone: nothing listens there.
kill -9 "${S3D_PIDS[0]}"
wait "${S3D_PIDS[0]}" 2>/dev/null
load 9
ask a "$one" one 9
ask b "$two" two 9
for pid in "${BUSY[@]}"; do kill -9 "$pid" 2>/dev/null; done
umount -l d
