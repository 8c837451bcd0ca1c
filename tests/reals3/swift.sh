#!/usr/bin/env bash
# One-node OpenStack Swift with its S3 interface (s3api, tempauth) on the loopback, without systemd.  Everything is
# below $SWIFT_DIR, on a file system with user xattrs.
#   swift.sh start | stop | restart | status | account     (tests/reals3.sh installs the packages)
# Environment, with its defaults:
#   SWIFT_DIR=${TMPDIR:-/tmp}/ferryfs-swift   SWIFT_PORT=7490
#   SWIFT_BASE_PORT=16200                     object +0, container +1, account +2, memcached +9
#   SWIFT_ACCESS=test:tester   SWIFT_SECRET=testing
#   SWIFT_TLS=                                not empty: the proxy speaks TLS
#   SWIFT_MIN_SEGMENT=5242880
set -euo pipefail
D=${SWIFT_DIR:-${TMPDIR:-/tmp}/ferryfs-swift}
PORT=${SWIFT_PORT:-7490}
BASE=${SWIFT_BASE_PORT:-16200}
ACCESS=${SWIFT_ACCESS:-test:tester} # ACCOUNT:USER
SECRET=${SWIFT_SECRET:-testing}
TLS=${SWIFT_TLS:-}
SCHEME=http${TLS:+s}
SERVERS="object container account proxy"
ACCOUNTS=2000 # spare ones, for `account`

say() { echo "swift.sh: $*" >&2; }

# alive NAME: is that process one we started?
alive() {
	local pid
	[ -s "$D/pid/$1" ] && pid=$(<"$D/pid/$1") && [ -r "/proc/$pid/cmdline" ] &&
		tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF -e "$D/launch.py" -e "$D/pid/mc.own"
}

stop_one() {
	local pid i
	if alive "$1"; then
		pid=$(<"$D/pid/$1")
		kill -TERM "$pid" 2>/dev/null || true
		for ((i = 0; i < 50; i++)); do
			alive "$1" || break
			sleep 0.1
		done
		# setsid made its pid its group's
		if alive "$1"; then kill -KILL -- "-$pid" 2>/dev/null || true; fi
	fi
	rm -f "$D/pid/$1"
}

do_stop() {
	local name
	[ -d "$D/pid" ] || return 0
	for name in proxy object container account memcached; do stop_one $name; done
}

