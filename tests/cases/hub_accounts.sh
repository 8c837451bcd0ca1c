#!/bin/bash
# Views of several accounts side by side: each signs with its own; across services the bytes pass through; where the service refuses the
# destination's credentials the source, the copy is made through this machine instead, found out once, and is right.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root: a hub is root's"

start_s3d --seed=alpha,prefix=dir/,count=20,size=1000 --bucket=beta
first=$ENDPOINT
mkdir -p "$HOME/.aws"
printf '[one]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" >"$HOME/.aws/credentials"
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
umount_s3 a
umount_s3 b
umount_s3 c
until_true 120 no_hub

# the same service, other credentials, which may not read the source's bucket
start_s3d --seed=alpha,prefix=dir/,count=20,size=1000 --bucket=beta --bucket=alpha2 --key2=second:secondsecret:alpha*
put alpha dir/empty ""
mount_s3 a s3://alpha
AWS_ACCESS_KEY_ID=second AWS_SECRET_ACCESS_KEY=secondsecret mount_s3 b s3://beta
refuse env AWS_ACCESS_KEY_ID=second AWS_SECRET_ACCESS_KEY=secondsecret "$FERRYFS" mount s3://alpha c 2>err.log
grep -q "may not list" err.log || fail "said: $(<err.log)"
admin POST reset >/dev/null
cp -r a/dir b/ || fail "cp where the copy is refused"
same_tree a/dir b/dir
equal "said" "$(grep -c "from bucket alpha to bucket beta pass through this machine" mount.log)" 1
[ "$(requests put)" -ge 20 ] || fail "puts: $(requests put)"
refused=$(requests copy)
cp -r a/dir b/again || fail "a second cp"
same_tree a/dir b/again
equal "refused once more" "$(requests copy)" "$refused"
mv a/dir b/moved || fail "mv where the copy is refused"
[ ! -e a/dir ] || fail "the source is still there"
equal "moved" "$(find b/moved -type f | wc -l)" 21
# the other way the service has nothing against it
admin POST reset >/dev/null
cp -r b/moved a/back || fail "cp the other way"
equal "bytes" "$(stat object_bytes_in)+$(stat object_bytes_out)" 0+0
