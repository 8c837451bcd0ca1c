#!/bin/bash
# A session token of 2,000 bytes reaches the server whole, from the environment and from a file.
. "$(dirname "$0")/lib.sh"
token=$(head -c 1500 /dev/zero | tr '\0' 'x' | base64 -w0)
token=${token:0:1996}/+==
equal "length of the token" ${#token} 2000
start_s3d --session-token="$token" --seed=src,prefix=x/,count=20,size=10 --bucket=dst

refuse "$FERRYFS" ls -r s3://src/ >out 2>err
grep -q InvalidAccessKeyId err || fail "without the token: $(<err)"
AWS_SESSION_TOKEN=${token%=} refuse "$FERRYFS" ls -r s3://src/ >out 2>err
grep -q InvalidToken err || fail "with a cut token: $(<err)"
export AWS_SESSION_TOKEN=$token
"$FERRYFS" cp -r --quiet s3://src/x s3://dst/env || fail "cp with the token in the environment"
unset AWS_SESSION_TOKEN AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
mkdir -p "$HOME/.aws"
cat >"$HOME/.aws/credentials" <<EOT
[default]
aws_access_key_id = test
aws_secret_access_key = testsecret
aws_session_token = $token
EOT
chmod 600 "$HOME/.aws/credentials"
"$FERRYFS" cp -r --quiet s3://src/x s3://dst/file || fail "cp with the token in a file"
equal "copies" "$(keys dst | wc -l)" 40
mount_s3 m s3://dst
echo text >m/new || fail "write"
mv m/env m/moved || fail "mv"
equal "read" "$(cat m/new; ls m/moved | wc -l)" "text
20"
umount_s3 m
! grep -qF "${token:100:100}" ./*.log out err || fail "the token is in a log"
