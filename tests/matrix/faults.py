#!/usr/bin/env python3
"""The fault matrix: every kind of request, met by every kind of fault, under every command.

    faults.py [--all [--part K/N]] [--seed N] [--seconds S] [--workers N] [--only TEXT] [--repeat N] [--list]

Each worker has an embedded server, a proxy that can refuse connections, and one mount, used for many
combinations (a fresh prefix each).  A combination is COMMAND/KIND/FAULT/WHEN: the fault meets the first
request of that kind, all of them, or all but the first.  What must hold:

  - exit status 0 only if the server then has exactly what the command promises
  - every object is at its old or its new place, with its own content; neighbours are untouched
  - nothing runs past BOUND seconds
  - when the fault has ended, the mount shows what the server has, and the same command succeeds
  - a fault that passes (`first`) and may be tried again is not told to anybody
  - no multipart upload is left behind, but where the fault kept it from being aborted

Without --all a sample runs, chosen by the seed, for about --seconds; --part=K/N takes the K-th of N parts, chosen
by the names, which together are all.  As root in a mount namespace of its own (own_mounts.py).  FERRYFS and S3D
name the programs.
"""
import argparse
import hashlib
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib

from own_mounts import own_mounts
from proxy import Proxy
from tries import Tries, end_at_sigterm, untold

FERRYFS = os.environ.get("FERRYFS", "./ferryfs")
S3D = os.environ.get("S3D", "build/s3d")
BOUND = 240  # s: a name looked up anew in each call (cache_ttl=0) is some 200 requests a command, of two attempts with a pause
MEBI = 1 << 20
OPTIONS = "timeout=1.5,retries=1,connect_timeout=1.5,cache_ttl=0,part_threshold=6M,part_size=5M"

COMMANDS = ["cp", "mv", "rm", "read", "write", "edit", "url-cp", "url-mv", "url-rm"]
KINDS = ["list", "head", "get", "put", "copy", "delete", "deletes", "create-upload", "upload-part", "copy-part",
         "complete", "abort", "list-uploads", "get-tagging"]
FAULTS = {
    "503": "503:SlowDown", "500": "500:InternalError", "429": "429:TooManyRequests",
    "refused": None, "reset": "reset", "reset-after": "reset-after", "stall": "stall", "stall-after": "stall-after",
    "truncated": "truncate", "garbage": "garbage", "error200": "error200", "length": "length",
    "expired": "400:ExpiredToken", "skew": "403:RequestTimeTooSkewed", "denied": "403:AccessDenied",
}
# Answered by something that is no S3: an ingress without a backend, a portal.  Redirects are not asked again.
FOREIGN = {"foreign-%d" % status: "foreign:%d" % status for status in (200, 301, 302, 404, 405, 412)}
# Outages: each passes within what a call may be made to wait, whenever it begins, and is then told to nobody.
OUTAGES = {"outage-%d" % status: "%d,ms=600" % status for status in (500, 502, 503, 504)}
FAULTS.update(FOREIGN)
FAULTS.update(OUTAGES)
WHENS = {"first": ",nth=1", "always": "", "later": ",from=2"}

# Requests that only follow another one's failure: the fault that brings them about.
COMPANION = {
    "abort": "op={part},action=403:AccessDenied",
    "list-uploads": "op=create-upload,nth=1,action=reset-after",
}
NO_BODY = {"head": "the answer to a HEAD has no body", "delete": "the answer to a DELETE has no body",
           "abort": "the answer to an abort has no body", "put": "the answer to a PUT has no body",
           "upload-part": "the answer to an UploadPart has no body"}
BODY_FAULTS = ("truncated", "garbage", "error200", "length")
# A passing fault of this kind may be told: it is no use, or was too short, to try again.
TOLD = ("denied", "expired", "refused", "foreign-301", "foreign-302")
BIG_KINDS = ("create-upload", "upload-part", "copy-part", "complete", "abort", "list-uploads", "get-tagging")


class Wrong(Exception):
    pass


def impossible(command, kind, fault):
    """Why this combination can't occur, or None; what a command never asks for is found by a run without fault."""
    if kind in NO_BODY and fault in BODY_FAULTS:
        return NO_BODY[kind]
    if kind == "get" and fault == "error200":
        return "a 200 whose body looks like an error is what the object may well hold"
    return None


