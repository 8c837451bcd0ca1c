#!/usr/bin/env python3
"""Runs a command and appends what it cost to a file, as one JSON line.

  measure.py --into FILE --label TABLE/WHAT/TOOL --objects N --server URL [OPTION ...] -- CMD ...

seconds       from the start of CMD to its end
cpu           user and system seconds of CMD and the children it waited for
peak          its largest resident size in bytes
daemon_cpu, daemon_peak   the same of process --daemon PID while CMD ran (its peak is set back first)
requests, server_cpu, in_flight, object_bytes   what the embedded server counted meanwhile
others        the share of the machine's CPUs that other programs had meanwhile
settled, refused          with --settle S: copies done a second, and the share of copies refused, after the first S seconds
late          with --there BUCKET/PREFIX: how long after CMD's end the last of its objects was at the server below
              PREFIX; it is part of the seconds
status        CMD's exit status; -1: it was ended after --limit seconds
said          where that is not 0, the last line of --log

What keeps it from measuring is written as the row's "wrong".  The exit status is CMD's.
"""
import argparse
import json
import os
import resource
import select
import signal
import ssl
import sys
import time
import urllib.request

TICK = os.sysconf("SC_CLK_TCK")
LAST_WAIT = 20  # seconds after SIGKILL: it may sit in a call of a file system that hangs


def admin(server, path, method="GET"):
    context = ssl._create_unverified_context() if server.startswith("https:") else None
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    request = urllib.request.Request(f"{server}/_s3d/{path}", method=method)
    with opener.open(request, timeout=60) as answer:
        return answer.read()


def stats(server):
    return json.loads(admin(server, "stats"))


def there(server, place):
    """Objects below BUCKET/PREFIX, but not directory markers."""
    bucket, prefix = place.split("/", 1)
    keys = admin(server, f"keys?brief=1&bucket={bucket}&prefix={prefix}").split(b"\n")
    return sum(1 for key in keys if key and not key.split(b"\t")[0].endswith(b"/"))


def wait_there(words, begin):
    """Some mounts upload in RELEASE, which no close waits for."""
    ended = time.monotonic()
    while there(words.server, words.there) < words.objects and time.monotonic() - begin < words.limit:
        select.select([], [], [], 0.005)
    return time.monotonic() - ended


def copies(counts):
    """Copies asked for, and those of them that were refused."""
    return counts["requests"].get("copy", 0), counts["errors"].get("copy", {}).get("503", 0)


def resident_peak(pid):
    try:
        with open(f"/proc/{pid}/status") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def process_cpu(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def machine_busy():
    """CPU seconds that all processes, and interrupts, have used."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, irq, softirq = map(int, file.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / TICK


def forget_peak(pid):
    """proc(5): 5 sets the peak resident size back to the present one."""
    with open(f"/proc/{pid}/clear_refs", "w") as file:
        file.write("5")


def start(words):
    null = os.open(os.devnull, os.O_RDWR)
    out = os.open(words.stdout, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) if words.stdout else null
    log = os.open(words.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if words.log else 2
    actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, log, 2)]
    return os.posix_spawnp(words.command[0], words.command, os.environ, file_actions=actions, setpgroup=0)


def run(words, result):
    # Linux counts what a process held before exec into its ru_maxrss, and that is this interpreter: below its size
    # the samples of VmHWM, which starts anew with exec, must do.
    floor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    begin, sampled, settled, ended = time.monotonic(), 0, None, False
    pid = start(words)
    try:
        poll = select.poll()
        poll.register(os.pidfd_open(pid), select.POLLIN)
        while not poll.poll(25):
            if ended and time.monotonic() - begin > words.limit + LAST_WAIT:
                raise RuntimeError("it did not end on SIGKILL")
            now = time.monotonic() - begin
            sampled = max(sampled, resident_peak(pid))
            if words.settle and not settled and now >= words.settle:
                settled = (now, *copies(stats(words.server)))
            if now > words.limit and not ended:
                ended = True
                os.killpg(pid, signal.SIGKILL)
        result["seconds"] = time.monotonic() - begin
    except BaseException:
        os.killpg(pid, signal.SIGKILL)
        raise
    _, status, usage = os.wait4(pid, 0)
    result["cpu"] = usage.ru_utime + usage.ru_stime
    result["peak"] = usage.ru_maxrss * 1024 if usage.ru_maxrss * 1024 > floor else sampled
    result["status"] = -1 if ended else os.waitstatus_to_exitcode(status)
    if words.there and result["status"] == 0:
        result["late"] = wait_there(words, begin)
        result["seconds"] += result["late"]
    return settled


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--into", required=True)
    parser.add_argument("--label", required=True)
    parser.add_argument("--objects", type=int, required=True)
    parser.add_argument("--server", required=True)
    parser.add_argument("--daemon", type=int)
    parser.add_argument("--limit", type=float, default=180)
    parser.add_argument("--settle", type=float)
    parser.add_argument("--there")
    parser.add_argument("--stdout")
    parser.add_argument("--log")
    parser.add_argument("command", nargs="+")
    words = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # or CMD would outlive it

    table, what, tool = words.label.split("/")
    result = {"table": table, "what": what, "tool": tool, "objects": words.objects}
    try:
        measure(words, result)
    except (OSError, RuntimeError, ValueError) as error:
        result = {"table": table, "what": what, "tool": tool, "wrong": f"not measured: {error}"}
    with open(words.into, "a") as file:
        file.write(json.dumps(result) + "\n")
    sys.exit(result["status"] if 0 <= result.get("status", -1) <= 255 else 1)


def last_line(path, start):
    with open(path, errors="replace") as file:
        file.seek(start)
        lines = file.read()[-4096:].split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def measure(words, result):
    log_start = os.path.getsize(words.log) if words.log and os.path.exists(words.log) else 0
    if words.daemon:
        forget_peak(words.daemon)
        before = process_cpu(words.daemon)
    admin(words.server, "reset", "POST")
    busy = machine_busy()
    settled = run(words, result)
    counts = stats(words.server)
    busy = machine_busy() - busy
    if words.daemon and os.path.exists(f"/proc/{words.daemon}/stat"):
        result["daemon_cpu"] = process_cpu(words.daemon) - before
        result["daemon_peak"] = resident_peak(words.daemon)
    busy -= result["cpu"] + result.get("daemon_cpu", 0) + counts["cpu_seconds"]
    result["others"] = max(busy, 0) / result["seconds"] / os.cpu_count()
    result["requests"] = counts["total"]
    result["server_cpu"] = counts["cpu_seconds"]
    result["in_flight"] = counts["in_flight_peak"]
    result["object_bytes"] = counts["object_bytes_in"] + counts["object_bytes_out"]
    if result["status"] != 0 and words.log:
        result["said"] = last_line(words.log, log_start)
    if settled:
        asked, refused = (now - then for now, then in zip(copies(counts), settled[1:]))
        result["settled"] = (asked - refused) / max(result["seconds"] - settled[0], 1e-3)
        result["refused"] = refused / max(asked, 1)


if __name__ == "__main__":
    main()
