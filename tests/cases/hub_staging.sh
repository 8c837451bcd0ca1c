#!/bin/bash
# The staging directory: made up 0700 and the daemon's own, files in it are 0600 and have no name; what a killed daemon left goes
# with the next mount, what another one uses stays; one that is a link, another user's or open to others is refused.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root: a hub is root's"
start_s3d --bucket=bkt --bucket=two
mkdir tmp
export TMPDIR=$WORK/tmp
anew() { # directory url option...
	mkdir -p "$1"
	MOUNTS+=("$WORK/$1")
	"$FERRYFS" mount -o "log_file=$WORK/mount.log" "${SANITIZER_OPTIONS[@]}" "${@:3}" "$2" "$1" || fail "mount"
}
made() { find tmp -mindepth 1 -maxdepth 1 -name 'ferryfs-*' | sort; }
gone() { ! readlink "/proc/$1/exe" >/dev/null; }

anew a s3://bkt
anew b s3://two -o hub=no
equal "made" "$(made | wc -l)" 2
equal "mode and owner" "$(command stat -c '%a %u' $(made) | sort -u)" "700 0"
pid=$(daemon_of a)
before=$(made)
exec 5>a/file 6>b/file
echo half written >&5
echo half written >&6
find tmp -type f | grep . && fail "a staging file has a name"
# O_TMPFILE's shows as deleted; the daemon's limits are its own.
equal "modes of what is open" "$(find "/proc/$pid/fd" -lname "$WORK/tmp/*" -exec env stat -L -c '%F %a' {} + 2>/dev/null | grep -v directory | sort -u)" \
	"regular file 600"
kill -KILL "$pid"
until_true 120 gone "$pid"
exec 5>&- 2>/dev/null
umount -l a
equal "left by a crash" "$(made)" "$before"
anew a s3://bkt
equal "one goes, one comes" "$(made | wc -l)" 2
equal "the other daemon's stays" "$(comm -12 <(made) <(echo "$before") | wc -l)" 1
echo the rest >&6
exec 6>&- || fail close
equal "written with the directory that stayed" "$(cat b/file)" "half written
the rest"
"$FERRYFS" umount a || fail umount
"$FERRYFS" umount b || fail umount
nothing() { [ -z "$(made)" ]; }
until_true 120 nothing

mkdir -m 0700 mine theirs
mkdir -m 0755 open
chown 54321 theirs
ln -s mine link
for place in link link/ theirs open relative; do
	[ "$place" = relative ] || place=$WORK/$place
	refuse "$FERRYFS" mount -o "staging=$place" s3://bkt a 2>err
	grep -q "staging.*$place" err || fail "said of $place: $(<err)"
	! mountpoint -q a || fail "mounted with $place"
done
