#!/bin/bash
# Profiles of ~/.aws: keys, region, endpoint_url and services sections; which of option, environment and file wins.
. "$(dirname "$0")/lib.sh"
start_s3d --region=eu-central-1 --key2=second:secondsecret:denied --seed=src,prefix=x/,count=2,size=1 --seed=denied,count=1
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION AWS_ENDPOINT_URL
mkdir -p "$HOME/.aws"
cat >"$HOME/.aws/credentials" <<EOT
[default]
aws_access_key_id = test
aws_secret_access_key = testsecret
; the other account
[second]
aws_access_key_id=second
aws_secret_access_key=secondsecret
[half]
aws_access_key_id = test
EOT
chmod 600 "$HOME/.aws/credentials"
cat >"$HOME/.aws/config" <<EOT
[default]
region = eu-central-1   # where the server says it is
endpoint_url = $ENDPOINT
[profile second]
region = eu-central-1
endpoint_url = http://127.0.0.1:1
services = mine
[profile mine only]
region = eu-central-1
endpoint_url = $ENDPOINT
aws_access_key_id = test
aws_secret_access_key = testsecret
[profile half]
endpoint_url = $ENDPOINT
[profile role]
role_arn = arn:aws:iam::1:role/x
source_profile = default
[services mine]
ec2 =
    endpoint_url = http://127.0.0.1:2
s3 =
    endpoint_url = $ENDPOINT
    addressing_style = path
EOT

# says STATUS PATTERN COMMAND ...
says() {
	local wanted=$1 pattern=$2
	shift 2
	"$@" >out 2>err
	equal "status of $*" $? "$wanted"
	cat out err | grep -qE -- "$pattern" || fail "$*: '$pattern' is not in: $(cat out err)"
}

says 0 'x/file000001' "$FERRYFS" ls -r s3://src/
equal "refused for their region" "$(stat errors.list)" 0
[ ! -s err ] || fail "warned: $(<err)"
says 0 'file000000' "$FERRYFS" ls -r s3://denied/
# the second account may not list that bucket: so it is seen which keys were used
says 1 'AccessDenied' "$FERRYFS" ls -r --profile second s3://denied/
says 1 'AccessDenied' env AWS_PROFILE=second "$FERRYFS" ls -r s3://denied/
says 1 'AccessDenied' env AWS_DEFAULT_PROFILE=second "$FERRYFS" ls -r s3://denied/
says 0 'file000000' env AWS_PROFILE=second "$FERRYFS" ls -r --profile default s3://denied/
says 0 'file000000' "$FERRYFS" ls -r --profile 'mine only' s3://denied/
# keys of the environment win over AWS_PROFILE's, not over those of --profile
says 0 'file000000' env AWS_PROFILE=second AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=testsecret "$FERRYFS" ls -r s3://denied/
says 1 'AccessDenied' env AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=testsecret "$FERRYFS" ls -r --profile second s3://denied/
# an option wins over the file
says 1 '127.0.0.1|refused|connect' "$FERRYFS" ls -r --retries 0 --endpoint-url http://127.0.0.1:1 s3://src/

says 1 'no profile none' "$FERRYFS" ls --profile none s3://src/
says 1 'only one of aws_access_key_id and aws_secret_access_key' "$FERRYFS" ls --profile half s3://src/
says 1 'assumes a role \(role_arn\)' "$FERRYFS" ls --profile role s3://src/

# the files elsewhere
mv "$HOME/.aws" "$WORK/elsewhere"
says 1 'No credentials found' "$FERRYFS" ls --endpoint-url "$ENDPOINT" s3://src/
says 0 'x/file000001' env AWS_SHARED_CREDENTIALS_FILE="$WORK/elsewhere/credentials" AWS_CONFIG_FILE="$WORK/elsewhere/config" \
	"$FERRYFS" ls -r s3://src/
mv "$WORK/elsewhere" "$HOME/.aws"

# a mount
mount_s3 m s3://src -o profile=second
equal "a mount with a profile" "$(echo m/x/*)" "m/x/file000000.txt m/x/file000001.txt"
umount_s3 m

# a line that is not understood is named, without its text
echo 'hidden words' >>"$HOME/.aws/credentials"
says 1 "credentials, line $(wc -l <"$HOME/.aws/credentials"): not understood" "$FERRYFS" ls s3://src/
! grep -q hidden out err || fail "the line was printed"
