#!/bin/bash
# Credentials that expire, or are replaced, in the middle of the work are read anew from their file; nothing fails.
. "$(dirname "$0")/lib.sh"
start_s3d --session-token=one --seed=src,prefix=x/,count=600,size=10 --bucket=dst
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
mkdir -p "$HOME/.aws"
write_file() {
	printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n' "$@" >"$HOME/.aws/new"
	chmod 600 "$HOME/.aws/new"
	mv "$HOME/.aws/new" "$HOME/.aws/credentials"
}
# change KEY SECRET TOKEN EXPIRED: what the file says from now on, and the server accepts
change() {
	write_file "$1" "$2" "$3"
	admin POST "set?access-key=$1&secret-key=$2&session-token=$3&expired-token=$4" >/dev/null
}
copied() { [ "$(requests copy)" -ge "$1" ]; }

# expired: the server says ExpiredToken to the old one
write_file test testsecret one
admin POST 'set?latency.copy=20' >/dev/null
"$FERRYFS" cp -r --quiet --inflight 8 s3://src/x s3://dst/y 2>cp.log &
pid=$!
until_true 120 copied 100
change test testsecret two one
wait $pid || fail "cp with a token that expired: $(<cp.log)"
equal "copied" "$(keys dst y/ | wc -l)" 600
[ "$(stat errors.copy.400)" -ge 1 ] || fail "no request was refused: the token did not expire in the middle"
[ "$(stat errors.copy.400)" -le 16 ] || fail "$(stat errors.copy.400) requests were refused"

# A mount: expired while it is idle, then a key replaced by another.
admin POST 'set?latency.copy=0' >/dev/null
mount_s3 m s3://dst
equal "entries" "$(ls m/y | wc -l)" 600
change test testsecret three two
echo text >m/after || fail "write after the token expired"
mv m/y m/z || fail "mv after the token expired"
equal "moved" "$(keys dst z/ | wc -l)" 600
# Renewals are some seconds apart.
pause=$((SECONDS + 6))
until_true 120 eval "[ \$SECONDS -ge $pause ]"
change key2 secret2 four none
equal "read after the key was replaced" "$(cat m/after)" text
rm -r m/z || fail "rm -r after the key was replaced"
equal "left" "$(keys dst)" after
umount_s3 m

# Still the expired ones in the file: an error that names it, not a loop.
admin POST 'set?expired-token=four' >/dev/null
admin POST reset >/dev/null
refuse "$FERRYFS" ls -r s3://dst/ >out 2>err
grep -q ExpiredToken err || fail "expired and not renewed: $(<err)"
[ "$(stat total)" -le 2 ] || fail "$(stat total) requests with expired credentials"
