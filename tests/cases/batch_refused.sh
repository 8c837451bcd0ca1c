#!/bin/bash
# One object that is refused (403), whichever tool asks for it and wherever it stands in the tree: the tool exits non-zero, the
# log names the object, it is not shown (or shown again, where it could not be removed), and every other object is right, at
# the instant the tool returned.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt
mount_s3 m s3://bkt
mkdir from
mount --bind m from || skip "no right to bind-mount"
MOUNTS+=("$WORK/from")

# Trees that end with a file of the last directory, with a file beside the directories, and with an empty directory.
for tree in inside beside empty; do
	admin POST "seed?bucket=bkt&prefix=$tree&count=24&size=100&dirs=3" >/dev/null
done
put bkt beside/zz-last last
put bkt empty/zz-last/ ""
below() { keys bkt "$1/" | sed "s|^$1/||"; }
shown() { (cd m && find "$1" -mindepth 1 \( -type d -printf '%P/\n' -o -printf '%P\n' \) | LC_ALL=C sort); }
# Keys on stdin: what a walk shows of them.
walk_of() { awk -F/ '{
	name = ""
	for (i = 1; i < NF; i++) { name = name $i "/"; print name }
	if ($NF != "") print
}' | sort -u; }

# fault OP KEY: from here on S3 refuses that
fault() {
	: >mount.log
	admin POST fault "op=$1,key=$2,action=403:AccessDenied" >/dev/null
	[ "$1" != deletes-key ] || admin POST fault "op=delete,key=$2,action=403:AccessDenied" >/dev/null
}
# After a tool that had to fail: without the fault again, the log has the object.
named() {
	admin DELETE fault >/dev/null
	[ -s err ] || fail "$what: it said nothing"
	grep -q "$1.*AccessDenied" mount.log || fail "$what: the log does not name $1"
}
all_but() { grep -vxF "$1" <<<"$all"; }
# at_server DIR KEYS, at once; at_mount: and shown so.
at_server() { equal "$what: $1 at the server" "$(below "$1")" "$2"; }
at_mount() { equal "$what: $1 in the mount" "$(shown "$1")" "$(walk_of <<<"$2")"; }

# TOOL TREE DESTINATION REFUSED: each makes DESTINATION of TREE (or removes it) with one object refused.
copying() {
	fault copy "$3/$4"
	refuse $1 "m/$2" "m/$3" 2>err
	at_server "$3" "$(all_but "$4")"
	named "$3/$4"
	at_mount "$3" "$(all_but "$4")"
	at_server "$2" "$all"
}
# Between mounts of one file system mv copies, then removes: nothing is removed when a copy failed.
moving() {
	fault copy "$3/$4"
	refuse mv "from/$2" "m/$3" 2>err
	at_server "$2" "$all"
	at_server "$3" "$(all_but "$4")"
	named "$3/$4"
	at_mount "$2" "$all"
	at_mount "$3" "$(all_but "$4")"
}
moving_away() {
	cp -a "m/$2" "m/$3-source" || fail "$what: cp"
	fault deletes-key "$3-source/$4"
	refuse mv "from/$3-source" "m/$3" 2>err
	at_server "$3" "$all"
	at_server "$3-source" "$4"
	named "$3-source/$4"
	at_mount "$3" "$all"
	at_mount "$3-source" "$4"
}
# Inside a mount it is one rename, undone.
renaming() {
	fault copy "$3/$4"
	refuse mv "m/$2" "m/$3" 2>err
	at_server "$2" "$all"
	at_server "$3" ""
	named "$2/$4"
	at_mount "$2" "$all"
	[ ! -e "m/$3" ] || fail "$what: $3 is shown"
}
removing() {
	cp -r "m/$2" "m/$3" || fail "$what: cp"
	fault deletes-key "$3/$4"
	refuse $1 "m/$3" 2>err
	at_server "$3" "$4"
	named "$3/$4"
	at_mount "$3" "$4"
	rm -rf "m/$3" || fail "$what: without a fault"
	at_server "$3" ""
}

n=0
check() { # TREE POSITION KEY
	all=$(below "$1")
	while read -r how tool; do
		n=$((n + 1))
		what="$tool, $2 of $1"
		$how "$tool" "$1" "to$n" "$3"
	done <<-'TABLE'
		copying		cp -r
		copying		cp -a
		moving		mv between mounts
		moving_away	mv between mounts, removing
		renaming	mv
		removing	rm -r
		removing	rm -rf
	TABLE
}
# At a server that answers at once every place; at one that takes longer than the tool needs for its next calls those where it
# has no call left.
names=$(below inside)
every=yes
for latency in ${LATENCY:-3 40}; do
	admin POST "set?latency=$latency" >/dev/null
	if [ -n "$every" ]; then
		check inside "the first" "$(head -n1 <<<"$names")"
		check inside "a middle one" "$(sed -n 13p <<<"$names")"
		check beside "the last directory's last" "$(tail -n1 <<<"$names")"
		check empty "the last file" "$(tail -n1 <<<"$names")"
	fi
	check inside "the very last" "$(tail -n1 <<<"$names")"
	check beside "the very last" zz-last
	check empty "the very last, an empty directory," zz-last/
	every=
done
echo "$n runs"
