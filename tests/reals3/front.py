#!/usr/bin/env python3
"""Stands before a real S3 server and takes the embedded server's place (tests/s3d) in a case: requests go through byte
for byte, signatures included, and are counted; /_s3d/ answers as the embedded server's admin endpoint does, through
requests of its own; faults, hooks and latency happen here.  What a real server can't be told to do ends the front with
status 77 (an option) or is answered 501 (an admin request), and the case is skipped with the reason.

    front.py --port 0 --port-file FILE [--bucket NAME] [--seed SPEC] [--latency [OP=]MS] [--fault SPEC] ...

FERRYFS_REAL is rgw or swift; FERRYFS_REAL_ENDPOINT the server; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY an account of
it that holds nothing yet (`tests/reals3.sh NAME account`).
"""
import asyncio
import ctypes
import getopt
import json
import os
import re
import signal
import socket
import struct
import sys
from collections import Counter, defaultdict
from html import unescape
from urllib.parse import urlsplit

import trouble
import wire
from client import Client, Refused
from inspect_real import Inspector

# Objects that one seed may make before a case takes longer than it is worth.
MOST = {'rgw': 25000, 'swift': 1600}
OPTIONS = ['port=', 'port-file=', 'with-parent', 'bucket=', 'seed=', 'latency=', 'fault=']
# A real server enforces what it enforces: a case that tries it both ways runs twice on what is there.
GIVEN = ['conditional-copy', 'conditional-delete', 'conditional-put', 'strict-deletes', 'strict-parts']
OPTIONS += ['no-' + name for name in GIVEN[:3]] + GIVEN[3:]


class Stats:
    def __init__(self):
        self.now, self.waiting = Counter(), 0
        self.reset()

    def reset(self):
        self.requests, self.peak, self.errors = Counter(), Counter(self.now), defaultdict(Counter)
        self.bytes_in = self.bytes_out = 0
        self.flight_peak = sum(self.now.values())

    def begin(self, op):
        self.requests[op] += 1
        self.now[op] += 1
        self.peak[op] = max(self.peak[op], self.now[op])
        self.flight_peak = max(self.flight_peak, sum(self.now.values()))

    def end(self, op, status):
        self.now[op] -= 1
        if not 200 <= status < 300:
            self.errors[op][str(status)] += 1

    def json(self, uploads):
        return json.dumps({
            'total': sum(self.requests.values()), 'requests': self.requests, 'errors': self.errors, 'peak': self.peak,
            'now': +self.now, 'in_flight': sum(self.now.values()), 'in_flight_peak': self.flight_peak, 'suspended': self.waiting,
            'object_bytes_in': self.bytes_in, 'object_bytes_out': self.bytes_out, 'open_uploads': uploads})


class Cut(Exception):
    """The client's connection is to end without more of an answer."""


def cut(writer):
    """Ends it with RST, as a server that crashed."""
    try:
        writer.get_extra_info('socket').setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    except OSError:
        pass  # the client ended it before
    writer.transport.abort()


def error_answer(method, status, document):
    head = 'HTTP/1.1 %s Fault\r\nContent-Type: application/xml\r\nContent-Length: %d\r\nx-amz-request-id: front\r\n\r\n' % (
        status, len(document))
    return head.encode() + (b'' if method == 'HEAD' else document)


class Request:
    def __init__(self, head):
        self.head = head
        self.method, target = head.first[0], head.first[1]
        self.bucket, self.key, self.params = wire.split_target(target)
        self.op = wire.op_of(self.method, self.bucket, self.key, self.params, head.fields)
        self.unread = False  # it was answered before its body had come