class Server:
    def __init__(self, work):
        port_file = os.path.join(work, "port")
        self.log = open(os.path.join(work, "s3d.log"), "ab")
        self.process = subprocess.Popen([S3D, "--port", "0", "--port-file", port_file, "--with-parent", "--bucket=data"],
                                        stdout=self.log, stderr=self.log)
        until(lambda: os.path.exists(port_file), 20, "the server starts")
        self.port = int(open(port_file).read())

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def admin(self, method, path, data=None):
        request = urllib.request.Request("http://127.0.0.1:%d/_s3d/%s" % (self.port, path), method=method,
                                         data=data.encode() if data is not None else None)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read().decode()

    def fault(self, text):
        self.admin("POST", "fault", text)

    def clear(self):
        return json.loads(self.admin("DELETE", "fault"))

    def put(self, key, text):
        self.admin("POST", "overwrite?bucket=data&key=%s&text=%s" % (key, urllib.parse.quote(text)), "")

    def sparse(self, key, size):
        self.admin("POST", "sparse?bucket=data&key=%s&size=%d" % (key, size), "")

    def keys(self, prefix):
        """key -> (size, ETag)"""
        found = {}
        for line in self.admin("GET", "keys?bucket=data&prefix=" + prefix).splitlines():
            field = line.split("\t")
            found[field[0][len(prefix):]] = (int(field[1]), field[2].strip('"'))
        return found

    def uploads(self, prefix):
        return [u["key"] for u in json.loads(self.admin("GET", "uploads")) if u["key"].startswith(prefix)]

    def requests(self):
        return json.loads(self.admin("GET", "stats"))["requests"]


def until(what, seconds, name):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise Wrong("never: " + name)
        time.sleep(0.02)


ENDED = {}  # pid: exit status, of every process that was run


