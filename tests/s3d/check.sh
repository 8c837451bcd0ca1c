#!/bin/bash
# Checks the embedded S3 server by itself: tests/s3d/check.sh PATH-OF-S3D
# Speaks to it with a signer written here in Python, with curl's signer, and with Debian's aws where it is installed.
set -u
s3d=${1:?usage: tests/s3d/check.sh PATH-OF-S3D}
s3d=$(realpath "$s3d")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=testsecret AWS_DEFAULT_REGION=us-east-1
unset AWS_CA_BUNDLE AWS_SESSION_TOKEN AWS_PROFILE
python=/usr/bin/python3
[ -x $python ] || python=python3
cat >"$work/check.py" <<'EOP'
import base64, datetime, fnmatch, hashlib, hmac, http.client, json, os, random, shutil, socket, subprocess, sys, threading, time
import urllib.parse, zlib
import xml.etree.ElementTree as ET

S3D, WORK = sys.argv[1], sys.argv[2]
NS = '{http://s3.amazonaws.com/doc/2006-03-01/}'
passed = failed = 0


def check(what, good, seen=''):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print('FAILED: %s %s' % (what, str(seen)[:1500]))


def same(what, have, want):
    check(what, have == want, 'have %r, want %r' % (have, want))


class Answer:
    def __init__(self, r, body):
        self.status, self.body = r.status, body
        self.headers = {k.lower(): v for k, v in r.getheaders()}

    @property
    def code(self):
        try:
            return ET.fromstring(self.body).findtext('Code')
        except ET.ParseError:
            return None

    def xml(self):
        return ET.fromstring(self.body)


class Server:
    def __init__(self, *args):
        self.portfile = os.path.join(WORK, 'port%d' % random.getrandbits(40))
        self.p = subprocess.Popen([S3D, '--with-parent', '--port-file', self.portfile, *args], stdout=subprocess.DEVNULL)
        end = time.time() + 60
        while not os.path.exists(self.portfile):
            if self.p.poll() is not None or time.time() > end:
                raise SystemExit('s3d did not start')
            time.sleep(0.01)
        self.port = int(open(self.portfile).read())
        self.conn = None

    def stop(self, what='SIGTERM ends it with status 0'):
        if self.conn:
            self.conn.close()
        self.p.terminate()
        same(what, self.p.wait(60), 0)

    def admin(self, method, path, body=None):
        c = http.client.HTTPConnection('127.0.0.1', self.port, timeout=60)
        c.request(method, '/_s3d/' + path, body)
        r = c.getresponse()
        text = r.read()
        c.close()
        return r.status, text

    def stats(self):
        return json.loads(self.admin('GET', 'stats')[1])

    def call(self, method, bucket='', key=None, query=(), headers=None, body=b'', fresh=False, **how):
        """One signed request; key as bytes or str. how: access, secret, token, region, skew, unsigned, host, tamper"""
        path = ('/' + bucket if bucket else '') + ('/' + quote(key) if key is not None else '') or '/'
        q = '&'.join('%s=%s' % (quote(k, ''), quote(v, '')) for k, v in sorted(query))
        h = {'host': how.get('host', '127.0.0.1:%d' % self.port)}
        h.update({k.lower(): v for k, v in (headers or {}).items()})
        if not how.get('unsigned'):
            sign(method, path, q, h, body, how)
        if how.get('extra'):
            h.update(how['extra'])
        if fresh or not self.conn:
            self.conn = http.client.HTTPConnection('127.0.0.1', self.port, timeout=60)
        try:
            self.conn.putrequest(method, path + ('?' + q if q else ''), skip_host=True, skip_accept_encoding=True)
            for k, v in h.items():
                self.conn.putheader(k, v)
            if body or method in ('PUT', 'POST'):
                self.conn.putheader('content-length', str(len(body)))
            self.conn.endheaders(body)
            r = self.conn.getresponse()
            return Answer(r, r.read())
        except Exception:
            self.conn.close()
            self.conn = None
            raise


def quote(s, safe='/'):
    return urllib.parse.quote(s, safe=safe + '~')