class Front:
    def __init__(self, endpoint, most):
        self.host, self.port = endpoint.hostname, endpoint.port
        self.client = Client(self.host, self.port, os.environ['AWS_ACCESS_KEY_ID'], os.environ['AWS_SECRET_ACCESS_KEY'])
        self.inspector = Inspector(self.client, most)
        self.stats, self.trouble, self.latency = Stats(), trouble.Trouble(), {}
        self.buckets = set()
        self.released = asyncio.Event()

    # ---- what is asked about the server ----

    async def admin(self, method, path, params, body):
        """The answer's text, None for 404."""
        what = (method, path.removeprefix('/_s3d/'))
        if what == ('GET', 'stats'):
            return self.stats.json(len(json.loads(await self.inspector.uploads(self.buckets))))
        if what == ('GET', 'uploads'):
            return await self.inspector.uploads(self.buckets)
        if what[1] in ('fault', 'hook'):
            return self.change_trouble(*what, body.decode('latin-1').splitlines())
        if what == ('POST', 'set'):
            return self.set(params)
        if what == ('POST', 'reset'):
            return self.stats.reset() or 'ok\n'
        if what == ('POST', 'seed'):
            self.buckets.add(params['bucket'].decode())
            return await self.inspector.seed(params, params.get('meta*', ()))
        actions = {('POST', 'sparse'): 'sparse', ('POST', 'overwrite'): 'overwrite', ('DELETE', 'object'): 'remove',
                   ('GET', 'object'): 'object', ('GET', 'keys'): 'keys'}
        if what in actions:
            return await getattr(self.inspector, actions[what])(params)
        raise trouble.Unsupported('%s %s' % what)

    def change_trouble(self, method, kind, lines):
        if method == 'POST':
            for line in lines:
                if kind == 'fault':
                    self.trouble.faults.append(trouble.Fault(line))
                else:
                    self.trouble.hooks.append(trouble.Hook(line))
            return 'ok\n'
        known = json.dumps([{'spec': f.spec, 'seen': f.seen, 'fired': f.fired} for f in self.trouble.faults])
        if method == 'DELETE' and kind == 'hook':
            self.trouble.hooks = []
        elif method == 'DELETE':
            self.trouble.faults = []
            self.released.set()
            self.released = asyncio.Event()
        return known

    def set(self, params):
        for name, value in params.items():
            base, _, op = name.partition('.')
            if name in GIVEN or name == 'meta*':
                continue
            if base != 'latency':
                raise trouble.Unsupported('the switch %s' % name)
            self.latency[op or 'any'] = int(value) / 1000
        return 'ok\n'

    async def serve_admin(self, reader, writer, head):
        _, _, params = wire.split_target(head.first[1])
        # meta= may come more than once
        params['meta*'] = [wire.split_target('/?' + item)[2]['meta'] for item in
                           head.first[1].partition('?')[2].split('&') if item.startswith('meta=')]
        body = await reader.readexactly(head.length())
        status, text = 200, None
        try:
            text = await self.admin(head.first[0], head.first[1].partition('?')[0], params, body)
            if text is None:
                status, text = 404, 'no such object\n'
        except trouble.Unsupported as e:
            status, text = 501, 'not on a real server: %s\n' % e
        except Refused as e:
            status, text = 404 if e.status == 404 else 502, 'the server says %s\n' % e
        except (KeyError, ValueError) as e:
            status, text = 400, "can't be understood: %r\n" % e
        data = text.encode()
        writer.write(b'HTTP/1.1 %d Admin\r\nContent-Length: %d\r\n\r\n' % (status, len(data)) + data)
        await writer.drain()

    # ---- what passes through ----

    async def pause(self, op):
        wait = next((self.latency[name] for name in (op, *('read' if op in wire.READS else 'write', 'any')) if name in self.latency), 0)
        if wait:
            self.stats.waiting += 1
            await asyncio.sleep(wait)
            self.stats.waiting -= 1

    async def stall(self, fault):
        self.stats.waiting += 1
        try:
            await asyncio.wait_for(self.released.wait(), int(fault.argument) / 1000 if fault.argument else None)
        except asyncio.TimeoutError:
            pass
        self.stats.waiting -= 1
        raise Cut()

    async def pump(self, request, reader, upstream):
        left = request.head.length()
        while left:
            piece = await reader.read(min(left, wire.PIECE))
            if not piece:
                raise ConnectionResetError('the client is gone')
            left -= len(piece)
            upstream.write(piece)
            await upstream.drain()
            if request.op in ('put', 'upload-part'):
                self.stats.bytes_in += len(piece)

    async def answer(self, request, connection, writer):
        """The final answer's head, after the provisional ones went through."""
        while True:
            head = await wire.read_head(connection[0])
            if head is None:
                raise ConnectionResetError('the server closed')
            if not head.first[1].startswith('1'):
                return head
            writer.write(head.raw)

    async def forward(self, request, reader, writer, connection):
        """(head, body) of the answer; body None when it went to the client already, piece by piece."""
        connection[1].write(request.head.raw)
        pump = asyncio.create_task(self.pump(request, reader, connection[1]))
        try:
            head = await self.answer(request, connection, writer)
            if request.op != 'get':
                body = await wire.read_body(connection[0], head, request.method)
            else:
                async def sink(piece):
                    self.stats.bytes_out += len(piece)
                    writer.write(piece)
                    await writer.drain()
                writer.write(head.raw)
                await wire.read_body(connection[0], head, request.method, sink)
                body = None
            request.unread = not pump.done()
            return head, body
        finally:
            if not pump.done():
                pump.cancel()
            elif not pump.cancelled():
                pump.exception()

    async def without_some(self, request, reader):
        """A DeleteObjects some of whose keys meet a fault: those are answered here, the others asked in a request of our own."""
        body = await reader.readexactly(request.head.length())
        errors, before = b'', [(f, f.seen, f.fired) for f in self.trouble.faults]
        for item in re.findall(rb'<Object>.*?</Object>', body, re.S):
            raw = re.search(rb'<Key>(.*?)</Key>', item, re.S).group(1)
            fault = self.trouble.decide('deletes-key', request.bucket, unescape(raw.decode('latin-1')).encode('latin-1'))
            if fault:
                body = body.replace(item, b'')
                code = fault.argument or trouble.CODES.get(fault.action, 'Error')
                errors += b'<Error><Key>%s</Key><Code>%s</Code><Message>a fault</Message></Error>' % (raw, code.encode())
        result = b'<DeleteResult></DeleteResult>'
        if b'<Object>' in body:
            status, result = await self.client.deletes(request.bucket, body)
            if status != 200:  # refused as a whole: no key of it was looked at
                for fault, seen, fired in before:
                    fault.seen, fault.fired = seen, fired
                return error_answer('POST', str(status), result)
        return error_answer('POST', 200, result.replace(b'</DeleteResult>', errors + b'</DeleteResult>'))

    async def spoiled(self, fault, head, body, writer):
        """An answer on its way to the client, spoiled."""
        if fault.action == 'reset-after':
            raise Cut()
        if fault.action == 'stall-after':
            await self.stall(fault)
        elif fault.action == 'garbage':
            writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n' + os.urandom(64))
        else:  # truncate, length: both say more than comes
            body = wire.plain(head, body or b'') or b'x'
            sent = body[:len(body) // 2] if fault.action == 'truncate' else body
            writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % (len(body) + 10) + sent)
            await writer.drain()
            writer.close()
            raise Cut()
        return 200

    async def serve(self, request, reader, writer, state):
        """One S3 request; its status."""
        # As at the embedded server, the key of a listing is its prefix.
        key = (request.params.get('prefix') or b'') if request.op == 'list' else request.key
        fault = self.trouble.decide(request.op, request.bucket, key)
        if fault and fault.action == 'reset':
            raise Cut()
        await self.pause(request.op)
        if fault and fault.action == 'stall':
            await self.stall(fault)
        if fault and (fault.action.isdigit() or fault.action == 'error200'):
            await reader.readexactly(request.head.length())
            status = '200' if fault.action == 'error200' else fault.action
            code = fault.argument or ('InternalError' if status == '200' else '')
            writer.write(error_answer(request.method, status, trouble.error_document(status, code)))
            return int(status)
        await self.trouble.run_hooks(request.op, 'before', self.client)
        if request.op == 'deletes' and any(f.op == 'deletes-key' for f in self.trouble.faults):
            writer.write(await self.without_some(request, reader))
            return 200
        if not state or state[0].at_eof():
            state[:] = await asyncio.open_connection(self.host, self.port, limit=wire.HEAD_MAX)
        head, body = await self.forward(request, reader, writer, state)
        if request.op == 'create-bucket':
            self.buckets.add(request.bucket)
        if head.first[1] != '501':  # Swift's to If-None-Match: it was asked for nothing, and will be again
            await self.trouble.run_hooks(request.op, 'after', self.client)
        if fault:
            return await self.spoiled(fault, head, body, writer)
        if body is not None:
            writer.write(head.raw + body)
        await writer.drain()
        if request.unread or not wire.may_reuse(head, request.method):
            state[1].close()
            state.clear()
        if request.unread:
            raise Cut()
        return int(head.first[1])

    async def connected(self, reader, writer):
        state = []  # the connection to the server, while this one lasts
        try:
            while head := await wire.read_head(reader):
                if head.first[1].startswith('/_s3d/'):
                    await self.serve_admin(reader, writer, head)
                    continue
                request, status = Request(head), 0
                self.stats.begin(request.op)
                try:
                    status = await self.serve(request, reader, writer, state)
                finally:
                    self.stats.end(request.op, status)
        except Cut:
            cut(writer)
        except (OSError, asyncio.IncompleteReadError, ValueError) as e:
            print('front: %r' % e, file=sys.stderr)
            cut(writer)
        finally:
            if state:
                state[1].close()
            writer.close()


