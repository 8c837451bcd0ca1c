#!/bin/bash
# Two machines (two daemons, or two commands) move one tree at once, to the same place and to two places, with and without faults:
# every object survives, whole, and nothing that was at the destination is touched.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt --latency copy=3 --latency list=3 --latency deletes=3
content() { admin GET "keys?bucket=bkt&prefix=$1" | cut -f3 | sort -u; }
mounted() { # directory
	FERRYFS_JOURNAL=$WORK/journal.$1 FERRYFS_RUN_DIR=$WORK/run.$1 mount_s3 "$1" s3://bkt -o hub=no,inflight=16,cache_ttl=0,retries=2,timeout=2
}
mounted one
mounted two
move() { # machine, directory, its new name
	if [ $how = mount ]; then
		mv -T "$1/$d/$2" "$1/$d/$3"
	else
		FERRYFS_JOURNAL=$WORK/journal.$1 "$FERRYFS" mv -r --quiet --inflight 16 --retries 2 --timeout 2 "s3://bkt/$d/$2" "s3://bkt/$d/$3"
	fi
}
round=0
for how in mount command; do
for on in 1 0; do
	admin POST "set?conditional-copy=$on&conditional-delete=$on&conditional-put=$on" >/dev/null
	for faults in "" $'op=copy,share=0.05,seed=3,action=reset-after\nop=deletes,share=0.3,seed=5,action=503\nop=list,share=0.1,seed=6,action=reset'; do
		for other in to too; do
			round=$((round + 1))
			d=r$round
			admin POST "seed?bucket=bkt&prefix=$d/from/&count=300&size=30&dirs=3" >/dev/null
			put bkt "$d/keep/mine" mine
			before=$(content "$d/from/")
			[ -z "$faults" ] || admin POST fault "$faults" >/dev/null
			move one from to 2>err.one &
			first=$!
			move two from $other 2>err.two
			wait $first
			admin DELETE fault >/dev/null
			after=$(content "$d/" | grep -vxF "$(content "$d/keep/")")
			equal "content of round $round ($how, conditions $on, $other)" "$after" "$before"
			equal "what was there" "$(object bkt $d/keep/mine | field size)" 4
		done
	done
done
done
FERRYFS_RUN_DIR=$WORK/run.one umount_s3 one
FERRYFS_RUN_DIR=$WORK/run.two umount_s3 two
