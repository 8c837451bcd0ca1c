#!/bin/bash
# Options of a mount that show: ro, the source in findmnt, a prefix as root, both spellings, a log file, commas.
. "$(dirname "$0")/lib.sh"
any_server "what a mount shows"

start_s3d --seed=alpha,prefix=deep/er/,count=4,size=3

mount_s3 m s3://alpha/deep -o ro,noatime,_netdev,x-systemd.automount
equal "root of a prefix" "$(ls m)" er
if [ "$(id -u)" = 0 ]; then
	equal "source" "$(findmnt -no SOURCE m)" "ferryfs[/127.0.0.1:$S3_PORT-$AWS_ACCESS_KEY_ID/alpha/deep]"
else
	equal "source" "$(findmnt -no SOURCE m)" s3://alpha/deep
fi
equal "type" "$(findmnt -no FSTYPE m)" fuse.ferryfs
for word in ro nosuid nodev noatime; do
	findmnt -no OPTIONS m | tr , '\n' | grep -qx $word || fail "options: $(findmnt -no OPTIONS m) lack $word"
done
refuse touch m/new 2>err.log
grep -q "Read-only" err.log || fail "touch said: $(<err.log)"
refuse chmod 600 m/er 2>/dev/null
refuse rm -r m/er 2>/dev/null
equal "nothing changed" "$(keys alpha | wc -l)" 4
umount_s3 m

# an endpoint in the options wins over the environment's; credentials by profile
mkdir -p "$HOME/.aws"
printf '[one]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" >"$HOME/.aws/credentials"
(
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	export AWS_ENDPOINT_URL=http://127.0.0.1:1
	mkdir -m 0700 "$WORK/a,b"
	"$FERRYFS" mount --profile one --endpoint-url "$ENDPOINT" -o "log_level=info,log_file=$WORK/a\\,b/log" s3://alpha m
) || fail "mount by profile"
MOUNTS+=("$WORK/m")
equal "by profile" "$(find m -type f | wc -l)" 4
grep -q "mounted s3://alpha" "$WORK/a,b/log" || fail "log file: $(ls -l "$WORK/a,b")"
equal "log file's mode" "$(command stat -c %a "$WORK/a,b/log")" 600
umount_s3 m

# without allow_other nobody else sees it, with it they do
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 711 "$WORK"
	as_other() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
	mkdir -m 0700 "$WORK/staging"
	mkdir -p m
	"$FERRYFS" mount -o "staging=$WORK/staging" s3://alpha m || fail mount
	refuse as_other ls m >/dev/null 2>&1
	umount_s3 m
	"$FERRYFS" mount -o "staging=$WORK/staging,allow_other" s3://alpha m || fail mount
	as_other ls m >/dev/null || fail "allow_other"
	umount_s3 m
	"$FERRYFS" mount -o "staging=$WORK/staging,allow_other,umask=077" s3://alpha m || fail mount
	refuse as_other ls m >/dev/null 2>&1
	umount_s3 m
fi
