# Sourced by every case: a work folder, an embedded S3 server, mounts, and checks; all of it ends with the case.
#
#   start_s3d [OPTION ...]        a server of this case's own on a loopback port; credentials in the environment
#   start_front RULES             a front before it that bends answers by these Python rules (tests/front.py); from then on
#                                 it is $ENDPOINT, and the server $BEHIND
#   admin METHOD PATH [DATA]      its admin endpoint: admin GET stats, admin POST 'seed?bucket=b&count=3'
#   requests OP                   how many requests of that kind it took (since the last admin POST reset)
#   stat NAME                     a number of its statistics, dots for nesting: stat requests.copy
#   keys BUCKET [PREFIX]          the keys it holds, percent-encoded, one a line, sorted
#   object BUCKET KEY             what it knows of one object, as JSON; field NAME picks from JSON on stdin
#   put BUCKET KEY TEXT           an object made behind the mount's back
#   mount_s3 DIR URL [-o OPTS]    a mount of ours, in the background; unmounted at the end
#   umount_s3 DIR
#   daemon_of DIR                 the pid of the daemon behind a mount
#   until_true SECONDS CMD ...    polls until CMD succeeds; fails the case after that long
#   any_server WHY                the case is about nothing that servers do differently: BRIEF=1 leaves it out on a real one
#   may_be_untold         tools of this case are killed: where the kernel does not say how a tool ended (before Linux 6.15),
#                         the log may say that one was never told of a failure
#   fail TEXT, skip TEXT          end the case; equal WHAT GOT WANTED, same_tree A B, refuse CMD ... (must exit non-zero)
#
# FERRYFS and S3D name the programs.  A case ends with 0 (passed), 77 (skipped, says why), anything else failed.
# A tool that ended with 0 and was never told of what failed was lied to: the log of any mount says so, and the case fails.
# In builds with a sanitizer a daemon says by its end which requests it has not answered, or answered twice: that fails it too.
# With FERRYFS_REAL (tests/reals3.sh) S3D is a front before a real server: a case that asks for what it can't do is skipped.

set -u
export LC_ALL=C
# Debian's own programs come first: a python3 of another origin may be a script that takes ten times as long.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
# A mount namespace of its own, where that is allowed: else the mounts of another case that runs meanwhile would count (two
# services that were filled alike look like one under two names), and its `unshare` would hold on to the mounts of this one.
if [ "$(id -u)" = 0 ] && [ "${CASE_PID:-}" != $$ ] && unshare -m true 2>/dev/null; then
	CASE_PID=$$ exec unshare -m bash "$0" "$@"
fi
unset AWS_CA_BUNDLE AWS_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL AWS_ENDPOINT_URL_S3 AWS_DEFAULT_REGION http_proxy HTTP_PROXY
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
FERRYFS=$(readlink -f "${FERRYFS:-$TOP/ferryfs}")
S3D=$(readlink -f "${S3D:-$TOP/build/s3d}")
WORK=$(mktemp -d "${TMPDIR:-/tmp}/ferryfs-case.XXXXXX")
export HOME=$WORK/home FERRYFS_RUN_DIR=$WORK/run FERRYFS_JOURNAL=$WORK/journal # a hub of this case's own
mkdir "$HOME"
mkdir -m 0700 "$FERRYFS_RUN_DIR"
cd "$WORK"
S3D_PIDS=()
MOUNTS=()
# A daemon in the background has no terminal: sanitizers write beside the case's files, and cleanup fails the case.
# LeakSanitizer must ptrace, so the daemon stays dumpable.
SANITIZER_OPTIONS=()
if [ -n "${SANITIZED:-}" ]; then
	export ASAN_OPTIONS="${ASAN_OPTIONS:-}:log_path=$WORK/sanitizer" UBSAN_OPTIONS="${UBSAN_OPTIONS:-}:log_path=$WORK/sanitizer"
	export TSAN_OPTIONS="${TSAN_OPTIONS:-}:log_path=$WORK/sanitizer"
	SANITIZER_OPTIONS=(-o dumpable)
fi

