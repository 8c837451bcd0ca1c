#!/usr/bin/env python3
"""Random calls on files, on a mount and on a local directory side by side: results, contents and errors are the same.

    calls.py --mount DIR --local DIR [--calls N] [--seed N]

One process opens, reads, writes, appends, truncates, syncs, renames, unlinks, maps and copies (whole files and parts),
with several descriptors of a file at once, on names whose files come and go below open descriptors.  Every call is made
on both sides; what it returns, or its errno, has to be the same.  At the end all descriptors are closed and the two
directories compared.
"""
import argparse
import errno
import os
import random
import sys

NAMES = [f"f{i}" for i in range(6)] + [f"d/g{i}" for i in range(3)]
SIZE = 20000
# Errors that differ by nature are none here: what a local file system says is what the mount has to say.


class Sides:
    def __init__(self, mount, local):
        self.roots = (mount, local)
        self.open = []  # (descriptor of the mount, local descriptor, may read, may write)
        self.calls = 0

    def both(self, what, function):
        """function(side) on both; their results or errnos have to be one."""
        results = []
        for side in (0, 1):
            try:
                results.append(function(side))
            except OSError as e:
                results.append(("errno", errno.errorcode.get(e.errno, e.errno)))
        self.calls += 1
        if results[0] != results[1]:
            shown = [r if not isinstance(r, bytes) else (len(r), r[:60]) for r in results]
            raise SystemExit(f"call {self.calls}: {what}: the mount {shown[0]}, local {shown[1]}")
        return results[0]

    def path(self, side, name):
        return os.path.join(self.roots[side], name)


def content(rng):
    return bytes([rng.randrange(65, 91)]) * rng.choice((1, 10, 100, 4096, 5000))


def do_open(s, rng):
    if len(s.open) > 12:
        return do_close(s, rng)
    name = rng.choice(NAMES)
    access = rng.choice((os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_RDWR))
    flags = access
    for flag, share in ((os.O_CREAT, 0.6), (os.O_TRUNC, 0.25), (os.O_APPEND, 0.2), (os.O_EXCL, 0.1)):
        if rng.random() < share and not (flag == os.O_TRUNC and access == os.O_RDONLY):
            flags |= flag
    if flags & os.O_EXCL:
        flags |= os.O_CREAT
    opened = [None, None]

    def call(side):
        opened[side] = os.open(s.path(side, name), flags, 0o644)
        return "open"
    if s.both(f"open {name} {flags:o}", call) == "open":
        s.open.append((opened[0], opened[1], access != os.O_WRONLY, access != os.O_RDONLY))


def pick(s, rng, writes=None):
    there = [o for o in s.open if writes is None or o[3 if writes else 2]]
    return rng.choice(there) if there else None


def do_close(s, rng):
    o = pick(s, rng)
    if o:
        s.open.remove(o)
        s.both("close", lambda side: os.close(o[side]))


def do_dup(s, rng):
    o = pick(s, rng)
    if o:
        s.open.append((os.dup(o[0]), os.dup(o[1]), o[2], o[3]))
        do_close(s, rng)


def do_read(s, rng):
    o, at, n = pick(s, rng, False), rng.randrange(SIZE), rng.choice((1, 100, 4096, 30000))
    if o:
        s.both(f"pread {n} at {at}", lambda side: os.pread(o[side], n, at))


def do_write(s, rng):
    o, data, at = pick(s, rng, True), content(rng), rng.randrange(SIZE)
    if o and rng.random() < 0.5:
        s.both(f"pwrite at {at}", lambda side: os.pwrite(o[side], data, at))
    elif o:
        s.both("write", lambda side: os.write(o[side], data))


def do_truncate(s, rng):
    o, n, name = pick(s, rng, True), rng.choice((0, 0, 5, 5000, 15000)), rng.choice(NAMES)
    if o and rng.random() < 0.6:
        s.both(f"ftruncate {n}", lambda side: os.ftruncate(o[side], n))
    else:
        s.both(f"truncate {name} {n}", lambda side: os.truncate(s.path(side, name), n))


def do_sync(s, rng):
    o = pick(s, rng)
    if o:
        s.both("fsync", lambda side: os.fsync(o[side]))


def do_rename(s, rng):
    a, b = rng.choice(NAMES), rng.choice(NAMES)
    s.both(f"rename {a} {b}", lambda side: os.rename(s.path(side, a), s.path(side, b)))


def do_unlink(s, rng):
    name = rng.choice(NAMES)
    s.both(f"unlink {name}", lambda side: os.unlink(s.path(side, name)))


def do_stat(s, rng):
    o = pick(s, rng)
    if o and rng.random() < 0.5:
        s.both("fstat", lambda side: (os.fstat(o[side]).st_size, os.fstat(o[side]).st_nlink))
    else:
        name = rng.choice(NAMES)
        s.both(f"stat {name}", lambda side: os.stat(s.path(side, name)).st_size)


def do_list(s, rng):
    s.both("list", lambda side: sorted(os.listdir(s.roots[side])) + sorted(os.listdir(s.path(side, "d"))))


def size_of(o):
    return os.fstat(o[1]).st_size


def do_copy(s, rng):
    """copy_file_range of a whole file or a part, from the beginning or anywhere; onto itself the kernels differ."""
    a, b = pick(s, rng, False), pick(s, rng, True)
    if not a or not b or os.fstat(a[1]).st_ino == os.fstat(b[1]).st_ino or size_of(a) == 0:
        return
    size = size_of(a)
    n = rng.choice((size, size, 1, 4096, size // 2 or 1))
    at = rng.choice((0, 0, 0, rng.randrange(size)))
    to = rng.choice((0, at, rng.randrange(SIZE)))
    n = min(n, size - at)

    def call(side):
        left, moved = n, 0
        while left > 0:
            got = os.copy_file_range(a[side], b[side], left, at + moved, to + moved)
            if got == 0:
                break
            left, moved = left - got, moved + got
        return moved
    s.both(f"copy_file_range {n} of {size} from {at} to {to}", call)


def do_write_file(s, rng):
    name, data = rng.choice(NAMES), content(rng)

    def call(side):
        with open(s.path(side, name), "wb") as f:
            f.write(data)
    s.both(f"write {name}", call)


def do_read_file(s, rng):
    name = rng.choice(NAMES)

    def call(side):
        with open(s.path(side, name), "rb") as f:
            return f.read()
    s.both(f"read {name}", call)


CALLS = [(do_open, 14), (do_close, 8), (do_dup, 3), (do_read, 14), (do_write, 16), (do_truncate, 5), (do_sync, 3), (do_rename, 9),
         (do_unlink, 5), (do_stat, 6), (do_list, 2), (do_copy, 9), (do_write_file, 3), (do_read_file, 3)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mount", required=True)
    parser.add_argument("--local", required=True)
    parser.add_argument("--calls", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    args = parser.parse_args()
    print(f"SEED={args.seed}")
    rng = random.Random(args.seed)
    s = Sides(args.mount, args.local)
    for root in s.roots:
        os.mkdir(os.path.join(root, "d"))
    functions, weights = zip(*CALLS)
    while s.calls < args.calls:
        rng.choices(functions, weights)[0](s, rng)
    while s.open:
        do_close(s, rng)
    for name in NAMES:
        s.both(f"at the end: {name}", lambda side, name=name: open(s.path(side, name), "rb").read())
    do_list(s, rng)
    print(f"{s.calls} calls, all the same")


if __name__ == "__main__":
    sys.exit(main())
