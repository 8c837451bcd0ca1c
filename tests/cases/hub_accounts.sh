#!/bin/bash
# Views of several accounts side by side: each signs with its own; across services the bytes pass through; where the service refuses the
# destination's credentials the source, the copy is made through this machine instead, found out once, and is right.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root: a hub is root's"

start_s3d --seed=alpha,prefix=dir/,count=20,size=1000 --bucket=beta
first=$ENDPOINT
mkdir -p "$HOME/.aws"
printf '[one]\naws_access_key_id = test\naws_secret_access_key = testsecret\n' >"$HOME/.aws/credentials"
chmod 600 "$HOME/.aws/credentials"

# by profile, and by environment: one account, since the key is the same
(unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY && "$FERRYFS" mount -o "log_file=$WORK/mount.log,staging=$WORK,profile=one" s3://alpha "$(mkdir -p a && echo a)") || fail "by profile"
MOUNTS+=("$WORK/a")
mount_s3 b s3://beta
equal "one account" "$("$FERRYFS" status --json | python3 -c 'import json, sys; print(len({v["account"] for v in json.load(sys.stdin)["views"]}))')" 1

# another service
start_s3d --bucket=gamma
mount_s3 c s3://gamma
equal "one hub" "$(hubs | wc -l)" 1
cp -r a/dir c/ || fail "cp to another service"
same_tree a/dir c/dir
grep -q "copies between different services pass through this machine" mount.log || fail "not said: $(<mount.log)"
mv c/dir b/moved || fail "mv to another service"
[ ! -e c/dir ] || fail "the source is still there"
equal "moved" "$(ls b/moved | wc -l)" 20
same_tree a/dir b/moved
