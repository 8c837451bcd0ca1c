#!/usr/bin/env bash
# make bench: ferryfs beside whatever peers are installed, all on the embedded server, each row the median of RUNS runs.
#
# Environment:
#   TABLES="commands mounts strategies rate memory"   which to make, each in a process of its own: one that fails says why
#                      in its place, and the others go on.  All of them take some ten minutes on a machine that has
#                      nothing else to do; each alone less than five
#   TASKS="copy move remove list https"   which rows of the commands' table
#   RUNS=3             runs of each row (but the million's: one); the tools take turns, so that a noisy minute is everybody's
#   OBJECTS=20000      objects of 1 KiB in DIRS=20 directories; LATENCY=30 ms a request
#   WINDOW=512         requests in flight of libcurl alone (tests/bench/curlfloor), the floor of the CPU an object
#   RM_OBJECTS=200000  keys of rm -r; LS_OBJECTS=1000000 keys of ls -r
#   PEERS="s5cmd rclone aws s3cmd"   PEER_MOUNTS_OF="rclone s3fs"   which to run
#   MILLION=1000000    objects of the memory's table
#   BIG=1              also MILLION objects by rm -r and s5cmd, and by cp -r on a mount (about ten minutes more)
#   RATE=2000          copies a second that the server of the rate's table allows
#   REPORT=FILE        the tables as Markdown, too; RESULTS=FILE  every single run as a line of JSON
#   ADD=1              RESULTS is added to, so that tables made one by one end in one report; TABLES= only prints it
#   FERRYFS, S3D, CURLFLOOR   the programs
#
# Slow tools get fewer objects (the column says how many); every one runs for at most LIMIT=60 seconds.  No time is
# asserted: the exit status is 1 when a result of ferryfs is wrong (keys, sizes or ETags at the server differ, or it failed).
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
REPORT=${REPORT:+$(readlink -f "$REPORT")} RESULTS=${RESULTS:+$(readlink -f "$RESULTS")}
CURLFLOOR=$(readlink -f "${CURLFLOOR:-$HERE/../../build/bench/curlfloor}")
. "$HERE/../cases/lib.sh"
. "$HERE/peers.sh"
trap 'status=$?; peers_cleanup; (exit $status); cleanup' EXIT

RUNS=${RUNS:-3} OBJECTS=${OBJECTS:-20000} DIRS=${DIRS:-20} LATENCY=${LATENCY:-30} WINDOW=${WINDOW:-512} LIMIT=${LIMIT:-60}
BIG=${BIG:-} RATE=${RATE:-2000} RM_OBJECTS=${RM_OBJECTS:-200000} LS_OBJECTS=${LS_OBJECTS:-1000000}
MILLION=${MILLION:-1000000}
TABLES=${TABLES-commands mounts strategies rate memory} TASKS=${TASKS:-copy move remove list https}
PEERS=${PEERS-s5cmd rclone aws s3cmd} PEER_MOUNTS_OF=${PEER_MOUNTS_OF-rclone s3fs}
RESULTS=${RESULTS:-$WORK/results.json}
[ -n "${ADD:-}" ] || : >"$RESULTS"

say() { printf '%4d s  %s\n' "$SECONDS" "$*" >&2; }
# lib.sh's ends the case; here it ends the table, and is what stands in its place.
fail() {
	echo "$*" >"$WORK/why"
	exit 1
}
# A server that answers no more ends its table, not the run's patience.
curl() { command curl --max-time 60 "$@"; }

# Objects for a tool where ferryfs gets the number in $2: what it does in some seconds.
objects_of() {
	local most
	case $1 in
	aws) most=500 ;;
	s3cmd) most=50 ;;
	rclone) most=5000 ;;
	*) most=$2 ;;
	esac
	echo $((most < $2 ? most : $2))
}

declare -A SEEDED
seed_once() { [ -n "${SEEDED[$ENDPOINT/$1/$2]:-}" ] || { seed "$@" && SEEDED[$ENDPOINT/$1/$2]=1; }; }
seed() { admin POST "seed?bucket=$1&prefix=$2&count=$3&size=1024&dirs=${4-$DIRS}" >/dev/null; }

