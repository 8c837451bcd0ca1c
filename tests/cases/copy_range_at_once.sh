# The first copies of a mount, several at the same moment: none of them passes through here (the kernel may turn copy_file_range off for
# the whole connection when two of its first calls are answered ENOSYS).
. "$(dirname "$0")/lib.sh"
[ "${FERRYFS_REAL:-}" != swift ] || skip "Swift answers If-None-Match with 501: what was refused once is asked twice"
start_s3d --latency=5 --bucket=bkt --seed=bkt,prefix=src,count=16,size=5000
for round in 1 2 3 4 5; do
	mount_s3 "m$round" s3://bkt
	ls "m$round/src" >/dev/null
	admin POST reset >/dev/null
	python3 - "m$round" <<'PY' || fail "copying"
import os, sys, threading
top = sys.argv[1]
names = sorted(os.listdir(top + "/src"))
start = threading.Barrier(len(names))
def copy(name):
    source = os.open(f"{top}/src/{name}", os.O_RDONLY)
    target = os.open(f"{top}/{top}-{name}", os.O_WRONLY | os.O_CREAT)
    start.wait()
    assert os.copy_file_range(source, target, 1 << 33) == 5000
    os.close(target)
threads = [threading.Thread(target=copy, args=(name,)) for name in names]
for thread in threads: thread.start()
for thread in threads: thread.join()
PY
	equal "round $round: copies" "$(requests copy)" 16
	equal "round $round: bytes through here" "$(stat object_bytes_out) $(stat object_bytes_in)" "0 0"
	umount_s3 "m$round"
done
