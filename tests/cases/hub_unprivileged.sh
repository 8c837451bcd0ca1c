#!/bin/bash
# Not root: all buckets in one mount through fusermount3, with server-side cp and mv; a second mount is one of its own.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root to become another user"
[ -u "$(command -v fusermount3)" ] || skip "fusermount3 is not setuid root"
unshare -m true 2>/dev/null || skip "unshare -m does not work here"
mode=$(command stat -c %a /dev/fuse)
restore() { chmod "$mode" /dev/fuse; }
trap 'ended=$?; restore; (exit "$ended"); cleanup' EXIT
chmod 666 /dev/fuse || skip "/dev/fuse cannot be opened to others"

start_s3d --seed=alpha,prefix=dir/,count=30,size=100 --bucket=beta
chmod 711 "$WORK"
mkdir -m 0700 user
install -m 755 "$FERRYFS" program
grep -v ':54321:' /etc/passwd >passwd
echo "ferryuser:x:54321:54321::$WORK/user:/bin/sh" >>passwd
chown 54321:54321 user
cat >user.sh <<'USER'
set -u
fail() { echo "FAILED: $*"; cat one.log 2>/dev/null; exit 1; }
F=$WORK/program
cd "$WORK/user" || exit 1
mkdir -p run s3 second a
chmod 700 run
export XDG_RUNTIME_DIR=$WORK/user/run TMPDIR=$WORK/user HOME=$WORK/user
"$F" mount -o "log=$WORK/user/one.log" s3:// s3 || fail mount
[ "$(id -u)" = 54321 ] || fail "who am I"
[ "$(ls s3)" = "$(printf 'alpha\nbeta')" ] || fail "buckets: $(ls s3)"
# its own daemon answers for it, to its own user only
"$F" status s3 >said || fail status
grep -q "^mount: process [0-9]*, .* log: $WORK/user/one.log" said && grep -q "^s3:// on $WORK/user/s3 (127.0.0.1:" said || fail "said: $(cat said)"
grep -q "^so far: .*ListBuckets" said || fail "said: $(cat said)"
"$F" status --json >said || fail "status --json"
[ "$(wc -l <said)" = 1 ] && ! grep -q testsecret said || fail "said: $(cat said)"
python3 -c 'import json, sys; view, = json.load(open("said"))["views"]; assert view["source"] == "s3://" and view["point"] == sys.argv[1], view' "$WORK/user/s3" || fail "said: $(cat said)"
[ "$(stat -c %a run/ferryfs run/ferryfs/*.sock | tr '\n' ' ')" = "700 600 " ] || fail "modes: $(ls -la run/ferryfs)"
if "$F" status second 2>said; then fail "status of what is not mounted"; fi
grep -q "no mount of yours is served there" said || fail "said: $(cat said)"
"$F" status --watch s3 >watched &
watcher=$!
curl -sf -X POST "$AWS_ENDPOINT_URL/_s3d/reset" >/dev/null || curl -sf -X POST "$AWS_ENDPOINT_URL/_s3d/reset"
cp -r s3/alpha/dir s3/beta/ || fail "cp -r"
[ "$(ls s3/beta/dir | wc -l)" = 30 ] || fail "copied: $(ls s3/beta/dir | wc -l)"
mv s3/beta/dir s3/alpha/moved || fail "mv between buckets"
[ "$(ls s3/alpha/moved | wc -l)" = 30 ] && [ ! -e s3/beta/dir ] || fail "moved"
curl -sf "$AWS_ENDPOINT_URL/_s3d/stats" >stats
python3 - <<'PY' || fail "bytes came through: $(cat stats)"
import json
stats = json.load(open("stats"))
assert stats["object_bytes_in"] == 0 and stats["object_bytes_out"] == 0
PY
if "$F" mount -o "log=$WORK/user/two.log" s3://beta second 2>said; then fail "mounted a key twice"; fi
grep -q "in a file system of its own, and a key can be only one file" said || fail "said: $(cat said)"
"$F" umount s3 || fail "umount"
wait "$watcher" || fail "status --watch ended with $?"
[ "$(grep -c "^mount:" watched)" -ge 1 ] || fail "watched: $(cat watched)"
[ -z "$(ls run/ferryfs | grep -v '\.lock$')" ] || fail "left behind: $(ls run/ferryfs)"
"$F" mount -o "log=$WORK/user/one.log" s3://alpha s3 || fail "mount of one bucket"
"$F" mount -o "log=$WORK/user/two.log" s3://beta second 2>said || fail "second mount: $(cat said)"
grep -q "pass through this machine" said || fail "the way out is not said: $(cat said)"
cp -r s3/moved second/ || fail "cp between two"
[ "$(grep -c "there is another mount with a daemon of its own: copies from one to the other pass through this machine; inside one mount of s3://" two.log)" = 1 ] || fail "not said once: $(cat two.log)"
! grep -q "another mount" one.log || fail "said by the first: $(cat one.log)"
[ "$(ls second/moved | wc -l)" = 30 ] || fail "copied to the second"
[ "$("$F" status | grep -c "^mount: ")" = 2 ] || fail "status of both: $("$F" status)"
"$F" status second | grep -q "^s3://beta on" || fail "status of the second"
"$F" umount second || fail "umount"
"$F" umount s3 || fail "umount"
USER
export WORK
unshare -m bash -euc '
	mount --bind "$WORK/passwd" /etc/passwd
	exec env -u FERRYFS_RUN_DIR -u FERRYFS_JOURNAL setpriv --reuid 54321 --regid 54321 --clear-groups --inh-caps=-all bash "$WORK/user.sh"
' || fail "as another user"
