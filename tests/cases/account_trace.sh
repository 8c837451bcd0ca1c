#!/bin/bash
# No secret, signature or session token is in any log at any level, in a dump of the state (SIGUSR2) or in a status, whatever
# goes wrong.
. "$(dirname "$0")/lib.sh"
token=TokenTokenToken/1234567890abcdef+==
start_s3d --access-key=AKIDACCESS --secret-key=SecretSecret0123456789 --session-token="$token" --bucket=far@eu-west-1 \
	--seed=src,prefix=x/,count=10,size=10 --bucket=dst
export AWS_ACCESS_KEY_ID=AKIDACCESS AWS_SECRET_ACCESS_KEY=SecretSecret0123456789 AWS_SESSION_TOKEN=$token
trace() { "$FERRYFS" "$@" --log-level trace >>all.out 2>>all.err; }

trace cp -r s3://src/x s3://dst/y || fail "cp"
trace ls -r s3://far/ || fail "ls of another region"
AWS_SECRET_ACCESS_KEY=SecretWrong trace ls -r s3://src/ && fail "a wrong secret"
AWS_SESSION_TOKEN=TokenWrong trace ls -r s3://src/ && fail "a wrong token"
AWS_ACCESS_KEY_ID=AKIDACCESS_ trace ls -r s3://src/ && fail "a wrong key"
admin POST fault 'op=copy,nth=1,action=error200:InternalError' >/dev/null
admin POST fault 'op=copy,nth=2,action=reset' >/dev/null
trace mv -r s3://dst/y s3://dst/z || fail "mv through faults"
admin DELETE fault >/dev/null
mount_s3 m s3://dst -o log_level=trace
echo text >m/new || fail "write"
mv m/z m/y || fail "mv"
cat m/new >/dev/null || fail "read"
rm -r m/y || fail "rm"
kill -USR2 "$(daemon_of m)"
until_true 120 grep -q 'state: end' mount.log
"$FERRYFS" status m >>all.out 2>>all.err || fail "status"
"$FERRYFS" status --json m >>all.out 2>>all.err || fail "status --json"
# What the socket says to whoever may ask it, beyond what the commands show.
python3 - "$(ls "$FERRYFS_RUN_DIR"/*.sock)" >>all.out <<'PY' || fail "the socket"
import os, socket, sys
os.chdir(os.path.dirname(sys.argv[1]))
for op in (b"status", b"hello", b"views"):
    s = socket.socket(socket.AF_UNIX)
    s.connect(os.path.basename(sys.argv[1]))
    s.sendall(b'{"ferryfs":1,"op":"%s"}\n' % op)
    while data := s.recv(65536):
        print(data)
PY
# The process itself shows none either.
pid=$(pgrep -f "mount.*$WORK" | head -n 1)
[ -z "$pid" ] || ! tr '\0' '\n' <"/proc/$pid/cmdline" | grep -q Secret || fail "a secret is on a command line"
umount_s3 m
[ "$(wc -l <mount.log)" -ge 5 ] || fail "the trace log has only $(wc -l <mount.log) lines"
[ "$(grep -c trace: all.err)" -ge 20 ] || fail "too few trace lines: $(grep -c trace: all.err)"
for word in SecretSecret SecretWrong TokenToken TokenWrong Authorization: Credential= AWS4-HMAC Signature= StringToSign x-amz-security; do
	! grep -qi -- "$word" all.out all.err mount.log || fail "'$word' is in a log: $(grep -hi -m 1 -- "$word" all.out all.err mount.log)"
done
