# -o fuse_cpu: N holds the thread that reads requests on that CPU, none and auto leave it free of a mount at rest; a CPU
# that is not there is refused, and a second mount on the same daemon is told when it asks for another.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
any_server "where a thread runs"

allowed_of() { awk '/^Cpus_allowed_list:/ {print $2}' "/proc/$1/status"; }
# The reading thread is the daemon's first.
reader_of() { allowed_of "$(daemon_of "$1")/task/$(daemon_of "$1")"; }

ours=$(allowed_of self)
last=${ours##*[-,]}
start_s3d --bucket bench
admin POST 'seed?bucket=bench&prefix=src/&count=300&size=10&dirs=3' >/dev/null

mount_s3 m s3://bench/src -o "fuse_cpu=$last"
equal "held" "$(reader_of m)" "$last"
equal "status" "$("$FERRYFS" status --json | field hub.fuse_cpu)" "$last"
"$FERRYFS" mount -o fuse_cpu=none s3://bench/src n 2>said && fail "mounted on no directory"
mkdir -p n
MOUNTS+=("$PWD/n")
"$FERRYFS" mount -o fuse_cpu=none s3://bench/src n 2>said || fail "the second mount"
grep -q "running already with fuse_cpu=$last\$" said || fail "not told: $(<said)"
"$FERRYFS" umount n || fail "umount n"
"$FERRYFS" mount -o "fuse_cpu=$last" s3://bench/src n 2>said || fail "the third mount"
equal "told without need" "$(<said)" ""
cp -r m/. copied || fail "cp from the mount"
equal "files read" "$(find copied -type f | wc -l)" 300
"$FERRYFS" umount n || fail "umount n"
umount_s3 m
until_true 120 no_hub

for word in none auto; do
	mount_s3 m s3://bench -o "fuse_cpu=$word"
	equal "$word" "$(reader_of m)" "$ours"
	equal "status" "$("$FERRYFS" status --json | field hub.fuse_cpu)" "$word"
	cp -r m/src "m/$word" || fail "cp -r with fuse_cpu=$word"
	equal "copied" "$(keys bench "$word/" | wc -l)" 300
	# Two callers, neither of them for long: it is nobody's.
	for ((i = 0; i < 5; i++)); do
		ls m >list
		cat m/src/* >list 2>&1
	done
	equal "$word, several callers" "$(reader_of m)" "$ours"
	umount_s3 m
	until_true 120 no_hub
done

for bad in 1023 -1 x '' 1,2; do
	[ "$bad" = 1023 ] && [ "$last" = 1023 ] && continue
	refuse "$FERRYFS" mount -o "fuse_cpu=$bad" s3://bench m 2>said
	grep -q "fuse_cpu\|unknown option" said || fail "'$bad': $(<said)"
	mountpoint -q m && fail "mounted with fuse_cpu=$bad"
done
exit 0
