#!/usr/bin/env bash
# One-node Ceph RADOS Gateway (S3) on the loopback: a monitor, a storage daemon that keeps objects in memory, and
# the gateway, without systemd, cephx or manager.  Everything is below $RGW_DIR, nothing in /etc/ceph or /var.
#   rgw.sh start | stop | restart | status | account       (tests/reals3.sh installs the packages)
# Environment, with its defaults:
#   RGW_DIR=${TMPDIR:-/tmp}/ferryfs-rgw   RGW_PORT=7480    RGW_ACCESS=test   RGW_SECRET=testsecret
#   RGW_TLS_PORT=   RGW_CERT=file.pem     serve TLS too; a certificate is made unless one is named
#   RGW_STORE_MB=2048                     what the memory holds; a full one hangs
#   RGW_MON_PORT=13300   RGW_OSD_PORTS=13310-13329
#   RGW_NODELAY=1                         0: Nagle and delayed ACK hold each chunked reply 44 ms, like a distant S3
#   RGW_EXTRA_CONF=                       lines for [client.rgw.a], e.g. 'rgw max concurrent requests = 8'
set -euo pipefail
D=${RGW_DIR:-${TMPDIR:-/tmp}/ferryfs-rgw}
PORT=${RGW_PORT:-7480}
TLS_PORT=${RGW_TLS_PORT:-}
CERT=${RGW_CERT:-$D/tls.pem}
ACCESS=${RGW_ACCESS:-test}
SECRET=${RGW_SECRET:-testsecret}
STORE_BYTES=$((${RGW_STORE_MB:-2048} * 1024 * 1024))
MON_PORT=${RGW_MON_PORT:-13300}
OSD_PORTS=${RGW_OSD_PORTS:-13310-13329}
CONF=$D/ceph.conf

say() { echo "rgw.sh: $*" >&2; }

# alive NAME: is that process the daemon we started?
alive() {
	local pid
	[ -s "$D/pid/$1" ] && pid=$(<"$D/pid/$1") && [ -r "/proc/$pid/cmdline" ] &&
		tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF -- "$CONF"
}

# By pid, and only if it is ours.
stop_one() {
	local pid i
	if alive "$1"; then
		pid=$(<"$D/pid/$1")
		kill -TERM "$pid" 2>/dev/null || true
		for ((i = 0; i < 30; i++)); do
			alive "$1" || break
			sleep 0.1
		done
		if alive "$1"; then kill -KILL "$pid" 2>/dev/null || true; fi
	fi
	rm -f "$D/pid/$1"
}

do_stop() {
	[ -d "$D/pid" ] || return 0
	stop_one rgw
	stop_one osd
	stop_one mon
}

# spawn NAME COMMAND ...
spawn() {
	local name=$1
	shift
	setsid "$@" >"$D/log/$name.out" 2>&1 </dev/null &
	echo $! >"$D/pid/$name"
}