def ran(words, env, bound=BOUND):
    """(exit status, output, standard error); a hang is Wrong."""
    process = subprocess.Popen(words, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        out, err = process.communicate(timeout=bound)
    except subprocess.TimeoutExpired:
        process.kill()
        raise Wrong("still running after %d s: %s" % (bound, " ".join(words)))
    ENDED[process.pid] = process.returncode
    return process.returncode, out, err.decode(errors="replace")


SMALL = {"a.txt": "alpha", "b.txt": "beta " * 300, "none": "", "sub/c.txt": "gamma", "sub/deep/d.txt": "delta",
         "bare/": ""}
BIG_SIZE = 12 * MEBI + 5


class Room:
    """A server, a proxy before it, and a mount."""

    def __init__(self, number, work):
        self.work = os.path.join(work, "room%d" % number)
        os.mkdir(self.work, 0o700)
        self.server = Server(self.work)
        self.proxy = Proxy(self.server.port)
        self.count = 0
        self.read_log = 0
        self.mounted = 0
        self.mount_point = None
        self.env = dict(os.environ, AWS_ENDPOINT_URL="http://127.0.0.1:%d" % self.proxy.port, AWS_REGION="us-east-1",
                        HOME=self.work, FERRYFS_RUN_DIR=os.path.join(self.work, "run"),
                        FERRYFS_JOURNAL=os.path.join(self.work, "journal"), LC_ALL="C")
        os.mkdir(self.env["FERRYFS_RUN_DIR"], 0o700)
        # In a file: credentials that can be read anew.
        os.mkdir(os.path.join(self.work, ".aws"))
        path = os.path.join(self.work, ".aws", "credentials")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write("[default]\naws_access_key_id = test\naws_secret_access_key = testsecret\n")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            self.env.pop(name, None)
        self.local = os.path.join(self.work, "local")
        self.local_big = os.path.join(self.work, "local.big")
        open(self.local, "w").write("written\n" * 500)
        with open(self.local_big, "wb") as file:
            file.write(random.Random(1).randbytes(BIG_SIZE))
        self.mount()

    def mount(self):
        self.mounted += 1
        self.mount_point = os.path.join(self.work, "m%d" % self.mounted)
        os.mkdir(self.mount_point)
        options = OPTIONS + ",log=%s/mount.log,log_level=%s,staging=%s" % (self.work, os.environ.get("LOG_LEVEL", "info"), self.work)
        if os.environ.get("SANITIZED"):
            options += ",dumpable"
        status, _, err = ran([FERRYFS, "mount", "-o", options, "s3://data", self.mount_point], self.env)
        if status != 0:
            raise Wrong("mount: " + err)

    def remount(self):
        """After a hang: whatever is stuck goes with the connection."""
        subprocess.run(["umount", "-f", "-l", self.mount_point], stderr=subprocess.DEVNULL)
        self.mount()

    def drop(self):
        """Without waiting for what is under way: without its server that soon ends, and the daemon with it."""
        subprocess.run(["umount", "-l", self.mount_point], stderr=subprocess.DEVNULL)
        self.server.process.kill()

    def close(self):
        self.server.clear()
        self.proxy.up()
        if os.path.ismount(self.mount_point):
            try:
                ran([FERRYFS, "umount", self.mount_point], self.env)
            except Wrong:
                subprocess.run(["umount", "-l", self.mount_point], stderr=subprocess.DEVNULL)
        self.proxy.close()
        self.server.end()

    # ---- one combination ----

    def seed(self, command, big):
        self.count += 1
        base = "c%d/" % self.count
        for name, text in SMALL.items():
            self.server.put(base + "src/" + name, text)
        if big:
            self.server.sparse(base + "src/large", BIG_SIZE)
        self.server.put(base + "srcx/neighbour", "untouched")
        self.server.put(base + "keep", "untouched")
        if command in ("write", "edit"):
            self.server.put(base + "dir/old", "old content")
            if big:
                self.server.sparse(base + "dir/old.big", BIG_SIZE)
        return base

    def words(self, command, base, big):
        here = os.path.join(self.mount_point, base)
        url = "s3://data/" + base
        name = "old.big" if big else "old"
        options = ["--quiet", "--retries=1", "--timeout=1.5", "--connect-timeout=1.5"]
        parts = ["--part-threshold=6M", "--part-size=5M"]
        return {
            "cp": ["cp", "-rT", here + "src", here + "dst"],
            "mv": ["mv", "-T", here + "src", here + "dst"],
            "rm": ["rm", "-r", here + "src"],
            "read": ["cat", here + ("src/large" if big else "src/b.txt")],
            "write": ["cp", self.local_big if big else self.local, here + "dir/" + name],
            "edit": ["dd", "if=/dev/stdin", "of=" + here + "dir/" + name, "conv=notrunc", "oflag=append", "status=none"],
            "url-cp": [FERRYFS, "cp", "-r", *options, *parts, url + "src", url + "dst"],
            "url-mv": [FERRYFS, "mv", "-r", *options, *parts, url + "src", url + "dst"],
            "url-rm": [FERRYFS, "rm", "-r", *options, url + "src"],
        }[command]

    def run(self, command, base, big):
        words = self.words(command, base, big)
        if command == "edit":
            words = ["bash", "-c", 'printf "%s" appended | dd "$@"', "edit"] + words[2:]
        return ran(words, self.env)

    def baseline(self, command, kind):
        """How many requests of this kind the command sends when nothing but the companion goes wrong."""
        big = kind in BIG_KINDS
        base = self.seed(command, big)
        if kind in COMPANION:
            self.server.fault(companion(command, kind))
        self.server.admin("POST", "reset", "")
        self.run(command, base, big)
        count = self.server.requests().get(kind, 0)
        self.server.clear()
        return count

    def combination(self, command, kind, fault, when):
        big = kind in BIG_KINDS
        base = self.seed(command, big)
        before = self.server.keys(base)
        if kind in COMPANION:
            self.server.fault(companion(command, kind))
        if fault == "refused":
            self.proxy.fall(kind, {"first": 1, "always": 1, "later": 2}[when], once=when == "first")
        else:
            self.server.fault("op=%s,action=%s%s" % (kind, FAULTS[fault], WHENS[when]))
        try:
            status, out, err = self.run(command, base, big)
        finally:
            fired = self.proxy.up() if fault == "refused" else None
            hits = self.server.clear()
        if fired is None:
            fired = hits[-1]["fired"]
        # What a process that failed left under way; its errors were told, or are of no interest any more.
        ran(["sync", os.path.join(self.mount_point, base)], self.env)
        after = self.server.keys(base)
        try:
            self.told()
            check(command, base, big, status, out, before, after, self)
            # A HEAD's 403 has no code: where the server's date is ours it is a refusal, not a clock's.
            no_code = kind == "head" and fault == "skew"
            passes = (when == "first" and fault not in TOLD) or fault in OUTAGES
            if status != 0 and passes and kind not in COMPANION and not no_code:
                raise Wrong("a fault that passed was told")
            self.shown(base, after)
            self.recovers(command, base, big, before)
            # A multipart upload that could not be aborted is the fault's doing.
            if kind not in ("abort", "list-uploads", "create-upload") and fault not in ("refused",):
                until(lambda: not self.server.uploads(base), 10, "multipart uploads are gone")
        except Wrong as wrong:
            raise Wrong("%s; status %d, fired %d; %s" % (wrong, status, fired, err.strip()[-300:]))
        return fired, status

    def told(self):
        """Nobody who ended with 0 left a failure behind that he was not told of."""
        with open(os.path.join(self.work, "mount.log"), encoding="utf-8", errors="replace") as log:
            log.seek(self.read_log)
            text = log.read()
            self.read_log = log.tell()
        lies = untold(text, ENDED)
        if lies:
            raise Wrong("told that all went well: %s" % "; ".join(lies))

    def shown(self, base, keys):
        """What the mount lists is what the server has."""
        here = os.path.join(self.mount_point, base)
        status, out, err = ran(["find", here, "-mindepth", "1", "-type", "f", "-printf", "%P\\n"], self.env)
        if status != 0:
            raise Wrong("list afterwards: " + err)
        wanted = sorted(k for k in keys if not k.endswith("/"))
        if sorted(out.decode().split("\n")[:-1]) != wanted:
            raise Wrong("shown %s, there is %s" % (sorted(out.decode().split()), wanted))

    def recovers(self, command, base, big, before):
        after = self.server.keys(base)
        src = any(k.startswith("src/") for k in after)
        dst = any(k.startswith("dst/") for k in after)
        status, out, err = 0, None, ""
        if command in ("mv", "url-mv") and src and dst:
            # Left at both places: what is there is copied again and then goes.
            here = os.path.join(self.mount_point, base)
            if command == "mv":
                status, out, err = ran(["cp", "-rT", here + "src", here + "dst"], self.env)
                if status == 0:
                    status, out, err = ran(["rm", "-r", here + "src"], self.env)
            else:
                status, out, err = self.run(command, base, big)
        elif command in ("mv", "rm", "url-mv", "url-rm") and not src:
            out = b""  # it was done
        else:
            status, out, err = self.run(command, base, big)
        if status != 0:
            raise Wrong("afterwards: status %d: %s" % (status, err))
        if command != "edit":
            check(command, base, big, 0, out, before, self.server.keys(base), self)
        self.shown(base, self.server.keys(base))


def companion(command, kind):
    return COMPANION[kind].format(part="upload-part" if command in ("write", "edit") else "copy-part")


def below(keys, prefix):
    return {k[len(prefix):]: v for k, v in keys.items() if k.startswith(prefix)}


def same(a, b):
    """Content: ETags tell, but for an object that was stored in parts."""
    return a[0] == b[0] and (a[1] == b[1] or "-" in a[1] or "-" in b[1])


def check(command, base, big, status, out, before, after, room):
    src, dst, was = below(after, "src/"), below(after, "dst/"), below(before, "src/")
    for key in ("srcx/neighbour", "keep"):
        if after.get(key) != before[key]:
            raise Wrong("the neighbour %s is %s" % (key, after.get(key)))
    for key, value in dst.items():
        # Markers of directories may be written for prefixes that had none.
        if key not in was and not (key.endswith("/") or key == ""):
            raise Wrong("dst/%s came from nowhere" % key)
        if key in was and not same(value, was[key]):
            raise Wrong("dst/%s is %s, its source %s" % (key, value, was[key]))
    for key, value in src.items():
        if key in was and value != was[key]:
            raise Wrong("src/%s is %s, was %s" % (key, value, was[key]))
    files = {k for k in was if not k.endswith("/")}
    if command not in ("rm", "url-rm"):
        lost = files - set(src) - set(dst)
        if lost:
            raise Wrong("LOST: %s" % sorted(lost))
    if command in ("cp", "url-cp", "read", "write", "edit") and set(was) - set(src):
        raise Wrong("sources gone: %s" % sorted(set(was) - set(src)))
    if status == 0:
        if command in ("cp", "mv", "url-cp", "url-mv") and files - set(dst):
            raise Wrong("status 0, but not copied: %s" % sorted(files - set(dst)))
        if command in ("cp", "mv", "url-cp", "url-mv") and "bare/" not in dst:
            raise Wrong("status 0, but the empty directory was not copied")
        if command in ("mv", "rm", "url-mv", "url-rm") and src:
            raise Wrong("status 0, but still there: %s" % sorted(src))
    if command == "read":
        content = bytes(BIG_SIZE) if big else SMALL["b.txt"].encode()
        if out != content[:len(out)] or (status == 0 and len(out) != len(content)):
            raise Wrong("status %d, read %d bytes of %d" % (status, len(out), len(content)))
    if command in ("write", "edit"):
        check_written(command, big, status, before, after, room)


def check_written(command, big, status, before, after, room):
    key = "dir/old.big" if big else "dir/old"
    old, now = before[key], after.get(key)
    if now is None:
        raise Wrong("LOST: %s" % key)
    if command == "edit":
        new = (old[0] + len("appended"), None if big else md5(b"old contentappended"))
    else:
        local = room.local_big if big else room.local
        new = (os.path.getsize(local), None if big else md5(open(local, "rb").read()))
    is_new = now[0] == new[0] and (new[1] is None or now[1] == new[1])
    # A size that stays does not tell whether a large one is the new one; its ETag differs from the old.
    if is_new and new[1] is None and now == old:
        is_new = False
    if status == 0 and not is_new:
        raise Wrong("status 0, but %s is %s, wanted %s" % (key, now, new))
    if not is_new and now != old:
        raise Wrong("%s is %s: neither old %s nor new %s" % (key, now, old, new))


def md5(content):
    return hashlib.md5(content).hexdigest()


class Matrix(Tries):
    def __init__(self, combinations, seconds):
        super().__init__(combinations, seconds, every=100)
        self.fired = self.refused = 0

    def work(self, room):
        while True:
            combination = self.next()
            if not combination:
                return
            name = "/".join(combination)
            began = time.monotonic()
            try:
                fired, status = room.combination(*combination)
                with self.lock:
                    self.fired += fired > 0
                    self.refused += status != 0
                if os.environ.get("VERBOSE"):
                    print("ok %s (%.1f s, status %d, fired %d)" % (name, time.monotonic() - began, status, fired), flush=True)
            except Exception as wrong:  # noqa: whatever it is, the matrix goes on and tells
                self.was_wrong(combination)
                print("WRONG %s: %s: %s" % (name, type(wrong).__name__, wrong), flush=True)
                if "still running" in str(wrong) or not alive(room):
                    room.remount()
            self.was_tried()


def alive(room):
    try:
        return ran(["stat", "-f", room.mount_point], room.env, 20)[0] == 0
    except Wrong:
        return False


def all_combinations(room, commands, kinds, quiet):
    chosen, not_possible = [], []
    for command in commands:
        for kind in kinds:
            if room.baseline(command, kind) == 0:
                not_possible.append("%s/%s: never asks for it" % (command, kind))
                continue
            for fault in FAULTS:
                why = impossible(command, kind, fault)
                if why:
                    not_possible.append("%s/%s/%s: %s" % (command, kind, fault, why))
                    continue
                for when in WHENS:
                    chosen.append((command, kind, fault, when))
    if not quiet:
        print("\n".join("can't occur: " + line for line in not_possible))
    return chosen


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--seed", type=int, default=int(time.time() // 86400))
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--only", default="", help="a regular expression on COMMAND/KIND/FAULT/WHEN")
    parser.add_argument("--part", default="1/1", help="K/N")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="all that can occur, and why others can't")
    options = parser.parse_args()
    end_at_sigterm()
    own_mounts()
    work = tempfile.mkdtemp(prefix="ferryfs-matrix.")
    rooms = [Room(i, work) for i in range(options.workers)]
    try:
        chosen = all_combinations(rooms[0], COMMANDS, KINDS, not (options.all or options.list))
        chosen = [c for c in chosen if re.search(options.only, "/".join(c))] * options.repeat
        total = len(chosen)
        if options.list:
            print("\n".join("/".join(c) for c in chosen))
            print("%d combinations" % total)
            return 0
        # By name: the parts together are all of them, whatever order or number another run finds.
        part, parts = map(int, options.part.split("/"))
        chosen = [c for c in chosen if zlib.crc32("/".join(c).encode()) % parts == part % parts]
        random.Random(options.seed).shuffle(chosen)
        matrix = Matrix(chosen, 0 if options.all or options.only else options.seconds)
        threads = [threading.Thread(target=matrix.work, args=(room,), daemon=True) for room in rooms]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        finally:
            matrix.left = []
        print("%d of %d combinations tried (seed %d): %d met their fault, %d commands failed as told, %d wrong" %
              (matrix.tried, total, options.seed, matrix.fired, matrix.refused, len(matrix.wrong)))
        return 1 if matrix.wrong else 0
    except SystemExit:  # by SIGTERM: whoever sent it may not wait long
        for room in rooms:
            room.drop()
        raise
    finally:
        for room in rooms:
            try:
                room.close()
            except (Wrong, OSError, urllib.error.URLError) as error:
                print("room %s: %s" % (room.work, error))
                subprocess.run(["umount", "-l", room.mount_point], stderr=subprocess.DEVNULL)
                room.server.process.kill()
        if not os.environ.get("KEEP"):
            shutil.rmtree(work, ignore_errors=True)
        else:
            print("kept: " + work)


if __name__ == "__main__":
    sys.exit(main())
