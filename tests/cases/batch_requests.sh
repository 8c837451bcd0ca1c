# What recursive commands cost: at most 1.1 requests an object for cp -r, no object byte through here; DeleteObjects for rm -r.
# cp -a and mv set times, owners and modes: without a request.
. "$(dirname "$0")/lib.sh"
start_s3d --latency=5 --bucket=bkt --seed=bkt,prefix=src,count=4000,size=1000,dirs=20
mount_s3 m s3://bkt -o cache_ttl=600
mkdir from
mount --bind m from || skip "no right to bind-mount"
MOUNTS+=("$WORK/from")
all() { admin GET stats | python3 -c 'import json, sys; print(sum(n for op, n in json.load(sys.stdin)["requests"].items() if op != "admin"))'; }
cost() {
	local what=$1 most=$2
	shift 2
	admin POST reset >/dev/null
	"$@" || fail "$what"
	local total=$(all)
	echo "$what: $total requests"
	[ "$total" -le "$most" ] || fail "$what: $total requests, at most $most wanted: $(admin GET stats | field requests)"
	equal "$what: bytes through here" "$(stat object_bytes_out) $(stat object_bytes_in)" "0 0"
}
cost "cp -r" 4400 cp -r m/src m/one
equal "the copy" "$(keys bkt one/ | sed 's|^one/||')" "$(keys bkt src/ | sed 's|^src/||')"
cost "cp -a" 4400 cp -a m/src m/two
# Where deletes with a condition are not enforced (Ceph, Swift), mv looks at each source before it removes it.
cost "mv" "$([ -n "${FERRYFS_REAL:-}" ] && echo 8800 || echo 5200)" mv from/one m/three
equal "what mv left" "$(keys bkt one/)" ""
equal "what mv made" "$(keys bkt three/ | sed 's|^three/||')" "$(keys bkt src/ | sed 's|^src/||')"
cost "rm -r" 400 rm -r m/two
equal "what rm left" "$(keys bkt two/)" ""
