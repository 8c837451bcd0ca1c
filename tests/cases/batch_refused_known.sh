#!/usr/bin/env bash
# A refused removal that is known while rm -r, or mv between mounts, still has directories before it: at its end all else is
# gone, markers too, and it ends with 1.  The tool's -v goes into a pipe that is read no further than the refused name
# until the log has it: so the tool waits there.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt
mount_s3 m s3://bkt -o cache_ttl=1
mkdir from
mount --bind m from || skip "no right to bind-mount"
MOUNTS+=("$WORK/from")
cat >slowly.py <<'PY'
import fcntl, os, re, subprocess, sys, time
name, log = sys.argv[1:3]
reader, writer = os.pipe()
fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
tool = subprocess.Popen(["stdbuf", "-oL"] + sys.argv[3:], stdout=writer)
os.close(writer)
for line in open(reader):
    if line.startswith("removed") and name in line:
        end = time.monotonic() + 120
        while not re.search("unlink .*" + name + ".*AccessDenied", open(log).read()) and time.monotonic() < end:
            time.sleep(0.01)
sys.exit(tool.wait())
PY
seed() { # TREE DIRECTORY: but that one, each directory has a marker; each directory holds more names than go into the pipe
	admin POST "seed?bucket=bkt&prefix=$1&count=600&size=1&dirs=3" >/dev/null
	for i in 0 1 2; do [ "$2" = "dir000$i" ] || put bkt "$1/dir000$i/" ""; done
	put bkt "$1/zz-last" x
	until_true 120 test -e "m/$1/zz-last"
}
# known TREE KEY COMMAND ...
known() {
	local tree=$1 key=$2 status
	shift 2
	seed "$tree" "${key%/*}"
	: >mount.log
	for op in deletes-key delete; do admin POST fault "op=$op,key=$tree/$key,action=403:AccessDenied" >/dev/null; done
	python3 slowly.py "${key##*/}" mount.log "$@" 2>err
	status=$?
	equal "$*: left" "$(keys bkt "$tree/" | tail -n 5 | tr '\n' ' ')" "$tree/$key "
	[ $status != 0 ] || fail "$*: exit status 0"
	admin DELETE fault >/dev/null
	equal "$*: shown" "$(find "m/$tree" -type f)" "m/$tree/$key"
}
known removed dir0000/file000150.txt rm -rv m/removed
known forced dir0001/file000250.txt rm -rfv m/forced
known moved dir0000/file000150.txt mv -v from/moved m/moved-to
equal "moved" "$(keys bkt moved-to/ | wc -l)" 603
known again dir0001/file000250.txt mv -v from/again m/again-to
equal "moved again" "$(keys bkt again-to/ | wc -l)" 603

# What could not be copied is another thing: then nothing of the source goes.
seed kept dir0001
admin POST fault "op=copy,key=kept-to/dir0001/file000399.txt,action=403:AccessDenied" >/dev/null
refuse mv from/kept m/kept-to 2>err
equal "the source" "$(keys bkt kept/ | wc -l)" 603
