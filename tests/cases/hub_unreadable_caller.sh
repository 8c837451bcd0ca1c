#!/bin/bash
# A process whose files in /proc hang their reader: its own calls are an unknown program's, and everybody else's are answered.
# Here a FIFO, mounted over /proc/PID/cmdline in this case's own mount namespace, stands for what a hostile process does by
# holding its memory's lock, so that no other program on the machine is disturbed.
if [ -z "${IN_NAMESPACE:-}" ]; then
	IN_NAMESPACE=1 exec unshare -m --propagation private bash "$0"
fi
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root for a mount namespace"

start_s3d --seed=bkt,prefix=d/,count=20,size=10 --bucket=out
put bkt later/object x
mkfifo fifo
mount --bind fifo /proc/$$/cmdline 2>/dev/null || skip "nothing can be mounted over a file of /proc here"
umount /proc/$$/cmdline
mount_s3 m s3://bkt
mount_s3 n s3://out

# A shell that waits, is made unreadable, and then becomes a GNU cp: it calls with the same pid.
UNREADABLE=()
unreadable() { # CP-ARGUMENTS
	local go=go.${#UNREADABLE[@]} pid
	mkfifo "$go"
	GO=$go bash -c 'read -r <"$GO"; exec cp "$@"' cp "$@" &
	pid=$!
	mount --bind fifo "/proc/$pid/cmdline" || fail "mount over /proc/$pid/cmdline"
	echo >"$go"
	UNREADABLE+=("$pid")
}
# Nobody has time-outs to lose here: what hangs, hangs for as long as the FIFO is there.
answered() { timeout 120 "$@" >/dev/null || fail "not answered: $*"; }

unreadable -r m/d n/first
unreadable -r m/d n/second
unreadable m/d/file000001.txt n/third
for i in 1 2 3; do
	answered ls m/d
	answered mkdir n/dir$i
	answered cp -r m/d n/copy$i
	answered rm -r n/copy$i
	answered cp m/d/file000002.txt n/dir$i/
done
until_true 120 grep -q "process [0-9]* of user 0 cannot be looked at" mount.log
# Each ends, and has told the truth: as an unknown program each copy of theirs was waited for.
for pid in "${UNREADABLE[@]}"; do
	wait "$pid" || fail "the unreadable cp failed"
done
for name in first/file000019.txt second/file000019.txt third dir3/file000002.txt; do
	object out "$name" >/dev/null || fail "no $name"
done
# A killed one does not wait for the server, though its helper hangs.
admin POST fault "op=any,action=stall:300000" >/dev/null
unreadable m/later/object n/fourth
until_true 120 eval 'grep -q "^cp$" /proc/${UNREADABLE[-1]}/comm && [ "$(cut -d" " -f3 /proc/${UNREADABLE[-1]}/stat)" != R ]'
kill -KILL "${UNREADABLE[-1]}"
until_true 120 eval "! kill -0 ${UNREADABLE[-1]} 2>/dev/null"
admin DELETE fault >/dev/null
# Helpers that come back are more than are kept: those that end leave nothing behind, though nobody asks any more.
daemon=$(daemon_of m)
children() { awk -v d="$daemon" 'sub(/.*\) /, "") && $2 == d {print $1}' /proc/[0-9]*/stat 2>/dev/null; }
[ "$(children | wc -l)" -ge 3 ] || fail "no helper hangs: $(children | tr '\n' ' ')"
come_back() {
	timeout 1 bash -c ': >fifo'
	[ "$(children | wc -l)" -le 2 ]
}
until_true 120 come_back
umount_s3 n
umount_s3 m
until_true 120 no_hub
