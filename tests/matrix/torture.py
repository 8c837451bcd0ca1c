#!/usr/bin/env python3
"""Torture: the n-th allocation, or the n-th system call, of our own code fails, for every n (torture_wrap.c).

    torture.py [--all [--part K/N]] [--seconds S] [--seed N] [--workers N] [--only alloc|call|cp:alloc ...] [--at N]

A run is one mount in the foreground (list, cp -r, mv of a directory, write, edit, read, rm -r, umount), or one
of the commands on s3:// addresses, with one failure.  What must hold: the daemon ends by itself, by umount or with
a non-zero status where the mount failed; no crash and no leak (ASan); nothing hangs; and no tool's exit status 0
is a lie.  Without --all a sample runs, chosen by the seed; --part=K/N is the n whose remainder by N is K's: the N
parts, each on a run of its own, are all.  As root in a mount namespace of its own (own_mounts.py); with KEEP=1 the
folder stays.  FERRYFS names the program of `make TORTURE=1`.
"""
import argparse
import collections
import glob
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from faults import ENDED, FERRYFS, S3D, Server, Wrong, below, check, ran, until  # noqa
from own_mounts import own_mounts, pinned
from tries import Tries, end_at_sigterm, untold

BOUND = 40  # s for one step
BASELINES = 4  # runs without a failure, which tell how many n there are
SMALL = {"a.txt": "alpha", "b.txt": "beta " * 300, "none": "", "sub/c.txt": "gamma", "sub/deep/d.txt": "delta",
         "bare/": ""}
SCENES = ["mount", "cp", "mv", "rm"]


