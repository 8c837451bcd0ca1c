#!/usr/bin/env python3
"""Random cp, mv, rm, ls, cat and find processes, several at once, against a model of the tree, with faults on.

    stress.py --mount DIR --beside DIR --server URL --bucket B [--seconds S] [--seed N] [--workers N] [--deadline S] [--log FILE]

DIR shows the bucket; the directory beside shows the same by a bind mount, so that mv between the two is a copy and
a removal.  Each worker owns the names below its own directory w0, w1, ... and runs one process at a time, whose
exit status is checked against what the server holds at that instant:

  - 0: done as asked: exactly the keys and contents that it has to be
  - anything else: nothing is lost, and nothing has another content than one of those it may have

Its sources are its own trees, those below shared/, which nobody changes, and at times another worker's, which is
being copied, moved and removed meanwhile: of such a copy each file has to be one that was there under that name.
No process may last longer than the deadline.  At the end the faults are taken away, and the server and what is
shown have to be the model's, before the mount is given up and after.
"""
import argparse
import hashlib
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

from tries import untold

EMPTY = hashlib.md5(b"").hexdigest()
TREES = 6  # that a worker owns at most
FILES = 400  # that a tree it copies has at most


class Failure(Exception):
    pass


class Server:
    def __init__(self, url, bucket):
        self.url, self.bucket = url, bucket

    def ask(self, method, path, data=None):
        request = urllib.request.Request(f"{self.url}/_s3d/{path}", method=method, data=data and data.encode())
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read().decode()

    def below(self, prefix):
        """{key after the prefix: md5}"""
        quoted = urllib.parse.quote(prefix, safe="")
        found = {}
        for line in self.ask("GET", f"keys?bucket={self.bucket}&prefix={quoted}").splitlines():
            key, _, etag = line.split("\t")[:3]
            found[urllib.parse.unquote(key)[len(prefix):]] = etag.strip('"')
        return found


class Faults(threading.Thread):
    """Other ones every second or so; each is a line of tests/s3d/fault.h."""

    PASSING = ["op=any,share=0.02,action=503:SlowDown", "op=any,share=0.02,action=500:InternalError",
               "op=any,share=0.01,action=reset", "op=copy,share=0.02,action=error200:InternalError",
               "op=copy,share=0.01,action=reset-after", "op=put,share=0.05,action=reset",
               "op=deletes,share=0.1,action=503:SlowDown", "op=list,share=0.05,action=reset",
               "op=list,share=0.03,action=truncate", "op=head,share=0.05,action=500:InternalError"]
    REFUSING = ["op=copy,key=w*{d}*,action=403:AccessDenied", "op=copy,share=0.01,action=403:AccessDenied",
                "op=deletes-key,key=w*{d}*.txt,action=403:AccessDenied",
                "op=delete,share=0.05,action=403:AccessDenied", "op=put,share=0.05,action=403:AccessDenied",
                "op=list,share=0.02,action=403:AccessDenied", "op=head,share=0.02,action=403:AccessDenied"]

    def __init__(self, server, rng):
        super().__init__(daemon=True)
        self.server, self.rng, self.over = server, rng, threading.Event()

    def change(self):
        rng = self.rng
        self.server.ask("DELETE", "fault")
        lines = rng.sample(self.PASSING, rng.randrange(4)) if rng.random() < 0.8 else []
        if rng.random() < 0.35:
            lines.append(rng.choice(self.REFUSING).replace("{d}", str(rng.randrange(10))))
        if lines:
            self.server.ask("POST", "fault", "\n".join(f"{line},seed={rng.randrange(1 << 30)}" for line in lines))
        late = {op: rng.choice([0, 0, 2, 10, 40]) for op in ("copy", "put", "list", "head", "deletes", "delete", "get")}
        self.server.ask("POST", "set?" + "&".join(f"latency.{op}={ms}" for op, ms in late.items()))

    def run(self):
        while not self.over.wait(self.rng.uniform(0.3, 1.5)):
            self.change()

    def end(self):
        self.over.set()
        self.join()
        self.server.ask("DELETE", "fault")
        self.server.ask("POST", "set?latency=0&latency.copy=0&latency.put=0&latency.list=0&latency.head=0"
                        "&latency.deletes=0&latency.delete=0&latency.get=0")


