#!/bin/bash
# A credentials file that others can read draws one warning, and is used.
. "$(dirname "$0")/lib.sh"
start_s3d --seed=src,prefix=x/,count=2,size=1
key=$AWS_ACCESS_KEY_ID secret=$AWS_SECRET_ACCESS_KEY
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
mkdir -p "$HOME/.aws"
printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$key" "$secret" >"$HOME/.aws/credentials"
for mode in 644 640 606 660; do
	chmod $mode "$HOME/.aws/credentials"
	"$FERRYFS" ls -r s3://src/ >out 2>err || fail "ls with mode $mode: $(<err)"
	equal "warnings with mode $mode" "$(grep -c "mode $mode.*chmod 600" err)" 1
	equal "lines with mode $mode" "$(wc -l <err)" 1
done
chmod 600 "$HOME/.aws/credentials"
"$FERRYFS" ls -r s3://src/ >out 2>err || fail "ls with mode 600"
[ ! -s err ] || fail "warned about mode 600: $(<err)"
chmod 644 "$HOME/.aws/credentials"
mount_s3 m s3://src 2>mount.err
cat mount.err mount.log >all.log 2>/dev/null
grep -q 'chmod 600' all.log || fail "the mount did not warn"
equal "the mount works" "$(echo m/x/*)" "m/x/file000000.txt m/x/file000001.txt"
umount_s3 m
