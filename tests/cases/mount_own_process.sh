#!/bin/bash
# A daemon keeps nothing of the job that started it: no descriptor, no limit, no ignored signal, no niceness, no directory.
# The hub, a mount with a daemon of its own, and one in the foreground.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root to raise limits"

start_s3d --bucket=bkt
mkdir m jobdir
# A sanitized program does not start with a small stack.
STACK_KIB=$([ -n "${SANITIZED:-}" ] && echo 8192 || echo 128)
export FERRYFS WORK STACK_KIB
OPTIONS="log_file=$WORK/mount.log,staging=$WORK${SANITIZER_OPTIONS[1]+,${SANITIZER_OPTIONS[1]}}"
export OPTIONS
# A job as cron, nohup, nice and a careless shell make them.  Descriptor 9 is a lock, 8 a pipe to whoever waits.
cat >job <<'JOB'
trap '' HUP CHLD XFSZ USR1
umask 0777
ulimit ${HARD:--S} -f 1000
ulimit -S -t 3000
ulimit -S -n 256
ulimit -S -s "$STACK_KIB"
cd "$WORK/jobdir" || exit 1
umask 077
if [ "$1" = front ]; then
	nice -n 10 "$FERRYFS" mount -f -o "$OPTIONS" s3://bkt "$WORK/m" &
	echo $! >"$WORK/front.pid"
else
	nice -n 10 "$FERRYFS" mount -o "$OPTIONS,$1" s3://bkt "$WORK/m"
fi
JOB

status_of() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
limit_of() { awk -v n="$2" 'index($0, n) == 1 {print $(NF - 2)}' "/proc/$1/limits"; }

check_daemon() { # HOW PID
	local how=$1 pid=$2 fd
	# Of a program that is only being started as well, until it has closed what it was given.
	until_true 120 flock -n lock true
	for fd in "/proc/$pid/fd"/*; do
		[ "${fd##*/}" -le 2 ] || ! readlink "$fd" | grep -q "^$WORK/\(given\|lock\)" || fail "$how: has $(readlink "$fd")"
	done
	equal "$how: cwd" "$(readlink "/proc/$pid/cwd")" /
	# SIGPIPE and SIGXFSZ; 32 and 33 are the C library's own, and no program can reset them
	[ -n "${SANITIZED:-}" ] || equal "$how: ignored" "$(printf %x $((0x$(status_of "$pid" SigIgn) & ~0x180000000)))" 1001000
	equal "$how: umask" "$(status_of "$pid" Umask)" 0077
	echo small >m/small || fail "$how: a small file"
	if [ -n "${HARD:-}" ]; then
		# A limit that cannot be raised is an error of that write, and not the daemon's end.
		dd if=/dev/zero of=m/big bs=1M count=3 2>/dev/null
		kill -0 "$pid" || fail "$how: a limit on file sizes ended the daemon"
		cat m/small >/dev/null || fail "$how: the daemon does not answer any more"
		return
	fi
	dd if=/dev/zero of=m/big bs=1M count=3 2>/dev/null || fail "$how: the job's limit on file sizes is the daemon's"
	equal "$how: CPU time" "$(limit_of "$pid" "Max cpu time")" unlimited
	[ "$(limit_of "$pid" "Max open files")" -gt 256 ] || fail "$how: $(grep "open files" "/proc/$pid/limits")"
	# In the foreground its supervisor has chosen.
	equal "$how: nice" "$(cut -d' ' -f19 "/proc/$pid/stat")" "$([ "$how" = front ] && echo 10 || echo 0)"
}

run_job() { # HOW
	local how=$1
	>lock
	mkfifo given.$how
	# the reader sees the end of the pipe only when nobody has its other end any more
	cat given.$how >read.$how &
	local reader=$!
	bash -c 'flock 9; exec bash job "$1"' job "$how" 9>lock 8>given.$how >/dev/null 2>>front.log || fail "$how: mount"
	until_true 120 mountpoint -q m
	MOUNTS=("$WORK/m")
	until_true 120 daemon_of m
	ls m >/dev/null
	check_daemon "$how" "$(daemon_of m)"
	until_true 120 eval "! kill -0 $reader 2>/dev/null"
	wait $reader
	"$FERRYFS" umount m || fail "$how: umount"
	until_true 120 no_hub
}
run_job hub=yes
run_job hub=no
rm given.*
HARD=-H run_job hub=yes
run_job front
[ -s front.pid ] || fail "no pid"