class Contents:
    """Every content that was ever made, and under which name."""

    def __init__(self):
        self.names, self.lock = {EMPTY: None}, threading.Lock()

    def add(self, text, name):
        digest = hashlib.md5(text.encode()).hexdigest()
        with self.lock:
            self.names[digest] = name
        return digest

    def fits(self, digest, key):
        with self.lock:
            if digest not in self.names:
                return False
            name = self.names[digest]
        return name is None or name == key.rsplit("/", 1)[-1]


class Worker(threading.Thread):
    def __init__(self, stress, number):
        super().__init__()
        self.stress, self.number, self.home = stress, number, f"w{number}"
        self.rng = random.Random(f"{stress.args.seed}/{number}")
        self.trees = {}  # name: {key below it: md5}; only this thread changes it
        # Where a removal failed, a marker may come once its process has ended: the directory that it emptied stays.
        self.loose = set()
        self.made = 0
        self.counts, self.failure, self.longest = {}, None, (0.0, "")
        self.lines = []  # what it did, the newest last

    # ---- processes ----

    def path(self, where, beside=False):
        return os.path.join(self.stress.args.beside if beside else self.stress.args.mount, where)

    def run_process(self, *command):
        started = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            out, err = process.communicate(timeout=self.stress.args.deadline)
        except subprocess.TimeoutExpired:
            self.stress.stuck.append(process.pid)
            raise Failure(f"still running after {self.stress.args.deadline} s: {' '.join(command)}\n"
                          + state_of(process.pid)) from None
        status = process.returncode
        self.stress.ended[process.pid] = status
        self.longest = max(self.longest, (time.monotonic() - started, " ".join(command)))
        self.lines.append(f"{started - self.stress.began:8.3f} +{time.monotonic() - started:.3f} {' '.join(command)}"
                          f" -> {status} {err.decode(errors='replace')[:300].strip()}")
        count = self.counts.setdefault(command[0], [0, 0])
        count[status != 0] += 1
        return status, out

    def settle(self):
        """A process that failed may leave behind what is still under way."""
        try:
            fd = os.open(self.path(self.home), os.O_RDONLY)
        except OSError:
            return
        try:
            os.fsync(fd)
        except OSError:
            pass
        os.close(fd)

    def held(self, tree):
        return self.stress.server.below(f"{self.home}/{tree}/")

    # ---- checks ----

    def wrong(self, what, got, wanted):
        lines = [what]
        for key in sorted(set(got) | set(wanted)):
            if got.get(key) != wanted.get(key):
                lines.append(f"  {key!r}: server {got.get(key)}, model {wanted.get(key)}")
        raise Failure("\n".join(lines[:30]))

    def exactly(self, what, tree, wanted):
        got = self.held(tree)
        if got != wanted and not (tree in self.loose and files_of(got) == files_of(wanted)):
            self.wrong(f"{what}: {self.home}/{tree}", got, wanted)

    def still_as_was(self, *trees):
        """Nobody but this worker changes its trees, and nothing of what it did comes late."""
        for tree in trees:
            self.exactly("changed since the process that made it ended", tree, self.trees[tree])

    def adopt(self, tree):
        got = self.held(tree)
        if got:
            self.trees[tree] = got
        else:
            self.trees.pop(tree, None)

    def one_of(self, what, tree, got, *may_be):
        """Each file has one of the contents that it may have."""
        for key, digest in got.items():
            if not key.endswith("/") and key and all(digest != model.get(key) for model in may_be):
                raise Failure(f"{what}: {self.home}/{tree}/{key} is {digest}, none of "
                              f"{[model.get(key) for model in may_be]}")

    # ---- what it does ----

    def new_name(self):
        self.made += 1
        return f"t{self.made}"

    def own(self):
        names = [name for name, keys in self.trees.items() if len(keys) < FILES]
        return self.rng.choice(names) if names else None

    def source(self):
        """(where it is, its keys or None where somebody else changes them)"""
        kind = self.rng.random()
        if kind < 0.35 or not self.trees:
            name = self.rng.choice(sorted(self.stress.shared))
            return f"shared/{name}", self.stress.shared[name]
        if kind < 0.75:
            name = self.own()
            return (f"{self.home}/{name}", self.trees[name]) if name else self.source()
        other = self.rng.choice(self.stress.workers)
        names = list(other.trees)
        if other is self or not names:
            return self.source()
        return f"{other.home}/{self.rng.choice(names)}", None

    def copy(self):
        if len(self.trees) >= TREES:
            return self.remove()
        (where, keys), to = self.source(), self.new_name()
        beside = self.rng.random() < 0.3
        status, _ = self.run_process("cp", self.rng.choice(["-r", "-a"]), self.path(where),
                                     self.path(f"{self.home}/{to}", beside))
        loose = keys is not None and where.startswith(f"{self.home}/") and where.split("/")[1] in self.loose
        if status != 0:
            self.settle()
        got = self.held(to)
        if status == 0 and keys is not None and got != keys and not (loose and files_of(got) == files_of(keys)):
            self.wrong(f"cp -r ended with 0: {self.home}/{to}", got, keys)
        for key, digest in got.items():
            if keys is None and not key.endswith("/") and key and not self.stress.contents.fits(digest, key):
                raise Failure(f"copied from {where}: {to}/{key} has a content that it never had: {digest}")
        if keys is not None:
            self.one_of("cp -r failed", to, got, keys)
            if where.startswith(f"{self.home}/"):
                self.still_as_was(where.split("/")[1])
        self.adopt(to)
        return None

    def merge(self):
        """Onto a tree that is there: what it overwrites stays until the new one has landed."""
        to = self.own()
        name = self.rng.choice(sorted(self.stress.shared))
        keys = self.stress.shared[name]
        if not to:
            return
        before = self.trees[to]
        status, _ = self.run_process("cp", "-rT", self.path(f"shared/{name}"), self.path(f"{self.home}/{to}"))
        if status != 0:
            self.settle()
        got = self.held(to)
        files, wanted = files_of(got), files_of({**before, **keys})
        # Which directories needed a marker depends on what was there.
        if status == 0 and files != wanted:
            self.wrong(f"cp -rT onto {to} ended with 0", files, wanted)
        self.one_of("cp -rT failed", to, got, before, keys)
        lost = [key for key in before if key not in got]
        if lost:
            raise Failure(f"cp -rT onto {to} lost {lost}")
        self.trees[to] = got

    def move(self):
        name, to = self.own(), self.new_name()
        if not name:
            return
        beside = self.rng.random() < 0.4
        keys = self.trees[name]
        status, _ = self.run_process("mv", self.path(f"{self.home}/{name}"), self.path(f"{self.home}/{to}", beside))
        if status == 0:
            self.exactly("mv ended with 0: the old place", name, {})
            if name in self.loose:
                self.loose.add(to)
            self.exactly("mv ended with 0: the new place", to, keys)
            self.trees[to] = self.trees.pop(name)
            return
        self.settle()
        self.loose |= {name, to}
        old = self.held(name)
        # mv that met an error takes a new place that is there by now for a directory to move into.
        new = {key.removeprefix(f"{name}/"): digest for key, digest in self.held(to).items()}
        self.one_of("mv failed: the old place", name, old, keys)
        self.one_of("mv failed: the new place", to, new, keys)
        lost = [key for key in keys if key and not key.endswith("/") and key not in old and key not in new]
        if lost:
            raise Failure(f"mv {name} {to} failed and lost {lost[:10]}")
        self.adopt(name)
        self.adopt(to)

    def remove(self):
        name = self.own()
        if not name:
            return
        keys, path = self.trees[name], self.path(f"{self.home}/{name}")
        command = self.rng.choice([("rm", "-r", path), ("rm", "-rf", path), ("find", path, "-delete")])
        status, _ = self.run_process(*command)
        if status == 0:
            self.exactly(f"{command[0]} ended with 0", name, {})
            del self.trees[name]
            return
        self.settle()
        self.loose.add(name)
        self.one_of("rm failed", name, self.held(name), keys)
        self.adopt(name)

    def write(self):
        """One file of a tree: copied from outside, from another one, or by a shell."""
        tree = self.own() or self.new_name()
        before = self.trees.get(tree, {})
        files = sorted(files_of(before))
        if files and self.rng.random() < 0.5:
            key = self.rng.choice(files)
        else:
            if tree not in self.trees and self.run_process("mkdir", self.path(f"{self.home}/{tree}"))[0] != 0:
                self.settle()
                self.adopt(tree)
                return
            key = f"own{self.rng.randrange(1000)}.txt"
            before = self.held(tree)
        path = self.path(f"{self.home}/{tree}/{key}")
        text = f"{self.home} {tree} {key} {self.rng.random()}\n" * self.rng.randrange(1, 50)
        digest = self.stress.contents.add(text, key.rsplit("/", 1)[-1])
        local = os.path.join(self.stress.scratch, f"{self.home}.local")
        with open(local, "w", encoding="utf-8") as file:
            file.write(text)
        if self.rng.random() < 0.5:
            status, _ = self.run_process("cp", local, path)
        else:
            status, _ = self.run_process("sh", "-c", 'cat "$1" >"$2"', "sh", local, path)
        if status != 0:
            self.settle()
        got = self.held(tree)
        if status == 0 and got.get(key) != digest:
            raise Failure(f"written with 0: {tree}/{key} is {got.get(key)}, not {digest}")
        if got.get(key) not in (before.get(key), digest, EMPTY):
            raise Failure(f"a failed write: {tree}/{key} is {got.get(key)}: neither {before.get(key)} nor {digest}")
        rest = {other: content for other, content in before.items() if other != key and not other.endswith("/")}
        self.one_of("a file was written beside it", tree, {k: v for k, v in got.items() if k != key}, before)
        if any(other not in got for other in rest):
            raise Failure(f"writing {tree}/{key} lost {[other for other in rest if other not in got]}")
        self.adopt(tree)

    def look(self):
        """A reader: of an own or a shared tree it sees what is there, of others' anything."""
        where, keys = self.source()
        path = self.path(where, self.rng.random() < 0.3)
        kind = self.rng.randrange(3)
        if kind == 0:
            self.run_process("ls", "-lR", path)
        elif kind == 1:
            status, out = self.run_process("find", path, "-type", "f", "-printf", "%P\\n")
            shown = sorted(out.decode().split("\n")[:-1])
            there = sorted(files_of(keys or {}))
            if status == 0 and keys is not None and shown != there:
                raise Failure(f"find {where} shows {sorted(set(shown) ^ set(there))[:10]} otherwise than the server")
        else:
            self.read(path, where, keys)

    def read(self, path, where, keys):
        if keys is None:
            self.run_process("sh", "-c", 'find "$1" -type f -exec cat {} + | wc -c', "sh", path)
            return
        files = sorted(files_of(keys))
        if not files:
            return
        key = self.rng.choice(files)
        status, out = self.run_process("cat", f"{path}/{key}")
        if status == 0 and hashlib.md5(out).hexdigest() != keys[key]:
            raise Failure(f"cat {where}/{key} is not what the server has")

    def step(self):
        actions = [(self.copy, 8), (self.merge, 2), (self.move, 5), (self.remove, 3), (self.write, 3), (self.look, 6)]
        action = self.rng.choices([a for a, _ in actions], [w for _, w in actions])[0]
        self.still_as_was(*self.rng.sample(sorted(self.trees), min(2, len(self.trees))))
        action()

    def run(self):
        try:
            while time.monotonic() < self.stress.until and not self.stress.failed.is_set():
                self.step()
        except Failure as failure:
            self.failure = str(failure)
            self.stress.failed.set()
        except Exception as error:  # a defect of this program, told as one
            self.failure = repr(error)
            self.stress.failed.set()
            raise

    def final(self):
        """Without faults: the server and what is shown are the model."""
        for tree in sorted(self.trees):
            self.exactly("at the end", tree, self.trees[tree])
            shown = {}
            top = self.path(f"{self.home}/{tree}")
            for directory, _, files in os.walk(top):
                for name in files:
                    path = os.path.join(directory, name)
                    with open(path, "rb") as file:
                        shown[os.path.relpath(path, top)] = hashlib.md5(file.read()).hexdigest()
            wanted = files_of(self.trees[tree])
            if shown != wanted:
                self.wrong(f"shown at the end: {self.home}/{tree}", shown, wanted)
        there = {key.split("/")[0] for key in self.stress.server.below(f"{self.home}/")
                 if key and not (key.endswith("/") and key.split("/")[0] in self.loose)}
        there |= set(self.trees) & self.loose
        if there != set(self.trees):
            raise Failure(f"{self.home} has {sorted(there)} at the server, {sorted(self.trees)} in the model")


