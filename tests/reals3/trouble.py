"""Faults and hooks of the front, in the embedded server's own language (tests/s3d/fault.h)."""
import random
from fnmatch import fnmatchcase
from urllib.parse import unquote, unquote_to_bytes

import wire

ACTIONS = {'reset', 'reset-after', 'stall', 'stall-after', 'truncate', 'length', 'garbage', 'error200'}


class Unsupported(Exception):
    """What a real server can't be made to do: the case is skipped with these words."""


def fields_of(spec):
    return dict(item.split('=', 1) for item in spec.split(','))


class Fault:
    def __init__(self, spec):
        fields = fields_of(spec)
        self.spec, self.seen, self.fired = spec, 0, 0
        self.op = fields.get('op', 'any')
        self.key = unquote(fields['key'], 'latin-1') if 'key' in fields else None
        self.bucket = fields.get('bucket')
        self.nth, self.start, self.count = (int(fields.get(name, 0)) for name in ('nth', 'from', 'count'))
        self.share = float(fields.get('share', 1))
        self.random = random.Random(int(fields.get('seed', 1)))
        self.action, _, self.argument = fields['action'].partition(':')
        if self.action not in ACTIONS and not self.action.isdigit():
            raise Unsupported('the fault %s' % self.action)

    def fires(self, op, bucket, key):
        if not wire.op_in(op, self.op) or (self.bucket and not fnmatchcase(bucket, self.bucket)):
            return False
        if self.key is not None and not fnmatchcase(key.decode('latin-1'), self.key):
            return False
        self.seen += 1
        if (self.nth and self.seen != self.nth) or self.seen < self.start or (self.count and self.fired >= self.count):
            return False
        return self.share >= 1 or self.random.random() < self.share


class Hook:
    def __init__(self, spec):
        fields = fields_of(spec)
        self.when, self.at, self.do = fields['when'], fields.get('at', 'before'), fields['do']
        self.nth, self.seen = int(fields.get('nth', 1)), 0
        self.bucket, self.key = unquote(fields['bucket']), unquote_to_bytes(fields['key'])
        self.text = unquote_to_bytes(fields.get('text', ''))

    def due(self, op, at):
        if self.at != at or not wire.op_in(op, self.when):
            return False
        self.seen += 1
        return self.seen == self.nth

    async def run(self, client):
        if self.do == 'delete':
            await client.must('DELETE', self.bucket, self.key)
        else:
            await client.put(self.bucket, self.key, self.text)


class Trouble:
    def __init__(self):
        self.faults, self.hooks = [], []

    def decide(self, op, bucket, key):
        """The first fault that fires, or None; every one that matches is counted."""
        verdict = None
        for fault in self.faults:
            if fault.fires(op, bucket, key) and not verdict:
                fault.fired += 1
                verdict = fault
        return verdict

    async def run_hooks(self, op, at, client):
        for hook in self.hooks:
            if hook.due(op, at):
                await hook.run(client)


CODES = {'400': 'InvalidArgument', '403': 'AccessDenied', '404': 'NoSuchKey', '429': 'TooManyRequests', '500': 'InternalError',
         '503': 'SlowDown'}


def error_document(status, code):
    code = code or CODES.get(status, 'Error')
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>%s</Code><Message>a fault</Message>'
            '<RequestId>front</RequestId></Error>' % code).encode()
