#!/bin/bash
# A redirect to another host is not followed: nothing of a request, least of all its credentials, goes there.
. "$(dirname "$0")/lib.sh"
cat >redirect.py <<'EOT'
"""Two servers: one answers everything with a redirect to the other, which writes down what it is asked."""
import http.server, sys, threading

seen, status = sys.argv[1], int(sys.argv[2])


class Other(http.server.BaseHTTPRequestHandler):
    def handle_one_request(self):
        self.raw_requestline = self.rfile.readline(65537)
        with open(seen, 'ab') as file:
            file.write(self.raw_requestline)
        self.close_connection = True


class First(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def answer(self):
        host = '127.0.0.1:%d' % other.server_port
        body = ('<?xml version="1.0"?><Error><Code>PermanentRedirect</Code><Message>go</Message><Region>%s/?</Region>'
                '<Endpoint>%s</Endpoint></Error>' % (host, host)).encode()
        self.send_response(status)
        self.send_header('Location', 'http://%s%s' % (host, self.path))
        self.send_header('x-amz-bucket-region', host + '/')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer

    def log_message(self, *args):
        pass


other = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Other)
first = http.server.ThreadingHTTPServer(('127.0.0.1', 0), First)
threading.Thread(target=other.serve_forever, daemon=True).start()
with open(sys.argv[3] + '.new', 'w') as file:
    file.write(str(first.server_port))
import os
os.rename(sys.argv[3] + '.new', sys.argv[3])
first.serve_forever()
EOT
: >seen.log
mkdir m
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=testsecret AWS_REGION=us-east-1
for status in 301 302 307 308; do
	python3 redirect.py seen.log $status port.$status &
	S3D_PIDS+=($!)
	until_true 120 test -s port.$status
	export AWS_ENDPOINT_URL=http://127.0.0.1:$(<port.$status)
	for style in path auto; do
		refuse timeout 60 "$FERRYFS" ls -r --addressing $style s3://bucket/ >out 2>err
		[ -s err ] || fail "ls said nothing about a $status"
	done
	refuse timeout 60 "$FERRYFS" cp --quiet s3://bucket/a s3://bucket/b >out 2>err
	refuse timeout 60 "$FERRYFS" mount s3://bucket m >out 2>err
	[ -s err ] || fail "mount said nothing about a $status"
	! mountpoint -q m || fail "mounted at a server that redirects"
done
[ ! -s seen.log ] || fail "the other host was asked: $(<seen.log)"