async def prepare(front, options):
    for name, value in options:
        if name == '--bucket':
            if '@' in value:
                raise trouble.Unsupported('a region of its own for a bucket')
            await front.client.make_bucket(value)
            front.buckets.add(value)
        elif name == '--seed':
            bucket, _, rest = value.partition(',')
            fields = {n: v.encode() for n, v in trouble.fields_of(rest).items()} if rest else {}
            await front.inspector.seed({'bucket': bucket.encode(), **fields})
            front.buckets.add(bucket)
        elif name == '--latency':
            op, equals, ms = value.rpartition('=')
            front.latency[op if equals else 'any'] = int(ms) / 1000
        elif name == '--fault':
            front.trouble.faults.append(trouble.Fault(value))


async def main():
    try:
        options, rest = getopt.gnu_getopt(sys.argv[1:], '', OPTIONS)
        if rest:
            raise getopt.GetoptError('no words are expected', rest[0])
    except getopt.GetoptError as e:
        raise trouble.Unsupported('--' + e.opt) from None
    given = dict(options)
    if '--with-parent' in given:
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    front = Front(urlsplit(os.environ['FERRYFS_REAL_ENDPOINT']), MOST[os.environ['FERRYFS_REAL']])
    await prepare(front, options)
    server = await asyncio.start_server(front.connected, '127.0.0.1', int(given.get('--port', 0)), limit=wire.HEAD_MAX)
    port = server.sockets[0].getsockname()[1]
    with open(given['--port-file'] + '.new', 'w') as file:
        file.write('%d\n' % port)
    os.rename(given['--port-file'] + '.new', given['--port-file'])
    await server.serve_forever()


if __name__ == '__main__':
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    try:
        asyncio.run(main())
    except trouble.Unsupported as e:
        print('not on a real server: %s' % e)
        sys.exit(77)