# measure TABLE WHAT TOOL OBJECTS [OPTION ...] -- CMD ...
measure() {
	local label=$1/$2/$3 objects=$4
	shift 4
	python3 "$HERE/measure.py" --into "$RESULTS" --label "$label" --objects "$objects" --server "$ENDPOINT" --limit "$LIMIT" \
		--log "$WORK/${label##*/}.log" "$@"
}
# note TABLE WHAT TOOL NAME TEXT: a row's "note" (why there are no figures) or "wrong" (its result is not right)
note() { printf '{"table": "%s", "what": "%s", "tool": "%s", "%s": "%s"}\n' "$@" >>"$RESULTS"; }

wrong() { # TABLE WHAT TOOL TEXT
	note "$1" "$2" "$3" wrong "$4"
	say "  $3, $2: $4"
}

# Name below the prefix, size and ETag of every object, but not directory markers, which some mounts write.
content() { keys_full "$1" "$2" | awk -F'\t' -v skip=${#2} '$1 !~ /\/$/ {print substr($1, skip + 1) "\t" $2 "\t" $3}'; }
keys_full() { admin GET "keys?bucket=$1&prefix=$2"; }
count() { keys_full "$1" "$2" | wc -l; }

# The copy below prefix $5 of bucket $4 must equal the file $6; $7, when given, is a prefix that must be empty.
check() {
	content "$4" "$5" >"$WORK/got"
	cmp -s "$6" "$WORK/got" || wrong "$1" "$2" "$3" "the copy has $(wc -l <"$WORK/got") objects of $(wc -l <"$6"), or other content"
	[ -z "${7:-}" ] || [ "$(count "$4" "$7")" -eq 0 ] || wrong "$1" "$2" "$3" "the source is still there"
}

# contend WHAT VERB OBJECTS TOOL ...: one run of each tool.  Every run has a source of its own unless VERB is copy.
contend() {
	local what=$1 verb=$2 objects=$3 tool n src dst
	shift 3
	for tool; do
		have "$tool" || { note commands "$what" "$tool" note "not installed"; continue; }
		n=$(objects_of "$tool" "$objects")
		number=$((number + 1))
		src=$verb$n/ dst=to$number/
		[ "$verb" = copy ] || [ "$verb" = list ] || src=from$number/
		seed_once bench "$src" "$n"
		[ "$verb" != copy ] && [ "$verb" != move ] || content bench "$src" >"$WORK/want"
		command_of "$verb" "$tool" "$src" "$dst"
		measure commands "$what" "$tool" "$n" ${STDOUT:+--stdout "$STDOUT"} -- "${CMD[@]}" || say "  $tool, $what: exit status $?"
		case $verb in
		copy) check commands "$what" "$tool" bench "$dst" "$WORK/want" ;;
		move) check commands "$what" "$tool" bench "$dst" "$WORK/want" "$src" ;;
		remove) [ "$(count bench "$src")" -eq 0 ] || wrong commands "$what" "$tool" "keys are left" ;;
		list) [ "$tool" != ferryfs ] || cmp -s <(awk '{print $NF}' "$STDOUT" | sort) <(keys bench "$src" | sort) ||
			wrong commands "$what" "$tool" "the listing differs from the server's keys" ;;
		esac
	done
}

# libcurl alone, on a server that checks no signatures (its are made up).
floor_start() {
	local i
	start_s3d --latency "$LATENCY" --no-auth --bucket bench
	FLOOR=$ENDPOINT
	for ((i = 0; i < 100; i++)); do put bench "k/$i" x; done
}
floor_run() {
	have libcurl || { note commands "cp -r" "libcurl alone" note "not built"; return; }
	ENDPOINT=$FLOOR measure commands "cp -r" "libcurl alone" "$OBJECTS" -- "$CURLFLOOR" -n "$OBJECTS" -i "$WINDOW" "$FLOOR" ||
		say "  libcurl alone: exit status $?"
}

