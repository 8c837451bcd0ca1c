"""HTTP/1.1 as the front needs it: heads, bodies and which S3 operation a request is."""
import asyncio
from urllib.parse import unquote_to_bytes

HEAD_MAX = 1 << 20
PIECE = 1 << 16


class Head:
    """A request's or an answer's first line and header; `raw` is what came, byte for byte."""

    def __init__(self, raw):
        self.raw = raw
        lines = raw.decode('latin-1').split('\r\n')
        self.first = lines[0].split(' ', 2)
        if len(self.first) < 2:
            raise ValueError('not HTTP: %r' % raw[:200])
        self.fields = {}
        for line in lines[1:]:
            name, colon, value = line.partition(':')
            if colon:
                self.fields[name.strip().lower()] = value.strip()

    def length(self):
        return int(self.fields.get('content-length', 0))


async def read_head(reader):
    """None at the end of the connection."""
    first = await reader.read(1)
    if not first:
        return None
    if first == b'\x16':  # a TLS handshake (RFC 8446, 5.1) would be waited for in vain
        raise ValueError('TLS, not HTTP')
    try:
        return Head(first + await reader.readuntil(b'\r\n\r\n'))
    except asyncio.IncompleteReadError:
        raise ConnectionResetError('cut off in a header') from None


def may_reuse(head, method):
    """May another request go over the connection?  Not after an answer without a body that says it has chunks: Swift sends
    their end even then (seen with 204)."""
    if head.fields.get('connection', '').lower() == 'close':
        return False
    return 'transfer-encoding' not in head.fields or (method != 'HEAD' and head.first[1] not in ('204', '304'))


async def read_body(reader, head, method, sink=None):
    """An answer's body as it is on the wire, chunk sizes included; to sink piece by piece, or returned."""
    parts = []

    async def take(piece):
        if sink:
            await sink(piece)
        else:
            parts.append(piece)

    status = int(head.first[1])
    if method == 'HEAD' or status in (204, 304):
        return b''
    if 'chunked' in head.fields.get('transfer-encoding', '').lower():
        while True:
            line = await reader.readuntil(b'\r\n')
            size = int(line.split(b';')[0], 16)
            await take(line + await reader.readexactly(size + 2))
            if size == 0:
                break
    elif 'content-length' in head.fields:
        left = head.length()
        while left:
            piece = await reader.read(min(left, PIECE))
            if not piece:
                raise ConnectionResetError('cut off in a body')
            left -= len(piece)
            await take(piece)
    else:
        while piece := await reader.read(PIECE):
            await take(piece)
    return b''.join(parts)


def plain(head, body):
    """A body without its chunk sizes."""
    if not body or 'chunked' not in head.fields.get('transfer-encoding', '').lower():
        return body
    out, at = [], 0
    while True:
        end = body.index(b'\r\n', at)
        size = int(body[at:end].split(b';')[0], 16)
        if size == 0:
            return b''.join(out)
        out.append(body[end + 2:end + 2 + size])
        at = end + 4 + size


def split_target(target):
    """Bucket, key (bytes) and parameters (values as bytes, None without =) of a path-style request target."""
    path, _, query = target.partition('?')
    bucket, _, key = path.lstrip('/').partition('/')
    params = {}
    for item in query.split('&') if query else []:
        name, equals, value = item.partition('=')
        params[unquote_to_bytes(name).decode('latin-1')] = unquote_to_bytes(value) if equals else None
    return unquote_to_bytes(bucket).decode('latin-1'), unquote_to_bytes(key), params


def op_of(method, bucket, key, params, fields):
    """The operation's name, as the embedded server has it."""
    copy = 'x-amz-copy-source' in fields
    if not bucket:
        return 'list-buckets'
    if not key:
        if method == 'GET':
            for name, op in (('location', 'get-location'), ('uploads', 'list-uploads'), ('versioning', 'get-versioning')):
                if name in params:
                    return op
            return 'list'
        return {'PUT': 'create-bucket', 'DELETE': 'delete-bucket', 'HEAD': 'head-bucket', 'POST': 'deletes'}.get(method, 'unknown')
    if 'tagging' in params:
        return {'GET': 'get-tagging', 'PUT': 'put-tagging', 'DELETE': 'delete-tagging'}.get(method, 'unknown')
    if 'uploadId' in params:
        return {'PUT': 'copy-part' if copy else 'upload-part', 'POST': 'complete', 'DELETE': 'abort', 'GET': 'list-parts'}.get(
            method, 'unknown')
    if method == 'POST':
        return 'create-upload' if 'uploads' in params else 'unknown'
    return {'GET': 'get', 'HEAD': 'head', 'PUT': 'copy' if copy else 'put', 'DELETE': 'delete'}.get(method, 'unknown')


READS = {'list-buckets', 'head-bucket', 'get-location', 'get-versioning', 'list', 'list-uploads', 'head', 'get', 'list-parts',
         'get-tagging'}


def op_in(op, group):
    if op == group:
        return True
    if op == 'deletes-key':
        return False
    return group == 'any' or (group == 'read' and op in READS) or (group == 'write' and op not in READS)
