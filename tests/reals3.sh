#!/usr/bin/env bash
# Real S3 servers for tests, from Debian's packages, on the loopback and without systemd.
#   tests/reals3.sh rgw|swift start     installs the packages that are missing (root), and starts the server
#   tests/reals3.sh rgw|swift stop|status|restart
#   tests/reals3.sh rgw|swift account   prints ENDPOINT ACCESS SECRET of a new account that holds nothing
#   tests/reals3.sh rgw|swift check NAME=COMMAND ...
#                                       starts it, runs the cases through tests/run against it, and stops it
# rgw is Ceph's RADOS Gateway, swift OpenStack Swift with its S3 interface.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
name=${1:-}
verb=${2:-}
usage() {
	echo "usage: tests/reals3.sh rgw|swift start|stop|restart|status|account|check [NAME=COMMAND ...]" >&2
	exit 2
}
case $name in
rgw) packages="radosgw ceph-mon ceph-osd" ;;
swift) packages="swift-proxy swift-account swift-container swift-object memcached" ;;
*) usage ;;
esac

missing() {
	local package
	for package in $packages curl openssl; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
	done
}

# Nothing of what is installed may start by itself: a policy that says so stands while apt-get runs (policy-rc.d
# in Debian's sysvinit; 101 is "forbidden by policy").  One that is there already is left alone.
policy=/usr/sbin/policy-rc.d
install_packages() {
	local wanted log=${TMPDIR:-/tmp}/ferryfs-$name-install.log made=
	wanted=$(missing)
	[ -n "$wanted" ] || return 0
	# shellcheck disable=SC2086
	if [ "$(id -u)" != 0 ]; then
		echo "missing packages; run: sudo apt-get install --no-install-recommends" $wanted >&2
		exit 1
	fi
	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
		made=$policy
	fi
	trap 'rm -f $made' RETURN
	trap 'rm -f $made; exit 1' INT TERM
	# shellcheck disable=SC2086
	{ apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $wanted; } >"$log" 2>&1 || {
		tail -n 20 "$log" >&2
		rm -f "$made"
		exit 1
	}
	trap - INT TERM
}

case $verb in
start | restart)
	install_packages
	exec bash "$here/reals3/$name.sh" "$verb"
	;;
stop | status | account) exec bash "$here/reals3/$name.sh" "$verb" ;;
check)
	shift 2
	install_packages
	# Several may use one server: who started it stops it, unless another one still holds the lock.
	exec 8>"${TMPDIR:-/tmp}/ferryfs-$name.lock"
	flock -s 8
	was=$(bash "$here/reals3/$name.sh" status)
	bash "$here/reals3/$name.sh" start 8>&-
	case $was in *down*) trap 'if flock -n -x 8; then bash "$here/reals3/$name.sh" stop; fi' EXIT ;; esac
	trap 'exit 130' INT TERM
	# Where a case repeats itself at random, a few times will do on a slow server.
	RUNS=${RUNS:-3} FERRYFS_REAL=$name S3D=$here/reals3/front.py "$here/run" -t 900 -j "${JOBS:-2}" ${BUDGET:+-b "$BUDGET"} "$@" 8>&-
	;;
*) usage ;;
esac