cleanup() {
	local status=$? i pid
	trap - EXIT
	cd /
	[ ! -s "$WORK/skipped" ] || status=77
	for ((i = ${#MOUNTS[@]} - 1; i >= 0; i--)); do
		mountpoint -q "${MOUNTS[i]}" || continue
		timeout 20 "$FERRYFS" umount "${MOUNTS[i]}" 2>/dev/null || umount -l "${MOUNTS[i]}" 2>/dev/null
	done
	end_hubs
	for pid in "${S3D_PIDS[@]}"; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	untold "$WORK"/*.log || status=1
	grep -h "operations were never ended" "$WORK"/*.log 2>/dev/null && status=1
	answered_once "$WORK"/*.log || status=1
	for i in "$WORK"/sanitizer*; do
		[ -s "$i" ] && { echo "--- ${i##*/}"; head -n 60 "$i"; status=1; }
	done
	if [ "$status" -ne 0 ] && [ "$status" -ne 77 ]; then
		for i in "$WORK"/*.log; do
			[ -s "$i" ] && { echo "--- ${i##*/} (last lines)"; tail -n 40 "$i"; }
		done
	fi
	[ ! -s "$WORK/skipped" ] || echo "skipped: $(<"$WORK/skipped")" >&2
	[ -n "${KEEP:-}" ] && [ "$status" -ne 0 ] && echo "kept: $WORK" || rm -rf --one-file-system "$WORK"
	exit "$status"
}
# The daemons have ended: whom has one of them not told the truth?
UNTOLD_OK=
may_be_untold() { UNTOLD_OK=yes; }
untold() {
	local lies='ended before it could be told of a failure: exit status (0$|unknown$)' found
	[ -z "$UNTOLD_OK" ] || lies='ended before it could be told of a failure: exit status 0$'
	found=$(grep -hE "$lies" "$@" 2>/dev/null) || return 0
	echo "FAILED: a tool was told that all went well, though it did not:"
	echo "$found"
	return 1
}
# What a daemon with a ledger of its requests says before it aborts (fs/request/ledger.h).
answered_once() { ! grep -hE 'ledger: .*(is answered twice|have no answer at the end)' "$@" 2>/dev/null; }
# The hubs of this case: "DEVICE MOUNTPOINT" of each, and the pid behind a mount of ours.
hubs() { awk -v d="$FERRYFS_RUN_DIR/hub." 'index($5, d) == 1 {print $3, $5}' /proc/self/mountinfo; }
no_hub() { [ -z "$(hubs)" ]; }
daemon_of() { head -n 1 "$FERRYFS_RUN_DIR/$(awk -v m="$(readlink -f "$1")" '$5 == m {print $3}' /proc/self/mountinfo | tail -1)"; }

# A hub ends by itself once nothing of it is mounted; one that did not is ended here, by its pid.
end_hubs() {
	local device home pid i
	while read -r device home; do
		pid=$(head -n 1 "$FERRYFS_RUN_DIR/$device" 2>/dev/null)
		for ((i = 0; i < 100; i++)); do
			mountpoint -q "$home" 2>/dev/null || break
			[ "$i" = 60 ] && [ -n "$pid" ] && kill "$pid" 2>/dev/null
			read -rt 0.05 <> <(:) || :
		done
		hubs | grep -qF "$home" || continue
		[ -n "$pid" ] && kill -9 "$pid" 2>/dev/null
		umount -l "$home" 2>/dev/null
	done < <(hubs)
}
trap cleanup EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

fail() { echo "FAILED (line ${BASH_LINENO[0]}): $*"; exit 1; }
skip() { echo "skipped: $*"; exit 77; }
any_server() { [ -z "${FERRYFS_REAL:-}" ] || [ -z "${BRIEF:-}" ] || skip "the same on any server, and slow: $*"; }
equal() { [ "$2" = "$3" ] || { echo "FAILED (line ${BASH_LINENO[0]}): $1: got '$2', wanted '$3'"; exit 1; }; }
refuse() { if "$@"; then echo "FAILED (line ${BASH_LINENO[0]}): succeeded, but must not: $*"; exit 1; fi; }
same_tree() { diff -r "$1" "$2" || { echo "FAILED (line ${BASH_LINENO[0]}): $1 and $2 differ"; exit 1; }; }

until_true() {
	local end=$((SECONDS + ($1 > 180 ? $1 : 180))) # a machine that is busy with other things is no failure
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || { echo "FAILED (line ${BASH_LINENO[0]}): never came true: $*"; exit 1; }
		read -rt 0.05 <> <(:) || :
	done
}

# An empty account of the real server, by which the front asks as well.
real_account() {
	local account
	account=$("$TOP/tests/reals3.sh" "$FERRYFS_REAL" account) || fail "no account on $FERRYFS_REAL"
	read -r FERRYFS_REAL_ENDPOINT AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY <<<"$account"
	export FERRYFS_REAL_ENDPOINT
}

start_s3d() {
	local file=$WORK/port.${#S3D_PIDS[@]} pid
	export AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=testsecret
	[ -z "${FERRYFS_REAL:-}" ] || real_account
	"$S3D" --port 0 --port-file "$file" --with-parent "$@" >>"$WORK/s3d.log" 2>&1 &
	pid=$!
	S3D_PIDS+=($pid)
	until_true 120 eval "[ -s '$file' ] || ! kill -0 $pid 2>/dev/null"
	if [ ! -s "$file" ]; then
		wait $pid
		[ $? -ne 77 ] || skip "$(tail -n 1 "$WORK/s3d.log")"
		fail "no server"
	fi
	S3_PORT=$(<"$file")
	ENDPOINT=http://127.0.0.1:$S3_PORT
	export AWS_ENDPOINT_URL=$ENDPOINT
}

start_front() {
	[ -z "${FERRYFS_REAL:-}" ] || skip "answers are bent between the embedded server and ferryfs"
	printf '%s\n' "$1" >rules.py
	rm -f front.port
	python3 "$TOP/tests/front.py" "$S3_PORT" rules.py front.port 2>>front.log &
	S3D_PIDS+=($!)
	until_true 120 test -s front.port
	BEHIND=$ENDPOINT
	ENDPOINT=http://127.0.0.1:$(<front.port)
	export AWS_ENDPOINT_URL=$ENDPOINT
}

# Status 501 is the front's "not on a real server".  Admin requests are often made in subshells: the case itself is told by
# a signal, and by a file in case it ends before it takes that.
trap 'exit 77' USR1
admin() {
	local method=$1 path=$2 status answer
	shift 2
	case $ENDPOINT in
	http://127.0.0.1:*/*) fail "no endpoint: $ENDPOINT" ;;
	http://127.0.0.1:*) admin_by_shell "$method" "$path" "$@" ;;
	*) answer=$(curl -sS -w '\n%{http_code}' -X "$method" ${1+--data-binary "$1"} "$ENDPOINT/_s3d/$path")
		status=${answer##*$'\n'} answer=${answer%$'\n'*} ;;
	esac
	[ "$status" != 200 ] || { printf %s "$answer"; return; }
	printf %s "$answer" >&2
	[ "$status" = 501 ] || fail "admin $method $path: $status"
	printf %s "$answer" >"$WORK/skipped"
	kill -USR1 $$
	exit 77
}
# admin's request by the shell itself, since cases make thousands: sets status and answer, which a caller has as its own.
admin_by_shell() {
	local LC_ALL=C line length=0 server body=${3-}
	status=000 answer=
	exec {server}<>"/dev/tcp/127.0.0.1/${ENDPOINT##*:}" || return
	printf '%s /_s3d/%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s' \
		"$1" "$2" "${ENDPOINT#http://}" ${#body} "$body" >&"$server"
	read -ru "$server" line status line || status=000
	while read -ru "$server" line && line=${line%$'\r'} && [ -n "$line" ]; do
		case ${line,,} in
		content-length:*) length=${line##*[: ]} ;;
		transfer-encoding:*) fail "admin $1 $2: $line" ;;
		esac
	done
	[ "$length" = 0 ] || IFS= read -rN "$length" -u "$server" answer
	exec {server}>&-
	[ ${#answer} = "$length" ] || fail "admin $1 $2: ${#answer} bytes of an answer of $length"
}
# field NAME: awk finds what is plain, without the time that a python needs to start; the rest is left to python.
field() {
	local text
	text=$(</dev/stdin)
	awk -v path="$1" '
	function space() { sub(/^[ \t\r\n]+/, "", s) }
	function token(pattern, t) {
		match(s, pattern)
		t = substr(s, 1, RLENGTH)
		s = substr(s, RLENGTH + 1)
		return t
	}
	function string(t) { t = token("^\"([^\"\\\\]|\\\\.)*\""); return substr(t, 2, length(t) - 2) }
	function value(level, wanted, t, name, array, i) {
		space()
		t = substr(s, 1, 1)
		if (t == "{" || t == "[") {
			if (wanted && (level > n || t == "[")) exit 3
			array = t == "["
			s = substr(s, 2)
			space()
			if (s ~ /^[]}]/) { s = substr(s, 2); return }
			do {
				space()
				name = i++
				if (!array) { name = string(); space(); s = substr(s, 2) }
				value(level + 1, wanted && name "" == want[level] "")
				space()
				t = substr(s, 1, 1)
				s = substr(s, 2)
			} while (t == ",")
			return
		}
		if (t == "\"") {
			t = string()
			if (wanted && t ~ /\\/) exit 3
		} else {
			t = token("^[^],} \t\r\n]+")
			if (wanted && t !~ /^-?[0-9]+$/) exit 3
		}
		if (wanted && level <= n) exit 3
		if (wanted) { print t; exit 0 }
	}
	{ s = s $0 "\n" }
	END {
		if (s == "\n") exit 3
		n = split(path, want, ".")
		value(1, 1)
		space()
		if (s != "") exit 3
		print 0
	}' <<<"$text" && return
	python3 -c '
import json, sys
value = json.load(sys.stdin)
for name in sys.argv[1].split("."):
    value = value.get(name, 0) if isinstance(value, dict) else value[int(name)]
print(value if not isinstance(value, (dict, list)) else json.dumps(value, sort_keys=True))' "$1" <<<"$text"
}
stat() { admin GET stats | field "$1"; }
requests() { stat "requests.$1"; }
keys() { admin GET "keys?brief=1&bucket=$1&prefix=${2:-}" | cut -f1; }
object() { admin GET "object?bucket=$1&key=$2"; }
put() { admin POST "overwrite?bucket=$1&key=$2&text=$3" >/dev/null; }

mount_s3() {
	local dir=$1 url=$2
	shift 2
	mkdir -p "$dir"
	MOUNTS+=("$(readlink -f "$dir")")
	"$FERRYFS" mount -o "log_file=$WORK/mount.log,staging=$WORK" "${SANITIZER_OPTIONS[@]}" "$@" "$url" "$dir" || fail "mount $url"
}
umount_s3() { "$FERRYFS" umount "$1" || fail "umount $1"; }
