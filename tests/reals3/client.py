"""A small S3 client: what the cases' set-up and inspection ask of a real server, signed by hand (SigV4)."""
import asyncio
import base64
import datetime
import hashlib
import hmac
import re
from html import unescape
from urllib.parse import quote, unquote_to_bytes

import wire

EMPTY = hashlib.sha256(b'').hexdigest()


class Refused(Exception):
    """The server's own error answer."""

    def __init__(self, status, body):
        code = re.search(rb'<Code>(.*?)</Code>', body)
        self.status = status
        self.code = code.group(1).decode() if code else ''
        super().__init__('%d %s' % (status, self.code))


class Client:
    def __init__(self, host, port, access, secret, region='us-east-1'):
        self.host, self.port, self.access, self.secret, self.region = host, port, access, secret, region
        self.idle = []

    def sign(self, method, path, query, fields, body):
        now = datetime.datetime.now(datetime.timezone.utc)
        stamp, day = now.strftime('%Y%m%dT%H%M%SZ'), now.strftime('%Y%m%d')
        digest = hashlib.sha256(body).hexdigest() if body else EMPTY
        fields.update({'host': '%s:%d' % (self.host, self.port), 'x-amz-date': stamp, 'x-amz-content-sha256': digest})
        names = ';'.join(sorted(fields))
        canonical = '\n'.join([method, path, query, ''.join('%s:%s\n' % (n, fields[n]) for n in sorted(fields)), names, digest])
        scope = '%s/%s/s3/aws4_request' % (day, self.region)
        text = '\n'.join(['AWS4-HMAC-SHA256', stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = ('AWS4' + self.secret).encode()
        for part in (day, self.region, 's3', 'aws4_request'):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        fields['authorization'] = 'AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s' % (
            self.access, scope, names, signature)

    async def exchange(self, connection, message, method):
        reader, writer = connection
        writer.write(message)
        await writer.drain()
        head = await wire.read_head(reader)
        if head is None:
            raise ConnectionResetError('no answer')
        body = wire.plain(head, await wire.read_body(reader, head, method))
        if wire.may_reuse(head, method):
            self.idle.append(connection)
        else:
            writer.close()
        return int(head.first[1]), head.fields, body

    async def request(self, method, bucket='', key=b'', params=None, fields=None, body=b''):
        """Status, header and body, whatever they are."""
        path = '/' + bucket + ('/' + quote(key, safe='/-_.~') if key else '')
        query = '&'.join('%s=%s' % (quote(n, safe='-_.~'), quote(v, safe='-_.~')) for n, v in sorted((params or {}).items()))
        fields = dict(fields or {})
        self.sign(method, path, query, fields, body)
        lines = ['%s %s%s HTTP/1.1' % (method, path, '?' + query if query else '')]
        lines += ['%s: %s' % item for item in fields.items()] + ['Content-Length: %d' % len(body), '', '']
        message = '\r\n'.join(lines).encode('latin-1') + body
        while self.idle:
            try:
                return await self.exchange(self.idle.pop(), message, method)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass  # one that had been idle too long
        return await self.exchange(await asyncio.open_connection(self.host, self.port, limit=wire.HEAD_MAX), message, method)

    async def must(self, method, bucket='', key=b'', **rest):
        status, fields, body = await self.request(method, bucket, key, **rest)
        if status >= 300:
            raise Refused(status, body)
        return fields, body

    async def make_bucket(self, bucket):
        status, _, body = await self.request('PUT', bucket)
        if status >= 300 and b'BucketAlreadyOwnedByYou' not in body:
            raise Refused(status, body)

    async def put(self, bucket, key, body, fields=None):
        await self.must('PUT', bucket, key, fields=fields, body=body)

    async def list(self, bucket, prefix=b''):
        """(key, size, etag, class) of every object, in order.  Read by pattern: an XML parser stops at a raw prefix or
        continuation token that XML can't carry, and start-after needs no token."""
        after = b''
        while True:
            params = {'list-type': '2', 'encoding-type': 'url', 'prefix': prefix}
            if after:
                params['start-after'] = after
            _, body = await self.must('GET', bucket, params=params)
            found = re.findall(rb'<Contents>.*?</Contents>', body, re.S)
            for item in found:
                def one(name):
                    match = re.search(b'<%s>(.*?)</%s>' % (name, name), item, re.S)
                    return unescape(match.group(1).decode('latin-1')) if match else ''
                after = unquote_to_bytes(one(b'Key').replace('+', ' ').encode('latin-1'))
                yield after, int(one(b'Size')), one(b'ETag').strip('"'), one(b'StorageClass') or 'STANDARD'
            if b'<IsTruncated>true' not in body or not found:
                return

    async def tags(self, bucket, key):
        status, _, body = await self.request('GET', bucket, key, params={'tagging': ''})
        if status != 200:
            return {}
        pairs = re.findall(rb'<Key>(.*?)</Key>\s*<Value>(.*?)</Value>', body, re.S)
        return {unescape(k.decode()): unescape(v.decode()) for k, v in pairs}

    async def uploads(self, bucket):
        """(key, id) of the multipart uploads under way."""
        _, body = await self.must('GET', bucket, params={'uploads': '', 'encoding-type': 'url'})
        pairs = re.findall(rb'<Upload>.*?<Key>(.*?)</Key>.*?<UploadId>(.*?)</UploadId>', body, re.S)
        return [(unquote_to_bytes(key), id.decode()) for key, id in pairs]

    async def deletes(self, bucket, body):
        """DeleteObjects with this document; status and answer, whatever they are."""
        md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
        status, _, answer = await self.request('POST', bucket, params={'delete': ''}, fields={'content-md5': md5}, body=body)
        return status, answer
