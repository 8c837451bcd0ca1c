#!/bin/bash
# TLS is verified: a self-signed server is refused unless its certificate is named; --no-verify-ssl takes any, and says so.
. "$(dirname "$0")/lib.sh"
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost \
	-addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>openssl.log || skip "openssl makes no certificate"
openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -days 2 -subj /CN=other 2>>openssl.log
start_s3d --tls-cert=cert.pem --tls-key=key.pem --seed=src,prefix=x/,count=3,size=1 --bucket=dst
export AWS_ENDPOINT_URL=https://127.0.0.1:$S3_PORT
ENDPOINT=$AWS_ENDPOINT_URL
echo cacert="$WORK/cert.pem" >"$HOME/.curlrc" # admin's
mkdir m

# says STATUS PATTERN COMMAND ...
says() {
	local wanted=$1 pattern=$2
	shift 2
	timeout 60 "$@" >out 2>err
	equal "status of $*" $? "$wanted"
	cat out err | grep -qiE -- "$pattern" || fail "$*: '$pattern' is not in: $(cat out err)"
}

says 1 'certificate' "$FERRYFS" ls -r s3://src/
says 1 'certificate' "$FERRYFS" ls -r --ca-bundle other.pem s3://src/
says 1 'CA bundle none.pem' "$FERRYFS" ls -r --ca-bundle none.pem s3://src/
says 1 'certificate' "$FERRYFS" mount s3://src m
! mountpoint -q m || fail "mounted without a certificate"
equal "requests before the certificate was trusted" "$(requests list)" 0

says 0 'x/file000002' "$FERRYFS" ls -r --ca-bundle cert.pem s3://src/
[ ! -s err ] || fail "said something: $(<err)"
says 0 'x/file000002' env AWS_CA_BUNDLE=cert.pem "$FERRYFS" ls -r s3://src/
mkdir -p "$HOME/.aws"
printf '[default]\nca_bundle = %s\n' "$WORK/cert.pem" >"$HOME/.aws/config"
says 0 'x/file000002' "$FERRYFS" ls -r s3://src/
rm "$HOME/.aws/config"
says 0 'warning.*verif' "$FERRYFS" ls -r --no-verify-ssl s3://src/
grep -q x/file000002 out || fail "--no-verify-ssl: $(<out)"

# the name in the certificate counts as well
says 0 'x/file000000' "$FERRYFS" ls -r --ca-bundle cert.pem --endpoint-url "https://localhost:$S3_PORT" s3://src/
says 1 'certificate|host name|subject' "$FERRYFS" ls -r --ca-bundle cert.pem --addressing virtual --endpoint-url "https://localhost:$S3_PORT" s3://src/

mount_s3 m s3://src -o "ca_bundle=$WORK/cert.pem"
equal "mounted" "$(ls m/x | wc -l)" 3
echo text >m/new || fail "write over TLS"
cp -r m/x m/y || fail "cp -r over TLS"
equal "copied" "$(keys src y/ | grep -vc '/$')" 3
umount_s3 m
: >mount.log
mount_s3 m s3://src -o no_verify_ssl 2>err
cat err mount.log | grep -qi 'verif' || fail "the mount did not warn"
equal "mounted without verification" "$(cat m/new)" text
umount_s3 m
