"""What is to be tried, by several rooms side by side, until there is no more or the time is up.

With AGAIN=1 what was wrong once is tried once more (tests/run does likewise): it stays told of, but only what is wrong
twice counts.  Every method may be called by any thread; `lock` also guards what the user counts."""
import os
import re
import signal
import sys
import threading
import time


def end_at_sigterm():
    """What was mounted is unmounted; a second one does not cut that off."""
    def end(*_):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sys.exit(143)
    signal.signal(signal.SIGTERM, end)


UNTOLD = re.compile(r"process (\d+) \(\w+\) ended before it could be told of a failure: (exit status \w+|signal \d+)")


def untold(log, ended):
    """The lines of a daemon's log by which a tool that ended with 0 was not told of a failure.

    ended: {pid: exit status} of those that the runner waited for itself, for kernels that do not say how a process
    ended (before Linux 6.15)."""
    return [found.group() for found in UNTOLD.finditer(log)
            if found.group(2) == "exit status 0"
            or (found.group(2) == "exit status unknown" and ended.get(int(found.group(1)), 0) == 0)]


class Tries:
    def __init__(self, tries, seconds, every):
        self.left = tries
        self.total = len(tries)
        self.began = time.monotonic()
        self.end = self.began + seconds if seconds else None
        self.lock = threading.Lock()
        self.every = every  # so many between two lines of progress
        self.tried = 0
        self.again = []
        self.wrong = []

    def next(self):
        with self.lock:
            late = self.end and time.monotonic() > self.end
            if not self.left or (late and self.left[-1] not in self.again):
                return None
            return self.left.pop()

    def was_wrong(self, one):
        with self.lock:
            if os.environ.get("AGAIN") and one not in self.again:
                self.again.append(one)
                self.left.append(one)
            else:
                self.wrong.append(one)

    def was_tried(self):
        with self.lock:
            self.tried += 1
            if self.tried % self.every == 0:
                spent = time.monotonic() - self.began
                print("%d of %d tried in %d s: %.2f s each, %d s for all" %
                      (self.tried, self.total, spent, spent / self.tried, spent * self.total / self.tried), flush=True)