def sign(method, path, q, h, body, how):
    now = datetime.datetime.utcnow() + datetime.timedelta(seconds=how.get('skew', 0))
    stamp, day = now.strftime('%Y%m%dT%H%M%SZ'), now.strftime('%Y%m%d')
    h['x-amz-date'] = stamp
    h['x-amz-content-sha256'] = how.get('payload', hashlib.sha256(body).hexdigest())
    if how.get('token'):
        h['x-amz-security-token'] = how['token']
    names = sorted(k for k in h if k == 'host' or k.startswith('x-amz-') or k in ('content-md5', 'content-type'))
    scope = '%s/%s/s3/aws4_request' % (day, how.get('region', 'us-east-1'))
    canonical = '\n'.join([method, path, '&'.join(sorted(q.split('&')))] + ['%s:%s' % (n, ' '.join(h[n].split())) for n in names]
                          + ['', ';'.join(names), h['x-amz-content-sha256']])
    to_sign = '\n'.join(['AWS4-HMAC-SHA256', stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ('AWS4' + how.get('secret', 'testsecret')).encode()
    for part in scope.split('/'):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    h['authorization'] = 'AWS4-HMAC-SHA256 Credential=%s/%s,SignedHeaders=%s,Signature=%s' % (
        how.get('access', 'test'), scope, ';'.join(names), signature)


def test_auth():
    s = Server('--bucket', 'b', '--bucket', 'far@eu-west-1', '--key2', 'other:othersecret:b*', '--domain', 's3.localhost')
    same('good signature', s.call('GET', 'b').status, 200)
    a = s.call('GET', 'b', secret='wrong')
    same('wrong secret', (a.status, a.code), (403, 'SignatureDoesNotMatch'))
    check('request id in headers and document', a.headers['x-amz-request-id'].encode() in a.body, a.body)
    a = s.call('GET', 'b', access='nobody')
    same('unknown key', (a.status, a.code), (403, 'InvalidAccessKeyId'))
    a = s.call('GET', 'b', unsigned=True)
    same('anonymous', (a.status, a.code), (403, 'AccessDenied'))
    for skew in (-1000, 1000):
        same('skew %d' % skew, s.call('GET', 'b', skew=skew).code, 'RequestTimeTooSkewed')
    same('unsigned x-amz header', s.call('PUT', 'b', 'k', extra={'x-amz-meta-a': 'b'}).code, 'AccessDenied')
    same('body changed', s.call('PUT', 'b', 'k', body=b'x', payload='0' * 64).code, 'XAmzContentSHA256Mismatch')
    same('unsigned payload', s.call('PUT', 'b', 'k', body=b'x', payload='UNSIGNED-PAYLOAD').status, 200)
    a = s.call('GET', 'b', region='eu-west-1')
    same('wrong region', (a.status, a.code, a.xml().findtext('Region')), (400, 'AuthorizationHeaderMalformed', 'us-east-1'))
    a = s.call('HEAD', 'far')
    same('HEAD of a far bucket', (a.status, a.headers.get('x-amz-bucket-region'), a.body), (400, 'eu-west-1', b''))
    same('far bucket, its region', s.call('HEAD', 'far', region='eu-west-1').status, 200)
    s.admin('POST', 'set?redirect-301=1')
    a = s.call('GET', 'far')
    same('redirect', (a.status, a.code, a.headers.get('x-amz-bucket-region')), (301, 'PermanentRedirect', 'eu-west-1'))
    two = dict(access='other', secret='othersecret')
    same('second account refused', s.call('GET', 'b', **two).code, 'AccessDenied')
    same('second account elsewhere', s.call('HEAD', 'far', region='eu-west-1', **two).status, 200)
    s.call('PUT', 'own')
    a = s.call('PUT', 'own', 'k', headers={'x-amz-copy-source': 'b/k'}, **two)
    same('copy from a denied bucket', a.code, 'AccessDenied')
    s.call('PUT', 'b', 'dir/a b', body=b'host')
    a = s.call('GET', '', 'dir/a b', host='b.s3.localhost:%d' % s.port)
    same('virtual host', (a.status, a.body), (200, b'host'))
    s.admin('POST', 'set?session-token=tok%2Fen')
    same('token missing', s.call('GET', 'b').code, 'InvalidAccessKeyId')
    same('token wrong', s.call('GET', 'b', token='x').code, 'InvalidToken')
    same('token', s.call('GET', 'b', token='tok/en').status, 200)
    s.admin('POST', 'set?anonymous=1')
    same('anonymous allowed', s.call('GET', 'b', unsigned=True).status, 200)
    s.stop()
    s = Server('--no-auth', '--bucket', 'b')
    same('no-auth', s.call('GET', 'b', secret='wrong').status, 200)
    s.stop()


def test_objects(s):
    c = s.call
    h = {'content-type': 'text/x', 'cache-control': 'no-cache', 'x-amz-meta-Who': 'me  and you', 'x-amz-storage-class': 'STANDARD_IA',
         'x-amz-tagging': 'a=1&b=%20x', 'x-amz-server-side-encryption': 'AES256', 'x-amz-acl': 'public-read'}
    text = bytes(range(256)) * 40
    a = c('PUT', 'b', 'o', headers=h, body=text)
    etag = '"%s"' % hashlib.md5(text).hexdigest()
    same('PUT', (a.status, a.headers['etag']), (200, etag))
    a = c('HEAD', 'b', 'o')
    same('HEAD', (a.status, a.body, a.headers['content-length'], a.headers['etag'], a.headers['content-type'], a.headers['cache-control'],
                  a.headers['x-amz-meta-who'], a.headers['x-amz-storage-class'], a.headers['x-amz-tagging-count'],
                  a.headers['x-amz-server-side-encryption']),
         (200, b'', '10240', etag, 'text/x', 'no-cache', 'me  and you', 'STANDARD_IA', '2', 'AES256'))
    modified = a.headers['last-modified']
    same('GET', c('GET', 'b', 'o').body, text)
    for r, want in (('bytes=0-0', (0, 1)), ('bytes=5-', (5, 10240)), ('bytes=-7', (10233, 10240)), ('bytes=10000-20000', (10000, 10240))):
        a = c('GET', 'b', 'o', headers={'range': r})
        same('range ' + r, (a.status, a.body, a.headers['content-range']),
             (206, text[want[0]:want[1]], 'bytes %d-%d/10240' % (want[0], want[1] - 1)))
    for r in ('bytes=10240-', 'bytes=-0'):
        same('range ' + r, c('GET', 'b', 'o', headers={'range': r}).status, 416)
    same('two ranges', c('GET', 'b', 'o', headers={'range': 'bytes=0-1,3-4'}).status, 200)
    early, late = 'Mon, 01 Jan 2001 00:00:00 GMT', 'Fri, 01 Jan 2100 00:00:00 GMT'
    for name, value, want in (('if-match', etag, 200), ('if-match', '"x"', 412), ('if-match', '*', 200), ('if-none-match', etag, 304),
                              ('if-none-match', '"x"', 200), ('if-modified-since', early, 200), ('if-modified-since', modified, 304),
                              ('if-unmodified-since', early, 412), ('if-unmodified-since', late, 200)):
        same('%s: %s' % (name, value), c('GET', 'b', 'o', headers={name: value}).status, want)
    same('missing', c('GET', 'b', 'none').code, 'NoSuchKey')
    same('missing HEAD', (c('HEAD', 'b', 'none').status, c('HEAD', 'b', 'none').body), (404, b''))
    same('no bucket', c('GET', 'nob', 'x').code, 'NoSuchBucket')
    same('Content-MD5', c('PUT', 'b', 'm', body=b'x', headers={'content-md5': base64.b64encode(b'0' * 16).decode()}).code, 'BadDigest')
    crc = base64.b64encode(zlib.crc32(b'123456789').to_bytes(4, 'big')).decode()
    same('crc32', c('PUT', 'b', 'm', body=b'123456789', headers={'x-amz-checksum-crc32': crc}).status, 200)
    same('wrong crc32', c('PUT', 'b', 'm', body=b'123456780', headers={'x-amz-checksum-crc32': crc}).code, 'BadDigest')
    same('crc32c', c('PUT', 'b', 'm', body=b'123456789', headers={'x-amz-checksum-crc32c': '4waSgw=='}).status, 200)
    sha = base64.b64encode(hashlib.sha256(b'a').digest()).decode()
    same('sha256', [c('PUT', 'b', 'm', body=x, headers={'x-amz-checksum-sha256': sha}).status for x in (b'a', b'b')], [200, 400])
    same('If-None-Match: * on what is there', c('PUT', 'b', 'o', headers={'if-none-match': '*'}).status, 412)
    same('If-None-Match: * on nothing', c('PUT', 'b', 'fresh', headers={'if-none-match': '*'}).status, 200)
    same('If-Match on PUT', [c('PUT', 'b', 'fresh', headers={'if-match': e}).status for e in
                             ('"x"', '"d41d8cd98f00b204e9800998ecf8427e"')], [412, 200])
    same('long key', [c('PUT', 'b', 'k' * n).status for n in (1024, 1025)], [200, 400])
    same('metadata too large', c('PUT', 'b', 'm', headers={'x-amz-meta-a': 'x' * 2048}).code, 'MetadataTooLarge')
    same('storage class', c('PUT', 'b', 'm', headers={'x-amz-storage-class': 'NONE'}).code, 'InvalidStorageClass')
    same('sub-resource unknown', c('GET', 'b', 'o', query=[('acl', '')]).status, 501)
    keys = [b'nul\0in', b'a//b', b'/lead', b'../up', b'./x', b'sp ace', b'plus+', b'%41', b'\xff\xfe', b'amp&<>"\'', b'new\nline', b'cr\r',
            'ümläut'.encode(), b'?q=1', b'#f', b'~tilde', b'tail/', b'a;b=c,d:@!$*()']
    for k in keys:
        same('PUT %r' % k, c('PUT', 'odd', k, body=k).status, 200)
    for k in keys:
        same('GET %r' % k, c('GET', 'odd', k).body, k)
        same('copy of %r' % k, c('PUT', 'odd2', k, headers={'x-amz-copy-source': '/odd/' + quote(k)}).status, 200)
    have = [line.split(b'\t')[0].decode() for line in s.admin('GET', 'keys?bucket=odd2')[1].splitlines()]
    same('keys of odd2', [urllib.parse.unquote_to_bytes(k) for k in have], sorted(keys))
    got = [urllib.parse.unquote_to_bytes(e.findtext(NS + 'Key').replace('+', '%20'))
           for e in c('GET', 'odd', query=[('list-type', '2'), ('encoding-type', 'url')]).xml().iter(NS + 'Contents')]
    same('listing of odd keys', got, sorted(keys))


def test_copy(s):
    c = s.call
    c('PUT', 'b', 'src', body=b'source', headers={'content-type': 'text/s', 'x-amz-meta-m': '1', 'x-amz-tagging': 't=1',
                                                   'x-amz-storage-class': 'STANDARD_IA', 'x-amz-acl': 'public-read'})
    etag = '"%s"' % hashlib.md5(b'source').hexdigest()

    def copy(key, **headers):
        h = {'x-amz-copy-source': 'b/src'}
        h.update({k.replace('_', '-'): v for k, v in headers.items()})
        return c('PUT', 'c', key, headers=h)

    def known(key):
        return json.loads(s.admin('GET', 'object?bucket=c&key=' + key)[1])
    a = copy('1')
    same('copy', (a.status, a.xml().findtext(NS + 'ETag')), (200, etag))
    check('LastModified', a.xml().findtext(NS + 'LastModified').endswith('.000Z'), a.body)
    o = known('1')
    same('copy keeps metadata and tags, not class and ACL', (o['headers'], o['tags'], o['storage_class']),
         ({'content-type': 'text/s', 'x-amz-meta-m': '1'}, {'t': '1'}, 'STANDARD'))
    copy('2', x_amz_metadata_directive='REPLACE', content_type='text/n', x_amz_meta_n='2', x_amz_tagging_directive='REPLACE',
         x_amz_tagging='u=2', x_amz_storage_class='ONEZONE_IA')
    o = known('2')
    same('copy that replaces', (o['headers'], o['tags']),
         ({'content-type': 'text/n', 'x-amz-meta-n': '2', 'x-amz-storage-class': 'ONEZONE_IA'}, {'u': '2'}))
    for name, value, want in (('if_match', etag, 200), ('if_match', '"x"', 412), ('if_none_match', etag, 412), ('if_none_match', '"x"', 200),
                              ('if_unmodified_since', 'Mon, 01 Jan 2001 00:00:00 GMT', 412)):
        same('copy-source %s %s' % (name, value), copy('3', **{'x_amz_copy_source_' + name: value}).status, want)
    same('copy onto something, If-None-Match', copy('1', if_none_match='*').status, 412)
    same('copy If-Match', [copy('1', if_match=e).status for e in ('"x"', etag)], [412, 200])
    same('copy onto itself', c('PUT', 'b', 'src', headers={'x-amz-copy-source': 'b/src'}).code, 'InvalidRequest')
    same('copy onto itself with a class', c('PUT', 'b', 'src', headers={'x-amz-copy-source': 'b/src', 'x-amz-storage-class':
                                                                      'STANDARD'}).status, 200)
    same('no source', copy('4', x_amz_copy_source='b/none').code, 'NoSuchKey')
    same('no source bucket', copy('4', x_amz_copy_source='nob/none').code, 'NoSuchBucket')
    same('plus in a source is a space', copy('4', x_amz_copy_source='b/a+b').code, 'NoSuchKey')
    same('source version', copy('4', x_amz_copy_source='b/src?versionId=1').status, 501)
    s.admin('POST', 'set?conditional-copy=0')
    same('no conditional copy', copy('5', x_amz_copy_source_if_match='"x"').status, 200)
    s.admin('POST', 'set?conditional-copy=1&conditional-put=0')
    same('no conditional put', copy('5', if_none_match='*').status, 200)
    s.admin('POST', 'set?conditional-put=1')
    s.admin('POST', 'sparse?bucket=b&key=huge&size=5368709121')
    same('over 5 GiB', copy('6', x_amz_copy_source='b/huge').code, 'InvalidRequest')
    s.admin('POST', 'set?slow-copy-space=1&slow-copy-ms=20')
    a = copy('7')
    check('slow copy begins with white space', a.status == 200 and a.body[:1].isspace() and b'CopyObjectResult' in a.body, a.body)
    s.admin('POST', 'set?slow-copy-space=0')


def test_multipart(s):
    c = s.call

    def create(key, **headers):
        return c('POST', 'b', key, query=[('uploads', '')], headers=headers).xml().findtext(NS + 'UploadId')

    def complete(key, up, parts):
        x = ''.join('<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>' % p for p in parts)
        return c('POST', 'b', key, query=[('uploadId', up)], body=('<CompleteMultipartUpload>%s</CompleteMultipartUpload>' % x).encode())
    five = os.urandom(5 << 20)
    up = create('mp', **{'x-amz-meta-a': 'b', 'x-amz-tagging': 'k=v', 'content-type': 'text/mp'})
    tags = [c('PUT', 'b', 'mp', query=[('uploadId', up), ('partNumber', str(n))], body=data).headers['etag']
            for n, data in ((1, five), (3, b'tail'))]
    small = c('PUT', 'b', 'mp', query=[('uploadId', up), ('partNumber', '2')], body=b'small').headers['etag']
    same('list parts', [e.findtext(NS + 'PartNumber') for e in c('GET', 'b', 'mp', query=[('uploadId', up)]).xml().iter(NS + 'Part')],
         ['1', '2', '3'])
    same('list uploads', [e.findtext(NS + 'Key') for e in c('GET', 'b', query=[('uploads', '')]).xml().iter(NS + 'Upload')], ['mp'])
    same('part order', complete('mp', up, [(3, tags[1]), (1, tags[0])]).code, 'InvalidPartOrder')
    same('wrong part etag', complete('mp', up, [(1, '"x"')]).code, 'InvalidPart')
    same('too small', complete('mp', up, [(1, tags[0]), (2, small), (3, tags[1])]).code, 'EntityTooSmall')
    a = complete('mp', up, [(1, tags[0]), (3, tags[1])])
    want = '"%s-2"' % hashlib.md5(hashlib.md5(five).digest() + hashlib.md5(b'tail').digest()).hexdigest()
    same('complete', (a.status, a.xml().findtext(NS + 'ETag')), (200, want))
    a = c('GET', 'b', 'mp')
    same('content', (a.body == five + b'tail', a.headers['x-amz-meta-a'], a.headers['content-type']), (True, 'b', 'text/mp'))
    same('range over parts', c('GET', 'b', 'mp', headers={'range': 'bytes=5242870-5242883'}).body, (five + b'tail')[5242870:5242884])
    same('upload is over', complete('mp', up, [(1, tags[0])]).code, 'NoSuchUpload')
    a = c('PUT', 'b', 'mp1', headers={'x-amz-copy-source': 'b/mp'})
    same('copy of it is one part', a.xml().findtext(NS + 'ETag'), '"%s"' % hashlib.md5(five + b'tail').hexdigest())
    up = create('mpc')

    def part(n, r, source='b/mp'):
        return c('PUT', 'b', 'mpc', query=[('uploadId', up), ('partNumber', str(n))],
                 headers={'x-amz-copy-source': source, 'x-amz-copy-source-range': 'bytes=' + r})
    e1 = part(1, '4-5242883').xml().findtext(NS + 'ETag')
    e2 = part(2, '0-3').xml().findtext(NS + 'ETag')
    same('range beyond the source', part(3, '0-5242884').code, 'InvalidArgument')
    same('part number', part(10001, '0-3').code, 'InvalidArgument')
    same('complete of copies', complete('mpc', up, [(1, e1), (2, e2)]).status, 200)
    same('content of copies', c('GET', 'b', 'mpc').body == five[4:] + b'tail' + five[:4], True)
    up = create('gone')
    same('abort', [c('DELETE', 'b', 'gone', query=[('uploadId', up)]).status for _ in range(2)], [204, 404])
    s.admin('POST', 'sparse?bucket=b&key=sparse&size=12884901888')
    held = s.stats()['stored_bytes']
    up = create('sp')
    size = 12884901888 // 3
    es = [(i + 1, c('PUT', 'b', 'sp', query=[('uploadId', up), ('partNumber', str(i + 1))], headers={
        'x-amz-copy-source': 'b/sparse', 'x-amz-copy-source-range': 'bytes=%d-%d' % (i * size, (i + 1) * size - 1)})
        .xml().findtext(NS + 'ETag')) for i in range(3)]
    same('sparse complete', complete('sp', up, es).status, 200)
    a = c('HEAD', 'b', 'sp')
    same('sparse size, and no bytes', (a.headers['content-length'], s.stats()['stored_bytes']), ('12884901888', held))
    same('zeros', c('GET', 'b', 'sp', headers={'range': 'bytes=12884901880-'}).body, bytes(8))


def test_list(s):
    c = s.call
    r = random.Random(7)
    parts = ['a', 'b', 'ab', 'a!', 'a-', 'é', 'z', '', '0']
    keys = sorted({'/'.join(r.choice(parts) for _ in range(r.randint(1, 5))) for _ in range(600)} - {''}, key=str.encode)
    for k in keys:
        c('PUT', 'l', k)

    def model(prefix, delimiter, after):
        items = []
        for k in keys:
            if not k.startswith(prefix) or (after and k.encode() <= after.encode()):
                continue
            at = k.find(delimiter, len(prefix)) if delimiter else -1
            item = k if at < 0 else k[:at + len(delimiter)]
            if not items or items[-1] != (item, at < 0):
                items.append((item, at < 0))
        return items

    def walk(prefix, delimiter, after, size, v2):
        items, token, pages = [], None, 0
        while True:
            q = [('prefix', prefix), ('max-keys', str(size))]
            q += [('delimiter', delimiter)] if delimiter else []
            if v2:
                q += [('list-type', '2')] + ([('continuation-token', token)] if token else [('start-after', after)] if after else [])
            elif token or after:
                q += [('marker', token or after)]
            a = c('GET', 'l', query=q)
            x = a.xml()
            page = [(e.findtext(NS + 'Key'), True) for e in x.iter(NS + 'Contents')]
            page += [(e.findtext(NS + 'Prefix'), False) for e in x.iter(NS + 'CommonPrefixes')]
            items += sorted(page, key=lambda i: i[0].encode())
            pages += 1
            if v2 and int(x.findtext(NS + 'KeyCount')) != len(page) or len(page) > size or pages > 2000:
                return 'bad page'
            if x.findtext(NS + 'IsTruncated') != 'true':
                return items
            token = x.findtext(NS + 'NextContinuationToken') if v2 else x.findtext(NS + 'NextMarker') or page[-1][0]
    for i in range(120):
        prefix = r.choice(['', 'a', 'a/', 'a!/', 'b/a', 'é/', '/', 'nothing/', r.choice(keys)])
        delimiter = r.choice(['', '/', '/', 'a', '!'])
        after = r.choice(['', '', r.choice(keys), r.choice(keys) + 'x']) if i % 2 else ''
        size = r.choice([1, 2, 7, 100, 1000])
        same('list %r %r %r %d' % (prefix, delimiter, after, size), walk(prefix, delimiter, after, size, True), model(prefix, delimiter, after))
        if not after:
            same('list v1 %r %r %d' % (prefix, delimiter, size), walk(prefix, delimiter, after, size, False), model(prefix, delimiter, after))
    same('max-keys 0', len(list(c('GET', 'l', query=[('list-type', '2'), ('max-keys', '0')]).xml().iter(NS + 'Contents'))), 0)
    same('bad token', c('GET', 'l', query=[('list-type', '2'), ('continuation-token', '!')]).code, 'InvalidArgument')
    same('bad max-keys', c('GET', 'l', query=[('max-keys', 'x')]).code, 'InvalidArgument')
    c('PUT', 'ctl', b'a\x01b')
    try:
        c('GET', 'ctl').xml()
        check('a control byte makes the listing ill-formed', False)
    except ET.ParseError:
        check('a control byte makes the listing ill-formed', True)
    s.admin('POST', 'set?refuse-bad-xml=1')
    same('or is refused', c('GET', 'ctl').status, 500)
    e = list(c('GET', 'b', query=[('prefix', 'src'), ('list-type', '2')]).xml().iter(NS + 'Contents'))[0]
    same('entry', (e.findtext(NS + 'Size'), e.findtext(NS + 'StorageClass'), e.findtext(NS + 'ETag')),
         ('6', 'STANDARD', '"%s"' % hashlib.md5(b'source').hexdigest()))
    s.admin('POST', 'set?quoted-etag=0')
    e = list(c('GET', 'b', query=[('prefix', 'src'), ('list-type', '2')]).xml().iter(NS + 'Contents'))[0]
    same('unquoted', e.findtext(NS + 'ETag'), hashlib.md5(b'source').hexdigest())
    s.admin('POST', 'set?quoted-etag=1')


def test_delete(s):
    c = s.call

    def deletes(xml, digest=True):
        body = ('<Delete>%s</Delete>' % xml).encode()
        h = {'content-md5': base64.b64encode(hashlib.md5(body).digest()).decode()} if digest else {}
        return c('POST', 'd', query=[('delete', '')], body=body, headers=h)

    def result(a):
        return ([e.findtext(NS + 'Key') for e in a.xml().iter(NS + 'Deleted')],
                [(e.findtext(NS + 'Key'), e.findtext(NS + 'Code')) for e in a.xml().iter(NS + 'Error')])

    def there():
        return [line.split(b'\t')[0].decode() for line in s.admin('GET', 'keys?bucket=d')[1].splitlines()]
    etag = '"%s"' % hashlib.md5(b'').hexdigest()
    for k in ('1', '2', '3', '4', 'a\rb', 'a\nb', 'x&y'):
        c('PUT', 'd', k)
    same('no digest', deletes('<Object><Key>1</Key></Object>', False).code, 'InvalidRequest')
    a = deletes('<Object><Key>1</Key></Object><Object><Key>none</Key></Object><Object><Key>2</Key><ETag>"x"</ETag></Object>'
                '<Object><Key>3</Key><ETag>%s</ETag></Object>' % etag)
    same('deletes', result(a), (['1', 'none', '3'], [('2', 'PreconditionFailed')]))
    same('left', there(), ['2', '4', 'a%0Ab', 'a%0Db', 'x%26y'])
    same('quiet', result(deletes('<Quiet>true</Quiet><Object><Key>4</Key></Object>')), ([], []))
    deletes('<Object><Key>a\rb</Key></Object>')
    same('a raw CR is a line feed to XML', there(), ['2', 'a%0Db', 'x%26y'])
    deletes('<Object><Key>a&#13;b</Key></Object><Object><Key>x&amp;y</Key></Object>')
    same('an escaped one is not', there(), ['2'])
    same('1,001 keys', deletes('<Object><Key>k</Key></Object>' * 1001).code, 'MalformedXML')
    same('1,000 keys', deletes('<Object><Key>k</Key></Object>' * 1000).status, 200)
    same('control byte', deletes('<Object><Key>a\x01</Key></Object>').code, 'MalformedXML')
    same('doctype', c('POST', 'd', query=[('delete', '')], body=b'<!DOCTYPE Delete []><Delete><Object><Key>2</Key></Object></Delete>', headers={
        'content-md5': base64.b64encode(hashlib.md5(b'<!DOCTYPE Delete []><Delete><Object><Key>2</Key></Object></Delete>').digest()).decode()
    }).code, 'MalformedXML')
    same('DELETE If-Match', [c('DELETE', 'd', '2', headers={'if-match': e}).status for e in ('"x"', etag, etag)], [412, 204, 404])
    same('DELETE of nothing', c('DELETE', 'd', 'none').status, 204)
    s.admin('POST', 'set?conditional-delete=0')
    c('PUT', 'd', '5')
    same('no conditional delete', result(deletes('<Object><Key>5</Key><ETag>"x"</ETag></Object>')), (['5'], []))
    s.admin('POST', 'set?conditional-delete=1')
    for k in ('ok', 'no1'):
        c('PUT', 'd', k)
    s.admin('POST', 'fault', 'op=deletes-key,key=no*,action=403')
    same('one key denied', result(deletes('<Object><Key>ok</Key></Object><Object><Key>no1</Key></Object>')), (['ok'], [('no1', 'AccessDenied')]))
    s.admin('DELETE', 'fault')
    same('bucket not empty', c('DELETE', 'd').code, 'BucketNotEmpty')
    c('DELETE', 'd', 'no1')
    same('delete bucket', [c('DELETE', 'd').status, c('HEAD', 'd').status], [204, 404])


def test_tagging(s):
    c = s.call
    c('PUT', 'b', 'tagged')
    x = b'<Tagging><TagSet><Tag><Key>k&amp;</Key><Value>v</Value></Tag></TagSet></Tagging>'
    same('put tagging', c('PUT', 'b', 'tagged', query=[('tagging', '')], body=x).status, 200)
    a = c('GET', 'b', 'tagged', query=[('tagging', '')]).xml()
    same('get tagging', [(t.findtext(NS + 'Key'), t.findtext(NS + 'Value')) for t in a.iter(NS + 'Tag')], [('k&', 'v')])
    same('delete tagging', c('DELETE', 'b', 'tagged', query=[('tagging', '')]).status, 204)
    same('eleven tags', c('PUT', 'b', 'tagged', headers={'x-amz-tagging': '&'.join('t%d=' % i for i in range(11))}).code, 'InvalidTag')
    s.admin('POST', 'set?tagging=0')
    same('no tagging', c('GET', 'b', 'tagged', query=[('tagging', '')]).status, 501)
    s.admin('POST', 'set?tagging=1')


def broken(f):
    try:
        f()
        return 'answered'
    except (http.client.IncompleteRead, http.client.RemoteDisconnected, socket.timeout) as e:
        return type(e).__name__
    except ConnectionResetError:
        return 'reset'


def test_faults(s):
    c = s.call
    c('PUT', 'b', 'f', body=b'x' * 1000)

    def fault(spec):
        s.admin('DELETE', 'fault')
        return s.admin('POST', 'fault', spec)[0]

    def exists(k):
        return s.admin('GET', 'object?bucket=b&key=' + k)[0] == 200
    same('bad specifications', [fault(x) for x in ('op=nonsense,action=503', 'op=put', 'action=99', 'op=put,action=what', 'x')], [400] * 5)
    fault('op=get,key=f,nth=2,action=503')
    same('the second', [c('GET', 'b', 'f').status for _ in range(3)], [200, 503, 200])
    fault('op=get,from=2,count=2,action=400:ExpiredToken')
    same('from and count', [c('GET', 'b', 'f').code if i in (1, 2) else c('GET', 'b', 'f').status for i in range(4)],
         [200, 'ExpiredToken', 'ExpiredToken', 200])
    hits = json.loads(s.admin('GET', 'fault')[1])[0]
    same('hit counts', (hits['seen'], hits['fired']), (4, 2))

    def shares():
        fault('op=head,share=0.3,seed=5,action=503')
        return [c('HEAD', 'b', 'f').status for _ in range(200)]
    one = shares()
    check('a share', 30 < one.count(503) < 90, one.count(503))
    same('the same share again', shares(), one)
    fault('op=write,bucket=b,key=new*,action=500')
    same('error, not done', (c('PUT', 'b', 'new').code, exists('new')), ('InternalError', False))
    fault('op=put,action=reset')
    same('reset', (broken(lambda: c('PUT', 'b', 'new')), exists('new')), ('reset', False))
    fault('op=put,action=reset-after')
    same('reset after', (broken(lambda: c('PUT', 'b', 'new')), exists('new')), ('reset', True))
    fault('op=get,action=truncate')
    same('truncate', broken(lambda: c('GET', 'b', 'f')), 'IncompleteRead')
    fault('op=get,action=length')
    same('length', broken(lambda: c('GET', 'b', 'f')), 'IncompleteRead')
    fault('op=list,action=garbage')
    a = c('GET', 'b')
    check('garbage', a.status == 200 and not a.body.startswith(b'<?xml'), a.body)
    fault('op=copy,action=error200')
    a = c('PUT', 'b', 'cp', headers={'x-amz-copy-source': 'b/f'})
    same('error200', (a.status, a.code, exists('cp')), (200, 'InternalError', False))
    fault('op=list,action=outside')
    a = c('GET', 'b', query=[('prefix', 'f'), ('list-type', '2')])
    check('outside', any(not e.findtext(NS + 'Key').startswith('f') for e in a.xml().iter(NS + 'Contents')), a.body)
    fault('op=list,action=doctype')
    check('doctype', b'<!DOCTYPE' in c('GET', 'b').body)
    fault('op=get,action=stall:50')
    same('stall for a time', broken(lambda: c('GET', 'b', 'f')), 'RemoteDisconnected')
    for action, done in (('stall', False), ('stall-after', True)):
        c('DELETE', 'b', 'st')
        fault('op=put,action=' + action)
        seen = []
        t = threading.Thread(target=lambda: seen.append(broken(lambda: c('PUT', 'b', 'st', fresh=True))))
        t.start()
        end = time.time() + 60
        while s.stats()['suspended'] != 1 and time.time() < end:
            time.sleep(0.01)
        same(action, (s.stats()['suspended'], exists('st'), seen), (1, done, []))
        s.admin('DELETE', 'fault')
        t.join(60)
        same(action + ' ends with the fault', (seen, s.stats()['suspended']), (['RemoteDisconnected'], 0))
    s.admin('POST', 'hook', 'when=copy,nth=2,at=before,do=put,bucket=b,key=f,text=changed%2C')
    etag = c('HEAD', 'b', 'f').headers['etag']
    same('a hook changes the source', [c('PUT', 'b', 'cp', headers={'x-amz-copy-source': 'b/f', 'x-amz-copy-source-if-match': etag}).status
                                       for _ in range(2)], [200, 412])
    same('to this', c('GET', 'b', 'f').body, b'changed,')
    s.admin('DELETE', 'hook')


def test_pace(s):
    c = s.call
    s.admin('POST', 'reset')
    s.admin('POST', 'set?latency.head=300&latency.read=0')
    threads, conns = [], []
    begin = time.time()
    for _ in range(20):
        t = threading.Thread(target=lambda: conns.append(one_head(s)))
        t.start()
        threads.append(t)
    [t.join() for t in threads]
    took = time.time() - begin
    st = s.stats()
    check('latency is served by all at once', st['peak']['head'] > 1 and took >= 0.3, (st['peak'], took))
    same('and by all', (conns, st['requests']['head']), ([200] * 20, 20))
    s.admin('POST', 'set?latency.head=3600000')
    late = threading.Thread(target=lambda: conns.append(one_head(s)))
    late.start()
    end = time.time() + 60
    while s.stats()['now'].get('head') != 1 and time.time() < end:
        time.sleep(0.01)
    same('release', s.admin('POST', 'release')[0], 200)
    late.join(60)
    same('what waited goes on', conns[20:], [200])
    s.admin('POST', 'set?latency.head=0&rate.head=20')
    codes = [c('HEAD', 'b', 'mp').status for _ in range(50)]
    check('rate', 200 in codes and 503 in codes, codes)
    st = s.stats()
    same('errors are counted', st['errors']['head']['503'], codes.count(503))
    same('set of nonsense', [s.admin('POST', 'set?' + x)[0] for x in ('nonsense=1', 'latency.nonsense=1', 'latency=x', 'auth=2', '')],
         [404, 404, 400, 400, 400])
    s.admin('POST', 'set?rate.head=0')
    s.admin('POST', 'reset')
    c('GET', 'b', 'mp')
    st = s.stats()
    same('object bytes out', (st['object_bytes_out'], st['total']), ((5 << 20) + 4, 1))
    check('wire bytes', 5 << 20 < st['wire_bytes_out'] < 6 << 20, st['wire_bytes_out'])


def one_head(s):
    other = Server.__new__(Server)
    other.port, other.conn = s.port, None
    status = other.call('HEAD', 'b', 'mp').status
    other.conn.close()
    return status


def test_seed(s):
    same('seed', s.admin('POST', 'seed?bucket=seeded&prefix=p&count=1000&size=50&dirs=3&depth=2&meta=a:b&storage-class=STANDARD_IA')[0], 200)
    lines = s.admin('GET', 'keys?bucket=seeded')[1].decode().splitlines()
    same('seeded', (len(lines), lines[0].split('\t')[0], lines[-1].split('\t')[0]),
         (1000, 'p/dir0000/dir0000/file000000.txt', 'p/dir0002/dir0002/file000999.txt'))
    a = s.call('GET', 'seeded', 'p/dir0000/dir0000/file000000.txt')
    same('content and ETag', ('"%s"' % hashlib.md5(a.body).hexdigest(), len(a.body), a.headers['x-amz-meta-a']), (a.headers['etag'], 50, 'b'))
    t = Server('--seed', 'seeded,prefix=p,count=1000,size=50,dirs=3,depth=2')
    again = t.admin('GET', 'keys?bucket=seeded')[1].decode().splitlines()
    same('the same everywhere', [x.split('\t')[:3] for x in lines], [x.split('\t')[:3] for x in again])
    t.stop()


def test_versions():
    s = Server('--versioning', '--bucket', 'b')
    c = s.call
    same('versioning', c('GET', 'b', query=[('versioning', '')]).xml().findtext(NS + 'Status'), 'Enabled')
    v = [c('PUT', 'b', 'k', body=x).headers['x-amz-version-id'] for x in (b'1', b'2')]
    a = c('DELETE', 'b', 'k')
    same('marker', (a.status, a.headers['x-amz-delete-marker'], c('GET', 'b', 'k').status), (204, 'true', 404))
    same('not listed', b'<Key>' in c('GET', 'b').body, False)
    same('old version', c('GET', 'b', 'k', query=[('versionId', v[0])]).body, b'1')
    c('DELETE', 'b', 'k', query=[('versionId', a.headers['x-amz-version-id'])])
    same('marker removed', c('GET', 'b', 'k').body, b'2')
    c('DELETE', 'b', 'k', query=[('versionId', v[1])])
    same('version removed', c('GET', 'b', 'k').body, b'1')
    s.stop()


def test_limits():
    s = Server('--bucket', 'b', '--max-bytes', '100000')
    same('max-bytes', [s.call('PUT', 'b', k, body=b'x' * 60000).status for k in 'ab'], [200, 507])
    s.call('DELETE', 'b', 'a')
    same('room again', s.call('PUT', 'b', 'c', body=b'x' * 60000).status, 200)
    for raw in (b'GET / HTTP/1.1\r\n\r\n', b'\0' * 100 + b'\r\n\r\n', b'PUT /b/k HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999\r\n\r\n',
                b'GET /' + b'%' * 5000 + b' HTTP/1.1\r\nHost: x\r\n\r\n', b'GET /b?' + b'a&' * 500 + b' HTTP/1.1\r\nHost: x\r\n\r\n',
                b'DELETE /b/k HTTP/1.1\r\nHost: x\r\nAuthorization: AWS4-HMAC-SHA256 Credential=////,SignedHeaders=;;;,Signature=' +
                b'0' * 64 + b'\r\n\r\n'):
        k = socket.create_connection(('127.0.0.1', s.port), timeout=60)
        k.sendall(raw)
        k.close()
    same('lives on', s.call('GET', 'b').status, 200)
    same('no bad options', [subprocess.run([S3D, *x], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode for x in (
        ['--port', 'x'], ['--fault', 'y'], ['--nonsense'], ['--bucket', '_s3d'], ['--tls-cert', '/dev/null'])], [2] * 5)
    same('help', subprocess.run([S3D, '--help'], stdout=subprocess.DEVNULL).returncode, 0)
    s.admin('POST', 'quit')
    same('quit', s.p.wait(60), 0)


def run(*args, **more):
    return subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, **more)


def test_tools(s):
    url = 'http://127.0.0.1:%d' % s.port
    curl = ['curl', '-s', '--aws-sigv4', 'aws:amz:us-east-1:s3', '-H', 'x-amz-content-sha256: UNSIGNED-PAYLOAD', '-o', '/dev/null', '-w',
            '%{http_code}']
    same('curl signs', run(*curl, '-u', 'test:testsecret', url + '/b/mp').stdout, b'200')
    same('curl, wrong secret', run(*curl, '-u', 'test:x', url + '/b/mp').stdout, b'403')
    aws = '/usr/bin/aws'
    if not os.path.exists(aws):
        print('skipped: no %s' % aws)
        return
    base = [aws, '--endpoint-url', url]
    os.makedirs(WORK + '/tree/sub dir')
    for name, data in (('a', b'1'), ('sub dir/b+c&é', b'22'), ('big', os.urandom(9 << 20))):
        open(WORK + '/tree/' + name, 'wb').write(data)
    s.call('PUT', 'aws')
    for step in (('s3', 'sync', WORK + '/tree', 's3://aws/t'), ('s3', 'cp', '--recursive', 's3://aws/t', 's3://aws/u'),
                 ('s3', 'mv', '--recursive', 's3://aws/u', 's3://aws/v'), ('s3', 'sync', 's3://aws/v', WORK + '/back'),
                 ('s3', 'rm', '--recursive', 's3://aws/t'), ('s3api', 'head-object', '--bucket', 'aws', '--key', 'v/big'),
                 ('s3api', 'delete-objects', '--bucket', 'aws', '--delete', 'Objects=[{Key=v/a}]')):
        r = run(*base, *step)
        same('aws ' + ' '.join(step[:2]), r.returncode, 0 if r.returncode == 0 else r.stdout)
    same('came back the same', run('diff', '-r', WORK + '/tree', WORK + '/back').returncode, 0)
    same('left', sorted(x.split(b'\t')[0] for x in s.admin('GET', 'keys?bucket=aws')[1].splitlines()),
         [b'v/big', b'v/sub%20dir/b%2Bc%26%C3%A9'])


def test_tls():
    cert, key = WORK + '/cert.pem', WORK + '/key.pem'
    run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=127.0.0.1', '-addext',
        'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert)
    s = Server('--tls-cert', cert, '--tls-key', key, '--seed', 'b,count=1,size=300000', '--fault', 'op=head,action=reset', '--latency', 'get=20')
    r = run('curl', '-sf', '--cacert', cert, '--aws-sigv4', 'aws:amz:us-east-1:s3', '-u', 'test:testsecret', '-H',
            'x-amz-content-sha256: UNSIGNED-PAYLOAD', 'https://127.0.0.1:%d/b/file000000.txt' % s.port)
    same('https', (r.returncode, len(r.stdout)), (0, 300000))
    s.stop()


test_auth()
server = Server('--bucket', 'b', '--bucket', 'c', '--bucket', 'd', '--bucket', 'l', '--bucket', 'odd', '--bucket', 'odd2', '--bucket', 'ctl')
same('list buckets', [e.findtext(NS + 'Name') for e in server.call('GET').xml().iter(NS + 'Bucket')], ['b', 'c', 'ctl', 'd', 'l', 'odd', 'odd2'])
same('create twice', server.call('PUT', 'b').code, 'BucketAlreadyOwnedByYou')
same('location', server.call('GET', 'b', query=[('location', '')]).xml().text, None)
for test in (test_objects, test_copy, test_multipart, test_list, test_delete, test_tagging, test_faults, test_pace, test_seed, test_tools):
    test(server)
server.stop('SIGTERM ends the main one with status 0')
test_versions()
test_limits()
test_tls()
print('%d passed, %d failed' % (passed, failed))
sys.exit(failed != 0)
EOP
"$python" -W ignore "$work/check.py" "$s3d" "$work"