stop_server() { # the one started last
	local last=$((${#S3D_PIDS[@]} - 1))
	kill "${S3D_PIDS[last]}" && wait "${S3D_PIDS[last]}" 2>/dev/null
	unset "S3D_PIDS[last]"
	rm "$WORK/port.$last" # start_s3d would take the next one for up by it
}

https_run() {
	local what="cp -r over https"
	[ -s "$WORK/tls.pem" ] || openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 \
		-keyout "$WORK/tls.key" -out "$WORK/tls.pem" 2>/dev/null || { note commands "$what" ferryfs note "no openssl"; return; }
	start_s3d --latency "$LATENCY" --tls-cert "$WORK/tls.pem" --tls-key "$WORK/tls.key"
	export ENDPOINT=https://127.0.0.1:$S3_PORT AWS_ENDPOINT_URL=https://127.0.0.1:$S3_PORT CURL_CA_BUNDLE=$WORK/tls.pem
	seed bench src/ "$OBJECTS"
	content bench src/ >"$WORK/want"
	measure commands "$what" ferryfs "$OBJECTS" -- "$FERRYFS" cp -r --ca-bundle "$WORK/tls.pem" s3://bench/src/ s3://bench/to/ ||
		say "  ferryfs, $what: exit status $?"
	check commands "$what" ferryfs bench to/ "$WORK/want"
	unset CURL_CA_BUNDLE
	stop_server
	use_main
}

use_main() { export ENDPOINT=$MAIN AWS_ENDPOINT_URL=$MAIN; }

# One run of a row.
task() {
	local peers
	read -ra peers <<<"$PEERS"
	case $1 in
	copy)
		contend "cp -r" copy "$OBJECTS" ferryfs
		floor_run
		contend "cp -r" copy "$OBJECTS" "${peers[@]}"
		;;
	move) contend "mv -r" move "$OBJECTS" ferryfs "${peers[@]}" ;;
	remove) contend "rm -r" remove "$RM_OBJECTS" ferryfs "${peers[@]}" ;;
	list)
		STDOUT=$WORK/listing contend "ls -r" list "$LS_OBJECTS" ferryfs "${peers[@]}"
		DIRS=0 STDOUT=$WORK/listing contend "ls -r, one flat prefix" list "$((LS_OBJECTS - 1))" ferryfs
		;;
	https) ! have ferryfs || https_run ;;
	*) fail "no such task: $1" ;;
	esac
}

table_commands() {
	local run number=0 task
	[[ " $TASKS " != *" copy "* ]] || floor_start
	start_s3d --latency "$LATENCY" --bucket bench
	MAIN=$ENDPOINT
	for ((run = 1; run <= RUNS; run++)); do
		say "commands, run $run of $RUNS"
		for task in $TASKS; do task "$task"; done
	done
}

# What a tree of a million takes must be what one of thousands takes.
table_memory() {
	local number=0 words=${MILLION/%000000/,000,000} tools=ferryfs
	have ferryfs || return 0
	[ -z "$BIG" ] || tools="ferryfs s5cmd"
	start_s3d --latency "$LATENCY" --bucket bench
	MAIN=$ENDPOINT LIMIT=900
	say "memory: cp -r of $MILLION"
	# shellcheck disable=SC2086
	contend "cp -r of $words" copy "$MILLION" $tools
	# shellcheck disable=SC2086
	[ -z "$BIG" ] || contend "rm -r of $words" remove "$MILLION" $tools
}

# tools_on DIR BUCKET TOOL OBJECTS PID: cp -r, mv, rm -r below DIR, where src/ is
tools_on() {
	local dir=$1 bucket=$2 tool=$3 n=$4 pid=$5 late=()
	# rclone uploads in RELEASE, which close does not wait for: cp may end before the last object is there.
	[ "$tool" != rclone ] || late=(--there "$bucket/copied/")
	measure mounts "cp -r" "$tool" "$n" --daemon "$pid" "${late[@]}" -- cp -r "$dir/src" "$dir/copied" ||
		{ say "  $tool, cp -r: exit status $?"; return; }
	check mounts "cp -r" "$tool" "$bucket" copied/ "$WORK/want"
	measure mounts "mv dir" "$tool" "$n" --daemon "$pid" -- mv "$dir/copied" "$dir/moved" ||
		{ say "  $tool, mv: exit status $?"; return; }
	check mounts "mv dir" "$tool" "$bucket" moved/ "$WORK/want" copied/
	measure mounts "rm -r" "$tool" "$n" --daemon "$pid" -- rm -r "$dir/moved" || say "  $tool, rm -r: exit status $?"
	[ "$(count "$bucket" moved/)" -eq 0 ] || wrong mounts "rm -r" "$tool" "keys are left"
}

