"""A proxy before an S3 server that can be as gone as a server whose machine went away: it closes its port and
every connection when the n-th request of a kind comes, without passing that on, and opens both again later."""
import re
import select
import socket
import threading
import time
import urllib.parse

BACK_S = 0.3  # how long a server is gone that comes back by itself


def kind_of(head):
    """The kind of request, by the names of the embedded server, from its head."""
    line, _, rest = head.partition(b"\r\n")
    words = line.decode("latin-1").split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/"):
        return None
    method, target = words[0], words[1]
    path, _, query = target.partition("?")
    names = set(urllib.parse.parse_qs(query, keep_blank_values=True))
    is_copy = re.search(rb"\r\nx-amz-copy-source:", b"\r\n" + rest, re.I) is not None
    is_key = path.count("/") > 1 and not path.endswith("/data/") and path != "/data"
    if method == "POST":
        return "deletes" if "delete" in names else "create-upload" if "uploads" in names else "complete"
    if method == "PUT" and "partNumber" in names:
        return "copy-part" if is_copy else "upload-part"
    if method == "PUT":
        return "copy" if is_copy else "put"
    if method == "DELETE":
        return "abort" if "uploadId" in names else "delete"
    if method == "HEAD":
        return "head"
    if "uploads" in names:
        return "list-uploads"
    if "tagging" in names:
        return "get-tagging"
    return "get" if is_key else "list"


def bound():
    """A socket bound for good: while it doesn't listen whoever connects is refused, and nobody else gets the port.
    Only of one that was asked for by number does Linux keep the port when listening ends."""
    for _ in range(100):
        with socket.socket() as any_port:
            any_port.bind(("127.0.0.1", 0))
            address = any_port.getsockname()
        found = socket.socket()
        # Connections that were accepted, or that linger, don't keep it from listening again.
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind(address)
            return found
        except OSError:
            found.close()
    raise OSError("no port")


class Proxy:
    def __init__(self, server_port):
        self.server_port = server_port
        self.lock = threading.Lock()
        self.pairs = set()
        self.kind, self.left, self.once, self.fired = None, 0, False, 0
        self.closed = False
        self.socket = bound()
        self.port = self.socket.getsockname()[1]
        self.listen()
        threading.Thread(target=self.run, daemon=True).start()

    def listen(self):
        self.socket.listen(256)
        self.listening = True

    def fall(self, kind, nth, once):
        """Be gone from the nth request of this kind on; once: come back soon."""
        with self.lock:
            self.kind, self.left, self.once, self.fired = kind, nth, once, 0

    def up(self):
        """Back; returns how many requests were met."""
        with self.lock:
            fired, self.kind = self.fired, None
            if not self.listening:
                self.listen()
        return fired

    def close(self):
        with self.lock:
            self.closed = True
            self.down()

    def down(self):
        # Linux: no longer listens, stays bound, and may listen again.
        if self.listening:
            self.socket.shutdown(socket.SHUT_RDWR)
        self.listening = False
        for pair in self.pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def meets(self, data):
        """Is this the request that the server is gone for?"""
        with self.lock:
            if self.kind is None or kind_of(data) != self.kind:
                return False
            self.left -= 1
            if self.left > 0:
                return False
            self.fired += 1
            if self.once:
                self.kind = None
                threading.Timer(BACK_S, self.come_back).start()
            self.down()
        return True

    def come_back(self):
        with self.lock:
            if not self.listening and not self.closed:
                self.listen()

    def run(self):
        self.socket.settimeout(0.1)
        while not self.closed:
            if not self.listening:
                time.sleep(0.02)
                continue
            try:
                ready, _, _ = select.select([self.socket], [], [], 0.1)
                client = self.socket.accept()[0] if ready else None
            except OSError:
                continue
            if client:
                threading.Thread(target=self.pass_on, args=(client,), daemon=True).start()

    def pass_on(self, client):
        try:
            server = socket.create_connection(("127.0.0.1", self.server_port))
        except OSError:
            client.close()
            return
        pair = (client, server)
        for end in pair:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.lock:
            self.pairs.add(pair)
        try:
            self.pump(client, server)
        except OSError:
            pass
        with self.lock:
            self.pairs.discard(pair)
        # A reset that came from one side goes on to the other: what was not read makes close send one.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
        server.close()

    def pump(self, client, server):
        while True:
            ready, _, _ = select.select([client, server], [], [])
            if server in ready:
                data = server.recv(1 << 18)
                if not data:
                    client.shutdown(socket.SHUT_WR)
                    return
                client.sendall(data)
            if client in ready:
                data = client.recv(1 << 18)
                if not data or self.meets(data):
                    return
                server.sendall(data)
