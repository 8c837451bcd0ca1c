#!/bin/bash
# Mount namespaces: another one that got a view by inheritance goes on being served after the last umount here, a mount here
# gets a fresh hub meanwhile, and a mount in there gets a hub of its own and says so.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root: a hub is root's"
unshare -m true 2>/dev/null || skip "unshare -m does not work here"

start_s3d --seed=alpha,prefix=dir/,count=3,size=10 --bucket=beta
mount_s3 a s3://alpha
first=$(daemon_of a)
mkfifo go
unshare -m bash -c 'echo ready >ready; read -r _ <go; ls a/dir | wc -l >seen; echo text >a/dir/from-there && echo ok >wrote' &
other=$!
until_true 120 test -s ready

# nothing is left here, but the daemon lives, and umount says so by not waiting for it
umount_s3 a
kill -0 "$first" || fail "the hub ended although another namespace holds a view"
mount_s3 a s3://alpha
[ "$(daemon_of a)" != "$first" ] || fail "the old hub took a new view"
equal "files" "$(ls a/dir | wc -l)" 3

echo >go
wait "$other"
equal "seen from the other namespace" "$(<seen)" 3
[ -s wrote ] || fail "could not write there"
gone() { ! readlink "/proc/$1/exe" >/dev/null; }
until_true 120 gone "$first"
equal "written" "$(keys alpha dir/from-there)" dir/from-there

# a mount in there: a hub of its own, said
mkdir there
unshare -m bash -c '"$FERRYFS" mount -o "log_file=$0/there.log,staging=$0" s3://beta there 2>said && echo x >there/file && "$FERRYFS" umount there' "$WORK" ||
	fail "mount in another namespace: $(cat said)"
grep -q "another mount namespace has a hub already" said || fail "said: $(<said)"
equal "written there" "$(keys beta)" file
equal "still one here" "$(hubs | wc -l)" 1