die() {
	say "$*"
	tail -n 20 "$D"/log/*.out "$D"/log/*.log >&2 2>/dev/null || true
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
	if [ -e "$D" ] && [ ! -e "$D/.rgw.sh" ]; then
		say "$D exists and is not mine"
		exit 1
	fi
	rm -rf "$D"
	mkdir -p "$D"/{pid,log,run,mon,osd,rgw,crash,home}
	: >"$D/.rgw.sh"
}

make_certificate() {
	[ -s "$CERT" ] && return
	openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost \
		-addext 'subjectAltName=DNS:localhost,DNS:*.localhost,IP:127.0.0.1' \
		-keyout "$D/tls.key" -out "$D/tls.crt" >/dev/null 2>&1
	cat "$D/tls.key" "$D/tls.crt" >"$CERT"
}

# Debugging off, one placement, one copy, no background work.
write_conf() { # FSID FRONTENDS
	cat >"$CONF" <<EOC
[global]
fsid = $1
mon host = [v2:127.0.0.1:$MON_PORT]
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
ms bind port min = ${OSD_PORTS%-*}
ms bind port max = ${OSD_PORTS#*-}
ms bind ipv6 = false
auth cluster required = none
auth service required = none
auth client required = none
auth supported = none
ms mon client mode = crc
ms mon cluster mode = crc
ms mon service mode = crc
run dir = $D/run
admin socket = $D/run/\$name.\$pid.asok
log file = $D/log/\$name.log
crash dir = $D/crash
mon cluster log file = $D/log/cluster.log
log to syslog = false
debug rgw = 0/0
debug ms = 0/0
debug osd = 0/0
debug objecter = 0/0
debug monc = 0/0
debug mon = 0/1
debug auth = 0/0
debug optracker = 0/0
osd enable op tracker = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
mon warn on pool no redundancy = false
mon allow pool delete = true
paxos propose interval = 0.05
paxos min wait = 0.01
mon tick interval = 2
[mon]
mon data = $D/mon
mon data avail crit = 1
mon data avail warn = 2
[osd]
osd data = $D/osd
osd journal = $D/osd/journal
osd objectstore = memstore
memstore device bytes = $STORE_BYTES
osd memory target = 1073741824
osd op num shards = 2
osd op num threads per shard = 2
osd class load list = *
osd class default list = *
osd max scrubs = 0
osd min pg log entries = 20
osd max pg log entries = 40
osd pg log dups tracked = 20
osd pg log trim min = 10
osd check max object name len on startup = false
[client]
keyring = /dev/null
[client.rgw.a]
rgw data = $D/rgw
rgw frontends = $2
rgw dns name = localhost
rgw thread pool size = 64
rgw num rados handles = 1
rgw override bucket index max shards = 1
rgw dynamic resharding = false
rgw enable usage log = false
rgw enable ops log = false
rgw enable lc threads = false
rgw gc obj min wait = 5
rgw gc processor period = 5
rgw gc processor max time = 5
rgw max put size = 5368709120
rgw relaxed s3 bucket names = false
${RGW_EXTRA_CONF:-}
EOC
}

# make_user ACCESS SECRET [TENANT]: creating the first one makes the pools, and waits for the storage daemon.
make_user() {
	timeout 90 radosgw-admin -c "$CONF" -n client.rgw.a user create ${3:+--tenant="$3"} --uid=test --display-name=test \
		--access-key="$1" --secret-key="$2" --max-buckets=0
}

answers() { curl -s -o /dev/null --max-time 2 "http://127.0.0.1:$PORT/"; }

do_start() {
	local fsid osd_id frontends i
	if alive mon && alive osd && alive rgw; then
		say "already running on 127.0.0.1:$PORT"
		return 0
	fi
	do_stop
	prepare_dir
	fsid=$(</proc/sys/kernel/random/uuid)
	osd_id=$(</proc/sys/kernel/random/uuid)
	frontends="beast tcp_nodelay=${RGW_NODELAY:-1} endpoint=127.0.0.1:$PORT"
	if [ -n "$TLS_PORT" ]; then
		make_certificate
		frontends="$frontends ssl_endpoint=127.0.0.1:$TLS_PORT ssl_certificate=$CERT ssl_private_key=$CERT"
	fi
	write_conf "$fsid" "$frontends"
	monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$MON_PORT]" "$D/monmap" >"$D/log/mkfs.out" 2>&1 || die monmaptool
	ceph-mon -c "$CONF" -i a --mkfs --monmap "$D/monmap" >>"$D/log/mkfs.out" 2>&1 || die "mon mkfs"
	spawn mon ceph-mon -c "$CONF" -i a -f
	ceph -c "$CONF" --connect-timeout 20 osd new "$osd_id" 0 >>"$D/log/mkfs.out" 2>&1 || die "osd new"
	ceph-osd -c "$CONF" -i 0 --mkfs --osd-uuid "$osd_id" >>"$D/log/mkfs.out" 2>&1 || die "osd mkfs"
	spawn osd ceph-osd -c "$CONF" -i 0 -f
	make_user "$ACCESS" "$SECRET" >"$D/log/user.out" 2>&1 || die "user create"
	spawn rgw radosgw -c "$CONF" -n client.rgw.a -f
	for ((i = 0; i < 300; i++)); do
		answers && break
		alive rgw || die "radosgw died"
		sleep 0.1
	done
	answers || die "radosgw does not answer"
	say "ready: http://127.0.0.1:$PORT access=$ACCESS secret=$SECRET${TLS_PORT:+ https://localhost:$TLS_PORT (CA $D/tls.crt)}"
}

do_status() {
	local name
	for name in mon osd rgw; do
		if alive "$name"; then
			echo "$name pid=$(<"$D/pid/$name") $(grep VmRSS "/proc/$(<"$D/pid/$name")/status" | tr -s '\t ' ' ')"
		else
			echo "$name down"
		fi
	done
}

# Bucket names belong to a tenant: a tenant of its own has every name free.
do_account() {
	local id
	id=$(tr -d - </proc/sys/kernel/random/uuid)
	make_user "$id" "secret$id" "$id" >/dev/null 2>"$D/log/account.$id.out" || {
		tail -n 5 "$D/log/account.$id.out" >&2
		exit 1
	}
	rm -f "$D/log/account.$id.out"
	echo "http://127.0.0.1:$PORT $id secret$id"
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