class Room:
    def __init__(self, number, work):
        self.work = os.path.join(work, "room%d" % number)
        os.mkdir(self.work, 0o700)
        self.server = Server(self.work)
        self.mount_point = os.path.join(self.work, "m")
        os.mkdir(self.mount_point)
        self.run_dir = os.path.join(self.work, "run")
        os.mkdir(self.run_dir, 0o700)
        self.base_env = dict(os.environ, AWS_ENDPOINT_URL="http://127.0.0.1:%d" % self.server.port, AWS_REGION="us-east-1",
                             AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="testsecret", HOME=self.work, LC_ALL="C",
                             FERRYFS_RUN_DIR=self.run_dir, FERRYFS_JOURNAL=os.path.join(self.work, "journal"))
        self.number = 0
        self.device = "?"  # MAJOR:MINOR of the mount
        self.local = os.path.join(self.work, "local")
        open(self.local, "w").write("written\n" * 500)

    def close(self):
        self.server.end()

    def seed(self):
        self.number += 1
        base = "t%d/" % self.number
        for name, text in SMALL.items():
            self.server.put(base + "src/" + name, text)
        self.server.put(base + "srcx/neighbour", "untouched")
        self.server.put(base + "keep", "untouched")
        self.server.put(base + "dir/old", "old content")
        return base

    def run(self, scene, kind, n):
        """(allocations, calls, what failed)"""
        base = self.seed()
        self.count = os.path.join(self.work, "count.%d" % self.number)
        self.asan = os.path.join(self.work, "asan.%d" % self.number)
        env = dict(self.base_env, FERRYFS_TORTURE="%s:%d" % (kind, n), FERRYFS_TORTURE_COUNT=self.count,
                   ASAN_OPTIONS="log_path=%s:detect_leaks=1" % self.asan,
                   UBSAN_OPTIONS="log_path=%s:print_stacktrace=1" % self.asan)
        try:
            if scene == "mount":
                self.mount_scene(base, env)
            else:
                self.command_scene(scene, base, env)
        finally:
            self.clean()
        for path in glob.glob(self.asan + "*"):
            raise Wrong(summary(open(path, errors="replace").read()))
        return self.counts()

    def counts(self):
        found = {"alloc": 0, "call": 0, "failed": ""}
        if os.path.exists(self.count):
            # The last process to end is the one that served; others were asked to help.
            for line in open(self.count):
                name, _, value = line.strip().partition(" ")
                found[name] = value if name == "failed" else max(found[name], int(value))
        return found["alloc"], found["call"], found["failed"]

    def clean(self):
        """Whatever is left mounted, and whoever serves it."""
        for field in mounts():
            if field[4].startswith(self.work + "/"):
                subprocess.run(["umount", "-l", field[4]], stderr=subprocess.DEVNULL)

    def command_scene(self, scene, base, env):
        url = "s3://data/" + base
        before = self.server.keys(base)
        words = [FERRYFS, scene, "-r", "--quiet", "--retries=1", "--timeout=5", url + "src"]
        if scene != "rm":
            words.append(url + "dst")
        status, out, err = ran(words, env, BOUND)
        if status < 0 or status > 2:
            raise Wrong("%s ended with status %d: %s" % (scene, status, err[-300:]))
        check("url-" + scene, base, False, status, out, before, self.server.keys(base), self)

    def mount_scene(self, base, env):
        before = self.server.keys(base)
        log = open(os.path.join(self.work, "mount.log"), "wb")
        daemon = subprocess.Popen([FERRYFS, "mount", "-f", "-o", "retries=1,timeout=5,dumpable,staging=" + self.work,
                                   "s3://data", self.mount_point], env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            until(lambda: os.path.ismount(self.mount_point) or daemon.poll() is not None, BOUND, "mounted or refused")
            if daemon.poll() is None:
                self.device = next((field[2] for field in mounts() if field[4] == self.mount_point), "?")
                self.steps(base, before)
                self.umount(daemon)
            self.ended(daemon)
            lies = untold(open(log.name, encoding="utf-8", errors="replace").read(), ENDED)
            if lies:
                raise Wrong("told that all went well: " + "; ".join(lies))
        except Wrong as wrong:
            if daemon.poll() is None:
                wrong = Wrong("%s; %s; log: %s" % (wrong, tasks(daemon.pid), open(log.name).read()[-400:]))
            daemon.poll() is None and daemon.send_signal(signal.SIGABRT)
            daemon.wait()
            raise wrong

    def ended(self, daemon):
        try:
            status = daemon.wait(BOUND)
        except subprocess.TimeoutExpired:
            raise Wrong("the daemon does not end" + self.why_alive())
        if status < 0:
            raise Wrong("the daemon was killed: signal %d" % -status)

    def why_alive(self):
        """Mounts of its superblock that are left, here or elsewhere; without any, something holds it open."""
        found = [field[4] for field in mounts() if field[2] == self.device]
        found += ["namespace of " + who for who in pinned(self.device)]
        return ": %s is still mounted: %s" % (self.device, ", ".join(found) or "nowhere")

    def umount(self, daemon):
        for _ in range(200):
            if daemon.poll() is not None or subprocess.run(["umount", self.mount_point],
                                                           stderr=subprocess.DEVNULL).returncode == 0:
                return
            time.sleep(0.05)
        raise Wrong("can't be unmounted")

    def steps(self, base, before):
        env = dict(os.environ, LC_ALL="C")
        here = os.path.join(self.mount_point, base)

        def keys():
            subprocess.run(["sync", here], stderr=subprocess.DEVNULL, timeout=BOUND)
            return self.server.keys(base)

        def step(name, words, was):
            status, out, err = ran(words, env, BOUND)
            after = keys()
            # copy_file_range refused: cp leaves what it created, empty, as on any file system, and says so.
            if name == "cp" and status != 0:
                after = {k: v for k, v in after.items() if v[0] > 0 or not k.startswith("dst/")}
            # Cut by its opening, and not written: empty, as on any file system.
            if name == "write" and status != 0 and "error writing" in err and after["dir/old"][0] == 0:
                after["dir/old"] = was["dir/old"]
            try:
                check(name, base, False, status, out, was, after, self)
            except Wrong as wrong:
                raise Wrong("%s (status %d: %s): %s" % (words[0], status, err.strip()[-200:], wrong))
            return status, after

        ran(["ls", "-lR", here], env, BOUND)
        step("read", ["cat", here + "src/b.txt"], before)
        step("write", ["cp", self.local, here + "dir/old"], before)
        now = self.server.keys(base)
        status, out, err = ran(["bash", "-c", "printf appended | dd of=$1 conv=notrunc oflag=append status=none", "edit", here + "dir/old"], env, BOUND)
        size = keys()["dir/old"][0]
        if size != now["dir/old"][0] + (8 if status == 0 else 0) and not (status != 0 and size == now["dir/old"][0] + 8):
            raise Wrong("append: status %d, %d bytes, were %d" % (status, size, now["dir/old"][0]))
        now = keys()
        _, now = step("cp", ["cp", "-rT", here + "src", here + "dst"], now)
        copied = {k.replace("dst/", "src/", 1) if k.startswith("dst/") else k: v
                  for k, v in now.items() if not k.startswith("src/")}
        # What was copied is moved on: as the source of a move of its own.
        status, out, err = ran(["mv", "-T", here + "dst", here + "moved"], env, BOUND)
        after = keys()
        moved = {k.replace("moved/", "dst/", 1) if k.startswith("moved/") else k.replace("dst/", "src/", 1): v
                 for k, v in after.items() if not k.startswith("src/")}
        if any(k.startswith("src/") for k in copied):
            check("mv", base, False, status, out, copied, moved, self) if "src/bare/" in copied else None
        ran(["mkdir", here + "new"], env, BOUND)
        ran(["rmdir", here + "new"], env, BOUND)
        step("rm", ["rm", "-r", here + "src"], keys())


def mounts():
    """The fields of mountinfo: [2] is the device, [4] the mount point."""
    return [line.split() for line in open("/proc/self/mountinfo")]


def tasks(pid):
    """Where each thread of a process that hangs is."""
    found = []
    for task in sorted(glob.glob("/proc/%d/task/*" % pid)):
        try:
            found.append(open(task + "/wchan").read() + " " + open(task + "/syscall").read().split()[0])
        except OSError:
            pass
    if shutil.which("gdb"):
        gdb = subprocess.run(["gdb", "-p", str(pid), "-batch", "-ex", "thread apply all bt 12"], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        found += re.findall(r"^Thread \d+|^#.*(?:fs|engine|s3)/.*$", gdb.stdout.decode(errors="replace"), re.M)
    try:
        for child in open("/proc/%d/task/%d/children" % (pid, pid)).read().split():
            found.append("child: " + tasks(int(child)))
    except OSError:
        pass
    return ", ".join(found)


def summary(text):
    lines = [line.strip() for line in text.splitlines()]
    frames = [re.sub(r"0x[0-9a-f]+ ", "", line) for line in lines if re.match(r"#\d", line)]
    ours = [line for line in frames if re.search(r" (fs|engine|s3)/|/(fs|engine|s3)/", line)][:6]
    head = [line for line in lines if "ERROR" in line or "runtime error" in line or "SUMMARY" in line][:2]
    return (" | ".join(head + ours) or text.strip() or "a report without a word")[:900]


class Torture(Tries):
    def __init__(self, runs, seconds):
        super().__init__(runs, seconds, every=200)
        self.failed = collections.Counter()
        self.names = collections.Counter()

    def work(self, room):
        while True:
            run = self.next()
            if not run:
                return
            try:
                _, _, failed = room.run(*run)
                with self.lock:
                    self.failed[run[1]] += bool(failed)
                    self.names[failed.partition(" ")[0]] += bool(failed)
            except Exception as wrong:  # noqa: it goes on and tells
                self.was_wrong(run)
                print("WRONG %s %s:%d (%s): %s: %s" % (*run, room.counts()[2], type(wrong).__name__, wrong), flush=True)
            self.was_tried()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--seed", type=int, default=int(time.time() // 86400))
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--workers", type=int, default=2 * max(2, os.cpu_count() or 2))
    parser.add_argument("--only", default="", help="SCENE:KIND, a regular expression")
    parser.add_argument("--part", default="1/1", help="K/N")
    parser.add_argument("--at", type=int, default=0, help="this n alone")
    options = parser.parse_args()
    end_at_sigterm()
    own_mounts()
    work = tempfile.mkdtemp(prefix="ferryfs-torture.")
    rooms = [Room(i, work) for i in range(options.workers)]
    try:
        runs = []
        for scene in SCENES:
            # How often a thread looks differs from run to run.
            counts = [max(seen) for seen in zip(*(rooms[0].run(scene, "alloc", 0)[:2] for _ in range(BASELINES)))]
            for kind, count in zip(("alloc", "call"), counts):
                if not re.search(options.only, scene + ":" + kind):
                    continue
                print("%s: %d %ss" % (scene, count, kind), flush=True)
                if count == 0:
                    raise Wrong("%s made no %s: is this a build of make TORTURE=1?" % (scene, kind))
                runs += [(scene, kind, n) for n in range(1, count + 1)]
        if options.at:
            runs = [run for run in runs if run[2] == options.at]
        total = len(runs)
        # By n: how many there are varies a little, and the parts together are still all of them.
        part, parts = map(int, options.part.split("/"))
        runs = [run for run in runs if run[2] % parts == part % parts]
        random.Random(options.seed).shuffle(runs)
        torture = Torture(runs, 0 if options.all or options.at else options.seconds)
        threads = [threading.Thread(target=torture.work, args=(room,), daemon=True) for room in rooms]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        finally:
            torture.left = []
        print(", ".join("%s %d" % item for item in torture.names.most_common()))
        print("%d of %d runs (seed %d): %d allocations and %d system calls failed, %d wrong" %
              (torture.tried, total, options.seed, torture.failed["alloc"], torture.failed["call"], len(torture.wrong)))
        return 1 if torture.wrong or torture.tried == 0 else 0
    finally:
        for room in rooms:
            room.clean()
            room.close()
        if not os.environ.get("KEEP"):
            shutil.rmtree(work, ignore_errors=True)
        else:
            print("kept: " + work)


if __name__ == "__main__":
    sys.exit(main())