# find_on DIR TOOL OBJECTS PID
find_on() {
	measure mounts "find" "$2" "$3" --daemon "$4" --stdout "$WORK/listing" -- find "$1/src" -type f || say "  $2, find: exit status $?"
	[ "$(wc -l <"$WORK/listing")" -eq "$3" ] || wrong mounts find "$2" "$(wc -l <"$WORK/listing") files of $3"
}

# mount_ours DIR URL: PID is the daemon; a mount that fails is a wrong result.
mount_ours() {
	mkdir -p "$1"
	MOUNTS+=("$1")
	"$FERRYFS" mount -o "log_file=$WORK/mount.log,staging=$WORK" "$2" "$1" 2>>"$WORK/ferryfs.log" && PID=$(daemon_of "$1") &&
		[ -n "$PID" ] && return
	wrong mounts "cp -r" ferryfs "mount $2: $(tail -n 1 "$WORK/ferryfs.log")"
	return 1
}
umount_ours() { "$FERRYFS" umount "$1" 2>>"$WORK/ferryfs.log" || wrong mounts "cp -r" ferryfs "umount: $(tail -n 1 "$WORK/ferryfs.log")"; }

ours_on_mount() {
	content "$1" src/ >"$WORK/want"
	mount_ours "$WORK/m" "s3://$1" || return
	find_on "$WORK/m" ferryfs "$2" "$PID"
	umount_ours "$WORK/m"
	mount_ours "$WORK/m" "s3://$1" || return
	tools_on "$WORK/m" "$1" ferryfs "$2" "$PID"
	umount_ours "$WORK/m"
}

# A copy from one mount to another is the server's only when one daemon has both.
two_views() {
	local what="cp -r to another mount" first
	mount_ours "$WORK/a" s3://bench/src || return
	first=$PID
	mount_ours "$WORK/b" s3://other || { umount_ours "$WORK/a"; return; }
	if [ "$PID" = "$first" ]; then
		measure mounts "$what" ferryfs "$OBJECTS" --daemon "$first" -- cp -r "$WORK/a" "$WORK/b/copied" || say "  ferryfs, $what: exit status $?"
		content bench src/ >"$WORK/want"
		check mounts "$what" ferryfs other copied/ "$WORK/want"
		measure mounts "rm -r" ferryfs "$OBJECTS" --daemon "$first" -- rm -r "$WORK/b/copied" || say "  ferryfs, rm -r: exit status $?"
	else
		note mounts "$what" ferryfs note "the second mount is not of the same daemon"
	fi
	umount_ours "$WORK/b"
	umount_ours "$WORK/a"
}

peer_on_mount() {
	local tool=$1 n=20
	[ "$tool" = rclone ] && n=50
	have "$tool" || { for what in "cp -r" "mv dir" "rm -r" find; do note mounts "$what" "$tool" note "not installed"; done; return; }
	seed_once "$tool" src/ "$n" 5
	content "$tool" src/ >"$WORK/want"
	if mount_peer "$tool" "$tool" "$tool"; then
		find_on "$WORK/$tool" "$tool" "$n" "$PEER_PID"
		tools_on "$WORK/$tool" "$tool" "$tool" "$n" "$PEER_PID"
	else
		note mounts "cp -r" "$tool" note "does not mount here"
	fi
	umount_peer "$WORK/$tool" "$PEER_PID"
}

