#!/bin/bash
# Credentials, endpoint and region from the environment, as the AWS CLI has them; what is wrong is said in a sentence.
. "$(dirname "$0")/lib.sh"
start_s3d --region=eu-central-1 --seed=src,prefix=x/,count=3,size=1
export AWS_REGION=eu-central-1

# ls STATUS PATTERN [NAME=VALUE ...]: `ferryfs ls` in that environment; PATTERN in what it prints or says.
ls_says() {
	local wanted=$1 pattern=$2
	shift 2
	env "$@" "$FERRYFS" ls -r --retries 0 s3://src/ >out 2>err
	equal "status with $*" $? "$wanted"
	cat out err | grep -qE -- "$pattern" || fail "with $*: '$pattern' is not in: $(cat out err)"
	! grep -qE 'testsecret|hidden' out err || fail "with $*: a secret was printed"
}

ls_says 0 'x/file000002'
equal "refused" "$(stat errors.list)" 0
ls_says 0 'x/file000000' -u AWS_REGION AWS_DEFAULT_REGION=eu-central-1
equal "refused with AWS_DEFAULT_REGION" "$(stat errors.list)" 0
ls_says 0 'x/file000000' AWS_ENDPOINT_URL=http://127.0.0.1:1 AWS_ENDPOINT_URL_S3="$ENDPOINT"
ls_says 1 'SignatureDoesNotMatch' AWS_SECRET_ACCESS_KEY=hidden
ls_says 1 'InvalidAccessKeyId' AWS_ACCESS_KEY_ID=nobody
ls_says 1 'AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not' -u AWS_SECRET_ACCESS_KEY
ls_says 1 'AWS_SECRET_ACCESS_KEY is set but AWS_ACCESS_KEY_ID is not' -u AWS_ACCESS_KEY_ID
ls_says 1 'No credentials found' -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY
ls_says 1 "can't be a credential" AWS_ACCESS_KEY_ID=$'a\nb'
ls_says 1 'endpoint URL is not one' AWS_ENDPOINT_URL=ftp://127.0.0.1
ls_says 1 'not a region' AWS_REGION='eu west'

# Wrong credentials cost one request a command, whatever it does.
admin POST reset >/dev/null
AWS_SECRET_ACCESS_KEY=hidden refuse "$FERRYFS" cp -r s3://src/x s3://src/y 2>err
equal "requests with a wrong secret" "$(stat total)" 1
