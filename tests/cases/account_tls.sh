#!/bin/bash
# TLS is verified: a self-signed server is refused unless its certificate is named; --no-verify-ssl takes any, and says so; TLS
# before 1.2 is spoken with none.
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

# A server that has only older versions: the libraries as they are set up here would speak them, as curl shows.
cat >old.cnf <<'CNF'
openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = old
[old]
MinProtocol = TLSv1
CipherString = ALL:@SECLEVEL=0
CNF
for version in tls1 tls1_1 tls1_2; do
	: >"$version.log"
	openssl s_server -accept 127.0.0.1:0 -cert cert.pem -key key.pem -www -$version -cipher ALL:@SECLEVEL=0 >"$version.log" 2>&1 &
	S3D_PIDS+=($!)
	until_true 120 eval "grep -q ^ACCEPT $version.log || ! kill -0 $! 2>/dev/null"
	port=$(sed -n 's/^ACCEPT.*:\([0-9]*\)$/\1/p' "$version.log")
	OPENSSL_CONF=$WORK/old.cnf curl -sk "https://127.0.0.1:$port/" >old.out || continue # this openssl has it no more
	refuse env OPENSSL_CONF="$WORK/old.cnf" "$FERRYFS" ls -r --retries 0 --no-verify-ssl --endpoint-url "https://127.0.0.1:$port" s3://src/ >out 2>err
	case $version in
	tls1_2) grep -q 'makes no sense' err || fail "TLS 1.2 is refused: $(<err)" ;;
	*) ! grep -q 'makes no sense' err && grep -q 'unsupported protocol' "$version.log" || fail "$version is spoken: $(<err)" ;;
	esac
	tried="${tried:-} $version"
done
equal "tried" "${tried:-}" " tls1 tls1_1 tls1_2"
