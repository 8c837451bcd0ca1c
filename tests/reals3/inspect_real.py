"""The embedded server's admin requests (tests/s3d/admin.h), carried out on a real server."""
import asyncio
import hashlib
import json
from urllib.parse import quote

import trouble
from client import Refused

AT_ONCE = 16
OBJECT_MAX = 256 << 20  # bytes of one seeded object: it is held in memory, here and mostly there


def number(params, name, default=0):
    return int(params.get(name) or default)


def seed_names(prefix, count, dirs, depth):
    """As the embedded server names them: PREFIX/dir0003/file000017.txt."""
    if prefix and not prefix.endswith(b'/'):
        prefix += b'/'
    leaves = dirs ** depth if dirs else 0
    for i in range(count):
        leaf, below, path = (i * leaves // count if leaves else 0), leaves, b''
        for _ in range(depth if leaves else 0):
            below //= dirs
            path += b'dir%04d/' % (leaf // below % dirs)
        yield prefix + path + b'file%06d.txt' % i


def content(key, size):
    block = hashlib.sha256(key).hexdigest().encode()
    return (block * (size // len(block) + 1))[:size]


class Inspector:
    def __init__(self, client, most):
        self.client = client
        self.most = most  # objects a seed may make: this server is slow

    async def put_all(self, bucket, names, size, fields):
        names = iter(names)

        async def worker():
            for key in names:
                await self.client.put(bucket, key, content(key, size), fields)
        await asyncio.gather(*(worker() for _ in range(AT_ONCE)))

    async def seed(self, params, metas=()):
        count, size = number(params, 'count', 1), number(params, 'size')
        if params.get('region'):
            raise trouble.Unsupported('a region of its own for a bucket')
        if count > self.most:
            raise trouble.Unsupported('%d objects (%d at most, for the time they take)' % (count, self.most))
        if size > OBJECT_MAX:
            raise trouble.Unsupported('an object of %d bytes' % size)
        bucket = params['bucket'].decode()
        fields = {'content-type': params.get('content-type', b'text/plain').decode()}
        if 'storage-class' in params:
            fields['x-amz-storage-class'] = params['storage-class'].decode()
        for meta in metas:
            name, _, value = meta.decode().partition(':')
            fields['x-amz-meta-' + name] = value
        await self.client.make_bucket(bucket)
        names = seed_names(params.get('prefix', b''), count, number(params, 'dirs'), number(params, 'depth', 1))
        try:
            await self.put_all(bucket, names, size, fields)
        except Refused as e:
            if fields.get('x-amz-storage-class') and e.code in ('InvalidStorageClass', 'InvalidArgument'):
                raise trouble.Unsupported('storage class ' + fields['x-amz-storage-class']) from None
            raise
        return 'ok\n'

    async def sparse(self, params):
        size = number(params, 'size')
        if size > OBJECT_MAX:
            raise trouble.Unsupported('an object of %d bytes' % size)
        await self.client.put(params['bucket'].decode(), params['key'], bytes(size))
        return 'ok\n'

    async def overwrite(self, params):
        key = params['key']
        try:
            await self.client.put(params['bucket'].decode(), key, params.get('text', b''))
        except Refused as e:
            if e.code in ('KeyTooLongError', 'InvalidObjectName', 'InvalidURI') or (e.status in (400, 412) and b'\0' in key):
                raise trouble.Unsupported('the key %s' % quote(key)) from None
            raise
        return 'ok\n'

    async def remove(self, params):
        await self.client.must('DELETE', params['bucket'].decode(), params['key'])
        return 'ok\n'

    async def headers(self, bucket, key):
        status, fields, _ = await self.client.request('HEAD', bucket, key)
        if status == 404:
            return None
        if status != 200:
            raise Refused(status, b'')
        return fields

    @staticmethod
    def kept(fields):
        """Those that belong to the object."""
        names = ('content-type', 'content-encoding', 'content-disposition', 'content-language', 'cache-control', 'expires')
        return {n: v for n, v in fields.items() if n in names or n.startswith(('x-amz-meta-', 'x-amz-server-side'))}

    async def object(self, params):
        bucket, key = params['bucket'].decode(), params['key']
        fields = await self.headers(bucket, key)
        if fields is None:
            return None
        _, body = await self.client.must('GET', bucket, key)
        from email.utils import parsedate_to_datetime
        tags = await self.client.tags(bucket, key)
        uploads = [one for one in await self.client.uploads(bucket) if one[0] == key]
        return json.dumps({
            'key': quote(key, safe='/'), 'size': int(fields.get('content-length', 0)), 'etag': fields.get('etag', '').strip('"'),
            'md5': hashlib.md5(body).hexdigest(), 'versions': 1, 'uploads': len(uploads), 'tags': tags,
            'last_modified': int(parsedate_to_datetime(fields['last-modified']).timestamp()),
            'storage_class': fields.get('x-amz-storage-class', 'STANDARD'), 'headers': self.kept(fields)})

    async def keys(self, params):
        """KEY SIZE ETAG CLASS TYPE DIGEST-OF-HEADERS-AND-TAGS; brief=1: only what a listing says."""
        bucket, lines = params['bucket'].decode(), []
        objects = [one async for one in self.client.list(bucket, params.get('prefix', b''))]
        for key, size, etag, storage in objects:
            line = '%s\t%d\t%s\t%s' % (quote(key, safe='/'), size, etag, storage)
            if not params.get('brief'):
                fields = self.kept(await self.headers(bucket, key) or {})
                kept = json.dumps([fields, await self.client.tags(bucket, key)], sort_keys=True)
                line += '\t%s\t%s' % (fields.get('content-type', ''), hashlib.sha256(kept.encode()).hexdigest())
            lines.append(line + '\n')
        return ''.join(lines)

    async def uploads(self, buckets):
        found = []
        for bucket in buckets:
            found += [{'bucket': bucket, 'key': quote(key, safe='/'), 'id': id} for key, id in await self.client.uploads(bucket)]
        return json.dumps(found)
