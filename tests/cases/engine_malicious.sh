#!/bin/bash
# Answers that no honest server gives (without end, of 10 GB, in drops, keys that climb out of their place, entities that grow):
# each is refused in bounded time and memory, by commands and by a mount, and nothing is written outside.
. "$(dirname "$0")/lib.sh"
cat >evil.py <<'PY'
"""evil.py PORTFILE: the bucket's name says what is answered."""
import http.server, os, sys, time

HEAD = '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><IsTruncated>false</IsTruncated>'
KEY = ('<Contents><Key>%s</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified><ETag>&quot;0123&quot;</ETag><Size>7</Size>'
       '<StorageClass>STANDARD</StorageClass></Contents>')
OBJECT = (('ETag', '"0123"'), ('Last-Modified', 'Mon, 01 Jan 2024 00:00:00 GMT'))
MB = b'x' * (1 << 20)


class Evil(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def answer(self):
        bucket = self.path.split('/')[1].split('?')[0]
        try:
            getattr(self, bucket.replace('-', '_'))()
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.close_connection = True

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer

    def start(self, status=200, length=None, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if length is not None:
            self.send_header('Content-Length', str(length))
        self.end_headers()

    def whole(self, text, headers=()):
        self.start(length=len(text), headers=headers)
        if self.command != 'HEAD':
            self.wfile.write(text.encode())

    def endless(self, first, more, status=200, length=None, pause=0):
        self.start(status, length)
        self.wfile.write(first.encode())
        while True:
            self.wfile.write(more)
            time.sleep(pause)

    def endless_list(self):
        self.endless(HEAD, (KEY % 'key').encode() * 1000, length=10 << 30)

    def endless_key(self):
        self.endless(HEAD + '<Contents><Key>', MB)

    def endless_space(self):
        self.endless('', b' ' * 65536)

    def endless_error(self):
        self.endless('<Error><Code>AccessDenied</Code><Message>', MB, status=403)

    def endless_page(self):
        self.endless('<html>', MB, status=502)

    def endless_depth(self):
        self.endless('', b'<a>' * 100000)

    def endless_header(self):
        self.wfile.write(b'HTTP/1.1 200 OK\r\nx-a: ')
        while True:
            self.wfile.write(MB)

    def endless_headers(self):
        self.wfile.write(b'HTTP/1.1 200 OK\r\n')
        while True:
            self.wfile.write(b'x-amz-meta-a: b\r\n' * 10000)

    def drops(self):
        self.endless(HEAD, b' ', pause=0.1)

    def drops_error(self):
        self.endless('', b' ', status=500, pause=0.1)

    def entities(self):
        levels = ''.join('<!ENTITY a%d "%s">' % (i + 1, '&a%d;' % i * 10) for i in range(12))
        self.whole('<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "aaaaaaaaaa">%s]>%s%s</ListBucketResult>'
                   % (levels, HEAD, KEY % '&a12;'))

    def same_token(self):
        self.whole(HEAD.replace('false', 'true') + KEY % 'a' + '<NextContinuationToken>again</NextContinuationToken></ListBucketResult>')

    def long_key(self):
        self.whole(HEAD + KEY % ('y' * 2000) + '</ListBucketResult>')

    def other_prefix(self):
        self.whole(HEAD + KEY % 'elsewhere/x' + '</ListBucketResult>')

    def names(self):
        keys = ['..', '.', '../../evil', '/evil', 'd/../../evil', 'nul%00x', 'ok', 'x' * 300]
        tops = sorted({key.split('/')[0] + '/' for key in keys if '/' in key})
        if 'delimiter=' in self.path:
            keys = [key for key in keys if '/' not in key]
        else:
            tops = []
        if self.command != 'GET' or 'list-type' not in self.path or 'prefix=' in self.path:
            self.whole('' if self.command == 'HEAD' else HEAD + '</ListBucketResult>', OBJECT)
            return
        self.whole(HEAD + ''.join(KEY % key for key in keys) +
                   ''.join('<CommonPrefixes><Prefix>%s</Prefix></CommonPrefixes>' % top for top in tops) +
                   '<EncodingType>url</EncodingType></ListBucketResult>')

    def file(self):
        if self.command == 'HEAD':
            self.start(length=7, headers=OBJECT)
        elif 'list-type' in self.path:
            self.whole(HEAD + KEY % 'x' + '</ListBucketResult>')
        else:
            self.start(headers=OBJECT)
            while self.command == 'GET':
                self.wfile.write(MB)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Evil)
server.daemon_threads = True
with open(sys.argv[1] + '.new', 'w') as out:
    out.write(str(server.server_port))
os.rename(sys.argv[1] + '.new', sys.argv[1])
server.serve_forever()
PY
python3 evil.py port 2>server.log &
S3D_PIDS+=($!)
until_true 120 test -s port
export AWS_ENDPOINT_URL=http://127.0.0.1:$(<port) AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=testsecret AWS_REGION=us-east-1

# Runs a command that must fail by itself; its peak of memory is written to `peak`, in KiB.
cat >peak.py <<'PY'
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], timeout=100).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=open('peak', 'w'))
sys.exit(status)
PY
for what in endless-list endless-key endless-space endless-error endless-page endless-depth endless-header endless-headers drops \
	drops-error entities same-token long-key; do
	refuse python3 peak.py "$FERRYFS" ls -r --retries 0 --timeout 1 "s3://$what/" >out 2>err
	grep -q "^ferryfs ls: s3://$what/: " err || fail "ls of $what said: $(<err)"
	[ -n "${SANITIZED:-}" ] || [ "$(<peak)" -lt 60000 ] || fail "ls of $what took $(<peak) KiB"
done
refuse "$FERRYFS" ls -r --retries 0 s3://other-prefix/mine/ >out 2>err
equal "keys of another prefix" "$(<out)" ""
refuse "$FERRYFS" rm -r --quiet --retries 0 s3://other-prefix/mine/ 2>err

# Names that climb are shown as the keys they are, or not at all; nothing is made of them outside.
mkdir -p below/here
mount_s3 below/here/m s3://names -o retries=0,timeout=1
equal "names" "$(ls below/here/m | tr '\n' ' ')" "d ok "
cp below/here/m/* below/here 2>/dev/null
ls -lR below/here/m >/dev/null 2>&1
[ "$(grep -c 'not shown' mount.log)" -ge 3 ] || fail "not said: $(<mount.log)"
umount_s3 below/here/m
equal "outside" "$(ls below; ls / "$WORK" | grep evil)" "here
evil.py"

# An object that goes on behind its end.
mount_s3 m s3://file -o retries=0,timeout=1
pid=$(daemon_of m)
refuse cat m/x >out 2>err
[ "$(command stat -c %s out)" -le 7 ] || fail "more than the object: $(command stat -c %s out)"
refuse bash -c 'printf more >>m/x' 2>err
[ -n "${SANITIZED:-}" ] || [ "$(awk '/VmHWM/ {print $2}' "/proc/$pid/status")" -lt 60000 ] || fail "the mount took too much memory"
umount_s3 m
