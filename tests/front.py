"""A front before an S3 server that bends what it answers: front.py SERVER-PORT RULES PORT-FILE.

RULES is a Python file that may define
    before(method, path, query, headers, body)           an answer (status, [(name, value)], bytes), or None to pass on
    after(method, path, query, status, headers, body)    the server's answer, bent; a header whose value is None goes
`error(status, code, message)` makes an S3 error.  A header is sent byte for byte as it is given."""
import http.client
import http.server
import os
import sys


def error(status, code, message=""):
    text = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{message}</Message><RequestId>R1</RequestId></Error>'
    return status, [("Content-Type", "application/xml")], text.encode()


rules = {"error": error, "before": lambda *request: None, "after": lambda m, p, q, *answer: answer}
with open(sys.argv[2]) as file:
    exec(file.read(), rules)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def pass_on(self, path, query, body):
        server = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
        server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("connection", "expect"):
                server.putheader(name, value)
        server.endheaders(body or None)
        got = server.getresponse()
        headers = [(n, v) for n, v in got.getheaders() if n.lower() not in ("connection", "transfer-encoding")]
        answer = rules["after"](self.command, path, query, got.status, headers, got.read())
        server.close()
        return answer

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        answer = rules["before"](self.command, path, query, self.headers, body)
        status, headers, data = answer or self.pass_on(path, query, body)
        head = self.command == "HEAD"
        lines = [f"HTTP/1.1 {status} X"]
        lines += [f"{n}: {v}" for n, v in headers if v is not None and (head or n.lower() != "content-length")]
        if not head:
            lines.append(f"Content-Length: {len(data)}")
        elif "content-length" not in {n.lower() for n, v in headers}:
            lines.append("Content-Length: 0")
        # In one piece: a second small one would wait for the first one's acknowledgement, 40 ms each time.
        self.wfile.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (b"" if head else data))

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512


server = Server(("127.0.0.1", 0), Handler)
with open(sys.argv[3] + ".new", "w") as file:
    file.write(str(server.server_address[1]))
os.rename(sys.argv[3] + ".new", sys.argv[3])
server.serve_forever()