def files_of(keys):
    return {key: digest for key, digest in keys.items() if key and not key.endswith("/")}


def state_of(pid):
    lines = []
    for name in ("wchan", "stack", "syscall"):
        try:
            with open(f"/proc/{pid}/{name}", encoding="ascii", errors="replace") as file:
                lines.append(f"  {name}: {file.read().strip()}")
        except OSError:
            pass
    return "\n".join(lines)


class Stress:
    def __init__(self, args):
        self.args, self.failed, self.stuck = args, threading.Event(), []
        self.ended = {}  # pid: exit status
        self.server = Server(args.server, args.bucket)
        self.contents = Contents()
        self.scratch = tempfile.mkdtemp(prefix="ferryfs-stress.")
        self.shared = {}
        self.workers = [Worker(self, number) for number in range(args.workers)]
        self.began = time.monotonic()
        self.until = self.began + args.seconds

    def prepare(self):
        rng = random.Random(self.args.seed)
        for number in range(5):
            name = f"s{number}"
            for _ in range(rng.randrange(5, 60)):
                depth = "".join(f"d{rng.randrange(3)}/" for _ in range(rng.randrange(3)))
                base = f"f{rng.randrange(1000)}.txt"
                text = "" if rng.random() < 0.05 else f"shared {depth}{base} {rng.random()}"
                self.contents.add(text, base if text else None)
                self.put(f"shared/{name}/{depth}{base}", text)
            for marker in rng.sample(["", "d0/", "d1/", "e0/", "z9/"], rng.randrange(4)):
                self.put(f"shared/{name}/{marker}", "")
            self.shared[name] = self.server.below(f"shared/{name}/")
        for worker in self.workers:
            self.put(f"{worker.home}/", "")

    def put(self, key, text):
        quoted = urllib.parse.quote(key, safe=""), urllib.parse.quote(text, safe="")
        self.server.ask("POST", f"overwrite?bucket={self.args.bucket}&key={quoted[0]}&text={quoted[1]}")

    def run(self):
        self.prepare()
        faults = Faults(self.server, random.Random(f"{self.args.seed}/faults"))
        faults.start()
        for worker in self.workers:
            worker.start()
        for worker in self.workers:
            worker.join()
        faults.end()
        failures = [(worker, worker.failure) for worker in self.workers if worker.failure]
        if not failures:
            failures = self.finals()
        failures += [(self.workers[0], f"told that all went well: {line}") for line in self.untold()]
        for worker, text in failures:
            print(f"--- {worker.home}: {text}\nwhat it did last:")
            trees = re.findall(r"\bt\d+\b", text[:2000])
            print("\n".join(line for at, line in enumerate(worker.lines)
                            if at >= len(worker.lines) - 12 or any(tree in re.findall(r"\bt\d+\b", line)
                                                                   for tree in trees)))
        return 1 if failures else self.summary()

    def untold(self):
        if not self.args.log:
            return []
        with open(self.args.log, encoding="utf-8", errors="replace") as log:
            return untold(log.read(), self.ended)

    def finals(self):
        failures = []
        for worker in self.workers:
            try:
                worker.final()
            except (Failure, OSError) as failure:
                failures.append((worker, str(failure)))
        for name, keys in self.shared.items():
            if self.server.below(f"shared/{name}/") != keys:
                failures.append((self.workers[0], f"shared/{name} has changed"))
        return failures

    def summary(self):
        total = {}
        for worker in self.workers:
            for command, (good, bad) in worker.counts.items():
                count = total.setdefault(command, [0, 0])
                count[0] += good
                count[1] += bad
        print("processes that ended with 0, and with anything else:",
              ", ".join(f"{command} {good}+{bad}" for command, (good, bad) in sorted(total.items())))
        longest, command = max(worker.longest for worker in self.workers)
        print(f"the longest took {longest:.1f} s: {command}")
        good, bad = (sum(count[i] for count in total.values()) for i in (0, 1))
        if good < bad or (self.args.seconds >= 20 and bad == 0):
            print("too few succeeded, or none failed: nothing was shown")
            return 1
        return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mount", required=True)
    parser.add_argument("--beside", required=True)
    parser.add_argument("--server", required=True)
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--workers", type=int, default=5)
    parser.add_argument("--log", help="the daemon's")
    parser.add_argument("--deadline", type=float, default=120)
    args = parser.parse_args()
    if args.seed is None:
        args.seed = random.randrange(1 << 30)
    print(f"SEED={args.seed} seconds={args.seconds:g} workers={args.workers}", flush=True)
    stress = Stress(args)
    status = stress.run()
    sys.stdout.flush()
    if stress.stuck:
        os._exit(1)  # threads may wait for what never ends
    sys.exit(status)


if __name__ == "__main__":
    main()
