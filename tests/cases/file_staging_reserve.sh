#!/bin/bash
# What is written never fills the staging disk: a reserve stays free, however it is written, and the log says so once.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "mounting a small disk takes root"
start_s3d --bucket=bkt
admin POST 'seed?bucket=bkt&prefix=big/&count=1&size=15000000' >/dev/null
big=$(keys bkt big/)
mkdir disk
mount -t tmpfs -o size=20m,mode=0700 tmpfs disk 2>/dev/null || skip "no tmpfs here"
MOUNTS+=("$WORK/disk")
left() { df --output=avail -B1 disk | tail -n 1; }
mount_with() { # RESERVE
	mkdir -p m
	MOUNTS=("$WORK/disk" "$WORK/m")
	"$FERRYFS" mount -o "log_file=$WORK/mount.log,staging=$WORK/disk${1:+,staging_reserve=$1}" "${SANITIZER_OPTIONS[@]}" s3://bkt m ||
		fail mount
}
cat >fill.py <<'PY'
import errno, mmap, os, sys
how, names = sys.argv[1], sys.argv[2:]
MIB = 1 << 20
files = [os.open("m/" + name, os.O_RDWR | os.O_CREAT | os.O_TRUNC) for name in names]
total = 0
def tries(action):
	global total
	while True:
		for fd in files:
			try:
				action(fd)
			except OSError as e:
				assert e.errno == errno.ENOSPC, e
				return
			total += 1
			assert total < 64, "no end of it"
if how == "write":
	tries(lambda fd: os.write(fd, b"x" * MIB))
elif how == "allocate":
	tries(lambda fd: os.posix_fallocate(fd, total * MIB, MIB))
elif how == "map":
	# Pages of a mapping are written later: the error is msync's, or fsync's.
	os.ftruncate(files[0], 40 * MIB)
	with mmap.mmap(files[0], 40 * MIB) as pages:
		try:
			for at in range(0, 40 * MIB, MIB):
				pages[at:at + MIB] = b"x" * MIB
				pages.flush(at, MIB)
				total += 1
			os.fsync(files[0])
			sys.exit("40 MiB fit")
		except OSError as e:
			assert e.errno in (errno.ENOSPC, errno.EIO), e
# What is there can be changed without more room.
if how == "write":
	os.pwrite(files[0], b"y" * 4096, 0)
print(total)
sys.stdout.flush()
os.system("df --output=avail -B1 disk | tail -n 1 >left")
PY
check() { # HOW LEAST MOST FILES
	local how=$1 least=$2 most=$3
	shift 3
	python3 fill.py "$how" "$@" >wrote || fail "$how"
	[ "$(<left)" -ge "$least" ] || fail "$how: $(<left) bytes are left, $least are kept"
	[ "$(<left)" -le "$most" ] || fail "$how: $(<left) bytes are left: more could have been written"
	rm -f m/*
	# content of the unlinked files goes with the last close
	until_true 120 eval '[ "$(left)" -gt 18000000 ]'
}
M=1048576
mount_with ""
check write $M $((3 * M)) one
check write $M $((3 * M)) one two three
check allocate $M $((3 * M)) one two
check map $M $((4 * M)) one
said=$(grep -c "the staging disk has .* left" mount.log)
[ "$said" -ge 1 ] && [ "$said" -le 4 ] || fail "said $said times"
umount_s3 m
until_true 120 no_hub
mount_with 8M
check write $((8 * M)) $((10 * M)) one two
# an object is fetched to be edited: no room is no room, and it stays as it is
refuse bash -c 'printf x | dd of="$1" conv=notrunc status=none' edit "m/$big" 2>err
grep -q 'No space left' err || fail "edit: $(<err)"
equal "object" "$(object bkt "$big" | field size)" 15000000
umount_s3 m
until_true 120 no_hub
mount_with 0
check write 0 $((2 * M)) one
umount_s3 m
