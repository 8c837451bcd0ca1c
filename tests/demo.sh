#!/usr/bin/env bash
# The main job, end to end, on the embedded S3 server: mount, browse, cp -r, mv, rm -r with the standard tools,
# then a table of what crossed the wire.  Called by `make demo`; OBJECTS=N changes the size, LATENCY=MS the distance.
. "$(dirname "$0")/cases/lib.sh"
OBJECTS=${OBJECTS:-3000}
LATENCY=${LATENCY:-5}
ROWS=$WORK/rows

show() { printf '\n\033[1m$ %s\033[0m\n' "$*"; }

# step NAME CMD ...: runs it, shows at most some lines of its output, and notes what it cost.
step() {
	local name=$1 begin end
	shift
	show "$@"
	admin POST reset >/dev/null
	begin=$(date +%s%N)
	"$@" >"$WORK/out" 2>&1 || { cat "$WORK/out"; fail "$*"; }
	end=$(date +%s%N)
	head -n 12 "$WORK/out" | cut -c1-110
	[ "$(wc -l <"$WORK/out")" -le 12 ] || echo "... ($(wc -l <"$WORK/out") lines)"
	admin GET stats | python3 -c '
import json, sys
s, name, ns = json.load(sys.stdin), sys.argv[1], int(sys.argv[2])
kinds = {"list-buckets": "list", "list": "list", "copy": "copy", "delete": "delete", "deletes": "deletes", "get": "get",
         "put": "put", "head": "head", "head-bucket": "head"}
row = dict.fromkeys(["list", "head", "get", "put", "copy", "delete", "deletes", "other"], 0)
for kind, count in s["requests"].items():
    row[kinds.get(kind, "other")] += count
print("%-34s %8.2f s %6d %6d %6d %6d %6d %7d %7d %6d %13d" % (name, ns / 1e9, row["list"], row["head"], row["get"],
      row["put"], row["copy"], row["delete"], row["deletes"], row["other"],
      s["object_bytes_in"] + s["object_bytes_out"]))' "$name" $((end - begin)) >>"$ROWS"
}

echo "ferryfs demo: an S3 server on a loopback port, $LATENCY ms a request, $OBJECTS objects in nested prefixes"
start_s3d --latency "$LATENCY"
admin POST "seed?bucket=photos&prefix=2024&count=$OBJECTS&size=4096&dirs=12&depth=2" >/dev/null
admin POST "seed?bucket=photos&prefix=2025&count=200&size=4096&dirs=4&depth=1" >/dev/null
admin POST "seed?bucket=backup&count=0" >/dev/null
put photos readme.txt hello%20from%20an%20object%0A

step "mount" "$FERRYFS" mount -o "log_file=$WORK/mount.log,staging=$WORK" s3:// "$(mkdir -p m && echo m)"
MOUNTS+=("$WORK/m")
step "ls -l m/photos" ls -l m/photos
step "find m/photos | wc -l" bash -c 'find m/photos | wc -l'
step "cat m/photos/readme.txt" cat m/photos/readme.txt
step "cp -r m/photos/2024 m/backup/" cp -r m/photos/2024 m/backup/
equal "objects in the copy" "$(keys backup 2024/ | grep -vc "/$")" "$(keys photos 2024/ | wc -l)"
step "mv m/backup/2024 m/backup/archive" mv m/backup/2024 m/backup/archive
equal "objects left at the old place" "$(keys backup 2024/ | wc -l)" 0
equal "objects at the new place" "$(keys backup archive/ | grep -vc "/$")" "$(keys photos 2024/ | wc -l)"
step "rm -r m/backup/archive" rm -r m/backup/archive
equal "objects left after rm -r" "$(keys backup archive/ | wc -l)" 0
step "umount" "$FERRYFS" umount m

printf '\nWhat crossed the wire (requests by kind, object bytes through the client)\n\n'
printf '%-34s %10s %6s %6s %6s %6s %6s %7s %7s %6s %13s\n' step time LIST HEAD GET PUT COPY DELETE DELETEs other 'object bytes'
cat "$ROWS"
awk '/^(cp|mv) / && $NF != 0 {bad = 1} END {exit bad}' "$ROWS" || fail "object bytes went through the client in cp or mv"
printf '\nDELETEs are DeleteObjects: up to 1,000 keys each.  cp -r and mv moved no object byte through this machine.\n'