die() {
	say "$*"
	tail -n 30 "$D"/log/* >&2 2>/dev/null || true
	do_stop
	exit 1
}

prepare_dir() {
	case $D in
	/ | /tmp | /root | /home | "")
		say "refusing to wipe '$D'"
		exit 1
		;;
	esac
	if [ -e "$D" ] && [ ! -e "$D/.swift.sh" ]; then
		say "$D exists and is not mine"
		exit 1
	fi
	rm -rf "$D"
	mkdir -p "$D"/{pid,log,etc,srv/d1,recon,lock,taken}
	: >"$D/.swift.sh"
}

write_common() {
	cat >"$D/etc/swift.conf" <<EOC
[swift-hash]
swift_hash_path_suffix = suffix
swift_hash_path_prefix = prefix
[storage-policy:0]
name = gold
default = yes
[swift-constraints]
max_header_size = 16384
EOC
	cat >"$D/launch.py" <<'EOC'
# launch.py SWIFT_DIR KIND: what /usr/bin/swift-KIND-server does, with the swift.conf of SWIFT_DIR
import sys
from swift.common import utils
d, kind = sys.argv[1], sys.argv[2]
utils.set_swift_dir(d)
from swift.common.wsgi import run_wsgi
kw = {}
if kind == 'object':
    from swift.obj import server
    kw['global_conf_callback'] = server.global_conf_callback
sys.exit(run_wsgi(d + '/%s-server.conf' % kind, kind + '-server', verbose=True, **kw))
EOC
}

write_backend() { # KIND PORT
	cat >"$D/etc/$1-server.conf" <<EOC
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $2
user = $(id -un)
swift_dir = $D/etc
devices = $D/srv
mount_check = false
disable_fallocate = true
fallocate_reserve = 0
db_preallocation = off
workers = 0
eventlet_debug = false
log_level = WARNING
container_update_timeout = 30
[pipeline:main]
pipeline = $1-server
[app:$1-server]
use = egg:swift#$1
threads_per_disk = 0
conn_timeout = 30
node_timeout = 30
recon_cache_path = $D/recon
recon_lock_path = $D/lock
EOC
	# rebalance exits 1 for a warning (one replica); what counts is the ring
	(cd "$D/etc" && swift-ring-builder "$1.builder" create 2 1 1 &&
		swift-ring-builder "$1.builder" add "r1z1-127.0.0.1:$2/d1" 1 &&
		swift-ring-builder "$1.builder" rebalance) >"$D/log/ring.$1" 2>&1 || [ -s "$D/etc/$1.ring.gz" ] || die "ring of $1"
}

write_proxy() {
	local certificate="" i
	if [ -n "$TLS" ]; then
		openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost \
			-addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' -keyout "$D/tls.key" -out "$D/tls.crt" >/dev/null 2>&1
		certificate=$(printf 'cert_file = %s\nkey_file = %s' "$D/tls.crt" "$D/tls.key")
	fi
	cat >"$D/etc/proxy-server.conf" <<EOC
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $PORT
user = $(id -un)
swift_dir = $D/etc
workers = ${SWIFT_PROXY_WORKERS:-0}
log_level = WARNING
$certificate
[pipeline:main]
pipeline = catch_errors cache listing_formats bulk s3api tempauth copy slo dlo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
conn_timeout = 30
node_timeout = 60
recoverable_node_timeout = 60
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:$((BASE + 9))
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
auth_pipeline_check = false
location = us-east-1
allow_multipart_uploads = true
min_segment_size = ${SWIFT_MIN_SEGMENT:-5242880}
max_upload_part_num = 10000
max_multi_delete_objects = 1000
storage_domain = localhost
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
[filter:symlink]
use = egg:swift#symlink
[filter:tempauth]
use = egg:swift#tempauth
user_${ACCESS%%:*}_${ACCESS#*:} = $SECRET .admin
EOC
	for ((i = 1; i <= ACCOUNTS; i++)); do echo "user_a${i}_case = secret$i .admin"; done >>"$D/etc/proxy-server.conf"
}

answers() { curl -sk -o /dev/null --max-time 2 "$SCHEME://127.0.0.1:$PORT/"; }

do_start() {
	local name i n=0
	if alive object && alive container && alive account && alive proxy; then
		say "already running on 127.0.0.1:$PORT"
		return 0
	fi
	do_stop
	prepare_dir
	write_common
	for name in object container account; do
		write_backend $name $((BASE + n))
		n=$((n + 1))
	done
	write_proxy
	# Without memcached every request reads its account and container anew.  -P marks the process as ours.
	setsid memcached -u "$(id -un)" -l 127.0.0.1 -p $((BASE + 9)) -U 0 -m 32 -c 512 -P "$D/pid/mc.own" \
		>"$D/log/memcached.out" 2>&1 </dev/null &
	echo $! >"$D/pid/memcached"
	# A proxy that finds it silent at first leaves it alone for a minute.
	for ((i = 0; i < 100; i++)); do
		(exec 3<>"/dev/tcp/127.0.0.1/$((BASE + 9))") 2>/dev/null && break
		sleep 0.1
	done
	for name in $SERVERS; do
		setsid /usr/bin/python3 "$D/launch.py" "$D/etc" "$name" >"$D/log/$name.out" 2>&1 </dev/null &
		echo $! >"$D/pid/$name"
	done
	for ((i = 0; i < 200; i++)); do
		answers && break
		alive proxy || die "the proxy died"
		sleep 0.1
	done
	for name in $SERVERS; do alive "$name" || die "$name died"; done
	say "ready: $SCHEME://127.0.0.1:$PORT access=$ACCESS secret=$SECRET"
}

do_status() {
	local name
	for name in $SERVERS; do
		if alive "$name"; then
			echo "$name pid=$(<"$D/pid/$name") kB=$(ps -o rss= -g "$(<"$D/pid/$name")" | awk '{s += $1} END {print s}')"
		else
			echo "$name down"
		fi
	done
}

# The next spare one; mkdir decides between several who ask.
do_account() {
	local i
	for ((i = 1; i <= ACCOUNTS; i++)); do
		mkdir "$D/taken/$i" 2>/dev/null || continue
		echo "$SCHEME://127.0.0.1:$PORT a$i:case secret$i"
		return
	done
	say "no spare account is left: restart the server"
	exit 1
}

case ${1:-} in
start) do_start ;;
stop) do_stop ;;
restart)
	do_stop
	do_start
	;;
status) do_status ;;
account) do_account ;;
*)
	echo "usage: $0 start|stop|restart|status|account" >&2
	exit 2
	;;
esac