table_mounts() {
	local run tool
	start_s3d --latency "$LATENCY" --bucket bench --bucket other
	MAIN=$ENDPOINT
	seed bench src/ "$OBJECTS"
	for ((run = 1; run <= RUNS; run++)); do
		say "mounts, run $run of $RUNS"
		! have ferryfs || ours_on_mount bench "$OBJECTS"
		! have ferryfs || two_views
		for tool in $PEER_MOUNTS_OF; do peer_on_mount "$tool"; done
	done
	if [ -n "$BIG" ] && have ferryfs; then
		seed million src/ 1000000 1000
		mount_ours "$WORK/m" s3://million || return
		LIMIT=1800 measure mounts "cp -r of 1,000,000" ferryfs 1000000 --daemon "$PID" -- cp -r "$WORK/m/src" "$WORK/m/copied" ||
			say "  ferryfs, cp -r of 1,000,000: exit status $?"
		content million src/ >"$WORK/want"
		check mounts "cp -r of 1,000,000" ferryfs million copied/ "$WORK/want"
		umount_ours "$WORK/m"
	fi
}

# The article's five; a serial run of 20,000 would take ten minutes, so each gets what it does in some seconds.
table_strategies() {
	local run entry name n
	have ferryfs || return 0
	start_s3d --latency "$LATENCY" --bucket bench
	for ((run = 1; run <= RUNS; run++)); do
		say "strategies, run $run of $RUNS"
		for entry in serial:100 parallel:3000 async:$OBJECTS async-parallel:3000 async-parallel2:$OBJECTS; do
			name=${entry%:*} n=${entry#*:}
			((n <= OBJECTS)) || n=$OBJECTS
			seed_once bench "src$n/" "$n"
			content bench "src$n/" >"$WORK/want"
			measure strategies strategies "$name" "$n" -- "$FERRYFS" bench --strategy "$name" "s3://bench/src$n/" "s3://bench/$name$run/" ||
				say "  $name: exit status $?"
			check strategies strategies "$name" bench "$name$run/" "$WORK/want"
		done
	done
}

table_rate() {
	local run
	have ferryfs || return 0
	for ((run = 1; run <= RUNS; run++)); do
		say "rate, run $run of $RUNS"
		start_s3d --latency "$LATENCY" --rate "copy=$RATE" --bucket bench
		seed bench src/ $((RATE * 10))
		content bench src/ >"$WORK/want"
		measure rate "cp -r, $RATE copies a second allowed" ferryfs $((RATE * 10)) --settle 3 -- "$FERRYFS" cp -r s3://bench/src/ s3://bench/to/ ||
			say "  ferryfs, rate: exit status $?"
		check rate "cp -r, $RATE copies a second allowed" ferryfs bench to/ "$WORK/want"
		stop_server
	done
}

# What a table began ends with it, however it ends.
table_end() {
	local status=$? i
	peers_cleanup
	for ((i = ${#MOUNTS[@]} - 1; i >= 0; i--)); do
		mountpoint -q "${MOUNTS[i]}" || continue
		timeout 20 "$FERRYFS" umount "${MOUNTS[i]}" 2>/dev/null || umount -l "${MOUNTS[i]}" 2>/dev/null
	done
	for i in "${!S3D_PIDS[@]}"; do
		kill "${S3D_PIDS[i]}" 2>/dev/null && wait "${S3D_PIDS[i]}" 2>/dev/null
		rm -f "$WORK/port.$i"
	done
	exit "$status"
}

run_table() (
	trap table_end EXIT
	SEEDED=()
	"table_$1"
	exit 0
)

peers_prepare
for table in $TABLES; do
	rm -f "$WORK/why"
	run_table "$table" >&2 && continue
	why=$(cat "$WORK/why" 2>/dev/null)
	why=$(tr -d '"\\\n' <<<"${why:-ended before its time}")
	wrong "$table" "what is left of this table" ferryfs "$why"
done
versions=
for tool in ferryfs $PEERS $PEER_MOUNTS_OF; do
	! have "$tool" || case $versions in *"$(version_of "$tool")"*) ;; *) versions+="${versions:+, }$(version_of "$tool")" ;; esac
done
python3 "$HERE/table.py" --latency "$LATENCY" --runs "$RUNS" --window "$WINDOW" --versions "$versions" "$RESULTS" >"$WORK/report"
status=$?
cat "$WORK/report"
[ -z "$REPORT" ] || cp "$WORK/report" "$REPORT"
say "done"
exit "$status"
