#!/usr/bin/env python3
"""Prints what measure.py wrote as Markdown tables: medians, the range of the runs, ratios to ferryfs.

  table.py [--latency MS] [--runs N] [--window N] [--versions TEXT] FILE

The exit status is 1 when a run of ferryfs failed or had a wrong result.
"""
import argparse
import json
import os
import platform
import statistics
import sys

OURS = {"ferryfs", "serial", "parallel", "async", "async-parallel", "async-parallel2"}


class Row:
    """All runs of one tool at one task."""

    def __init__(self, table, what, tool):
        self.table, self.what, self.tool = table, what, tool
        self.runs, self.wrong, self.note = [], [], None

    def values(self, name, per=None):
        return [run[name] / (run[per] or 1) if per else run[name] for run in self.runs if name in run and run[name] is not None]

    def median(self, name, per=None):
        values = self.values(name, per)
        return statistics.median(values) if values else None

    def rate(self):
        return statistics.median(self.rates()) if self.rates() else None

    def rates(self):
        """Of the runs that came to their end."""
        return [run["objects"] / run["seconds"] for run in self.runs if run["status"] == 0]

    def bad(self):
        if self.wrong:
            return self.wrong[0]
        failed = [run for run in self.runs if run["status"] != 0]
        if failed:
            why = "stopped: took too long" if failed[0]["status"] == -1 else f"exit status {failed[0]['status']}"
            return why + f" ({failed[0]['said']})" if failed[0].get("said") else why
        return None


def read(path):
    rows = {}
    with open(path) as file:
        for line in file:
            run = json.loads(line)
            key = (run["table"], run["what"], run["tool"])
            row = rows.setdefault(key, Row(*key))
            if "wrong" in run:
                row.wrong.append(run["wrong"])
            elif "note" in run:
                row.note = run["note"]
            else:
                row.runs.append(run)
    return list(rows.values())


def number(value, scale=1.0, digits=None):
    if value is None:
        return ""
    value *= scale
    if digits is None:
        digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def speed(row):
    rates = row.rates()
    if not rates:
        return "did not finish"
    span = f" ({number(min(rates))} to {number(max(rates))})" if len(rates) > 1 else ""
    return number(statistics.median(rates)) + span


MICRO, MEBI = 1e6, 1 / (1 << 20)
COMMON = [("tool", lambda row, ours: row.tool), ("objects", lambda row, ours: number(row.median("objects"), digits=0)),
          ("objects/s (range)", lambda row, ours: speed(row)),
          ("× ferryfs", lambda row, ours: number(row.rate() / ours.rate(), digits=3 if row.rate() < ours.rate() / 10 else 2)
           if ours and ours.rate() and row.rate() else "")]
SERVER = [("requests/object", lambda row, ours: number(row.median("requests", "objects"), digits=4 if row.median("requests", "objects") < 0.1 else 2)),
          ("most in flight", lambda row, ours: number(row.median("in_flight"), digits=0)),
          ("server CPU µs/request", lambda row, ours: number(row.median("server_cpu", "requests"), MICRO))]
CLIENT = [("CPU µs/object", lambda row, ours: number(row.median("cpu", "objects"), MICRO)),
          ("peak MiB", lambda row, ours: number(row.median("peak"), MEBI, 1))]
COLUMNS = {
    "commands": COMMON + CLIENT + SERVER,
    "mounts": COMMON + [("daemon CPU µs/object", lambda row, ours: number(row.median("daemon_cpu", "objects"), MICRO)),
                        ("daemon peak MiB", lambda row, ours: number(row.median("daemon_peak"), MEBI, 1)),
                        ("tool CPU µs/object", lambda row, ours: number(row.median("cpu", "objects"), MICRO)),
                        ("object bytes through client/object", lambda row, ours: number(row.median("object_bytes", "objects"), digits=0))]
    + SERVER,
    "strategies": [column for column in COMMON if column[0] != "× ferryfs"]
    + [("run time s", lambda row, ours: number(row.median("seconds"), digits=2))] + CLIENT + SERVER,
    "memory": COMMON + CLIENT + SERVER,
    "rate": [column for column in COMMON if column[0] != "× ferryfs"]
    + [("settled copies/s (after 3 s)", lambda row, ours: number(row.median("settled"), digits=0)),
       ("refused of those asked (after 3 s)", lambda row, ours: number(row.median("refused"), 100, 2) + (" %" if row.values("refused") else ""))] + CLIENT + SERVER,
}
TITLES = {"commands": "By command, prefix to prefix", "mounts": "On a mount, by the standard tools",
          "strategies": "The article's five strategies (`ferryfs bench`)", "rate": "Against a server that refuses what is too fast",
          "memory": "A million objects (one run)"}


def show(head, lines):
    """A Markdown table whose columns line up: names to the left, numbers to the right."""
    wide = [max(len(line[i]) for line in [head] + lines) for i in range(len(head))]
    print("| " + " | ".join(cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(head, wide))) + " |")
    print("|" + "|".join(("-" * (width + 2)) if i == 0 else "-" * (width + 1) + ":" for i, width in enumerate(wide)) + "|")
    for line in lines:
        print("| " + " | ".join(cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(line, wide))) + " |")


def find(rows, *key):
    return next((row for row in rows if (row.table, row.what, row.tool) == key and row.runs), None)


def show_task(rows, table, what):
    ours = find(rows, table, what, "ferryfs")
    columns, lines, remarks = COLUMNS[table], [], []
    for row in (row for row in rows if (row.table, row.what) == (table, what)):
        if row.runs:
            lines.append([cell(row, ours) for _, cell in columns])
        else:
            lines.append([row.tool, row.note or "none"] + [""] * (len(columns) - 2))
        if row.bad():
            remarks.append(f"Not right: {row.tool}: {row.bad()}.")
        late = [value for value in row.values("late") if value > 0.01]
        if late:
            remarks.append(f"In {len(late)} of {len(row.runs)} runs {row.tool} had not stored everything when the command ended; "
                           f"the time is until it had (up to {max(late):.2f} s more).")
    print(f"\n**{what}**\n" if what != "strategies" else "")
    show([name for name, _ in columns], lines)
    for remark in remarks:
        print(f"\n{remark}")


def goals(rows):
    """What is aimed at, beside what was measured."""
    lines = []
    rows = [row for row in rows if row.rate()]

    def add(text, wanted, got, digits=None):
        if got is not None:
            lines.append([text, wanted, number(got, digits=digits)])

    def value(table, what, function, tool="ferryfs"):
        row = find(rows, table, what, tool)
        return function(row) if row else None

    def ratio(a, b):
        return a / b if a and b else None

    def cpu(row):
        return row.median("cpu", "objects") * MICRO

    def peak(row):
        return row.median("peak") * MEBI

    copy = value("commands", "cp -r", cpu)
    add("cp -r by command, objects/s", "≥ 12,000", value("commands", "cp -r", Row.rate))
    add("its CPU µs an object", "≤ 75", copy, 1)
    add("the same, of libcurl alone's", "≤ 1.15", ratio(copy, value("commands", "cp -r", cpu, "libcurl alone")), 2)
    add("its peak memory, MiB", "≤ 24", value("commands", "cp -r", peak), 1)
    add("its peak memory at 1,000,000, MiB", "≤ 32", value("memory", "cp -r of 1,000,000", peak), 1)
    add("mv -r by command, objects/s", "≥ 9,000", value("commands", "mv -r", Row.rate))
    add("rm -r by command, keys/s", "≥ 100,000", value("commands", "rm -r", Row.rate))
    add("ls -r, CPU µs a key", "≤ 3", value("commands", "ls -r", cpu), 2)
    add("cp -r on a mount, objects/s", "≥ 8,000", value("mounts", "cp -r", Row.rate))
    add("the same, of s5cmd's (no mount)", "≥ 2", ratio(value("mounts", "cp -r", Row.rate), value("commands", "cp -r", Row.rate, "s5cmd")), 2)
    add("its requests an object", "≤ 1.1", value("mounts", "cp -r", lambda row: row.median("requests", "objects")), 3)
    add("its object bytes through the client", "0", value("mounts", "cp -r", lambda row: row.median("object_bytes")), 0)
    add("its daemon's peak memory, MiB", "≤ 32", value("mounts", "cp -r", lambda row: row.median("daemon_peak") * MEBI), 1)
    add("the same at 1,000,000, MiB", "≤ 64 + the kernel's inodes", value("mounts", "cp -r of 1,000,000", lambda row: row.median("daemon_peak") * MEBI), 1)
    add("mv of a directory on a mount, objects/s", "≥ 6,000", value("mounts", "mv dir", Row.rate))
    add("rm -r on a mount, objects/s", "≥ 10,000", value("mounts", "rm -r", Row.rate))
    rate = next((row for row in rows if row.table == "rate" and row.runs), None)
    if rate:
        allowed = int(rate.what.split()[2])
        add(f"settled copies/s where {allowed:,} are allowed", f"{allowed * 0.9:,.0f} to {allowed * 1.1:,.0f}", rate.median("settled"))
        add("refused after the first seconds, %", "< 5", rate.median("refused") * 100 if rate.values("refused") else None, 2)
    if lines:
        print("\n### Aims\n")
        show(["", "aim", "measured"], lines)


PEERS = ("s5cmd", "rclone", "aws", "s3cmd", "s3fs")


def beside(rows, ours, names):
    """The other tools at the same task: how many times ferryfs's speed is theirs."""
    others = [(find(rows, ours.table, ours.what, name), name) for name in names]
    others = [(ours.rate() / row.rate(), row.rate(), name) for row, name in others if row and row.rate()]
    return ", ".join(f"{name} {number(rate)}/s ({number(times)} × slower)" for times, rate, name in sorted(others))


def summary(rows):
    """What README quotes."""
    lines = []

    def add(text, table, what, unit, note=""):
        ours = find(rows, table, what, "ferryfs")
        if not ours or not ours.rate():
            return
        cpu, peak = ("daemon_cpu", "daemon_peak") if table == "mounts" else ("cpu", "peak")
        lines.append([text, f"{number(ours.rate())} {unit}/s", number(ours.median(cpu, "objects"), MICRO), number(ours.median(peak), MEBI, 1),
                      note or beside(rows, ours, PEERS)])

    def share(what, tool):
        ours, floor = find(rows, "commands", what, "ferryfs"), find(rows, "commands", what, tool)
        if not ours or not floor:
            return ""
        ratio = ours.median("cpu", "objects") / floor.median("cpu", "objects")
        return f"libcurl alone: {number(floor.median('cpu', 'objects'), MICRO)} µs ({number(ratio)} × that)"

    rate = next((row for row in rows if row.table == "rate" and row.runs), None)
    copy = find(rows, "commands", "cp -r", "ferryfs")
    add("`ferryfs cp -r`", "commands", "cp -r", "objects", copy and "; ".join(filter(None, [share("cp -r", "libcurl alone"), beside(rows, copy, PEERS)])))
    add("the same over https", "commands", "cp -r over https", "objects")
    add("the same, 1,000,000 objects", "memory", "cp -r of 1,000,000", "objects")
    add("`ferryfs mv -r`", "commands", "mv -r", "objects")
    add("`ferryfs rm -r`", "commands", "rm -r", "keys")
    add("`ferryfs ls -r`", "commands", "ls -r", "keys")
    if rate and rate.values("refused"):
        add(f"`ferryfs cp -r` where {int(rate.what.split()[2]):,}/s are allowed", "rate", rate.what, "objects",
            f"settles at {number(rate.median('settled'))}/s, {number(rate.median('refused'), 100, 2)} % refused")
    add("`cp -r` on a mount", "mounts", "cp -r", "objects")
    add("`mv` of a directory on a mount", "mounts", "mv dir", "objects")
    add("`rm -r` on a mount", "mounts", "rm -r", "objects")
    if lines:
        print("\n### In short\n")
        show(["work", "ferryfs", "CPU µs each", "peak MiB", "beside it"], lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", default="?")
    parser.add_argument("--runs", default="?")
    parser.add_argument("--window", default="?")
    parser.add_argument("--versions", default="")
    parser.add_argument("file")
    words = parser.parse_args()
    rows = read(words.file)
    print(f"Medians of {words.runs} runs (range), {words.latency} ms a request, objects of 1 KiB; the embedded server and the tool share "
          f"{os.cpu_count()} CPUs, Linux {platform.release().split('-')[0]}. libcurl alone: {words.window} in flight, no signatures. {words.versions}.")
    others = [run["others"] for row in rows for run in row.runs]
    if others:
        print(f"\nOther programs had {statistics.median(others) * 100:.0f} % of the CPUs meanwhile (median; at worst "
              f"{max(others) * 100:.0f} %): the more, the less the speeds mean; CPU times hold.")
    for table in TITLES:
        if any(row.table == table for row in rows):
            print(f"\n### {TITLES[table]}")
            for what in dict.fromkeys(row.what for row in rows if row.table == table):
                show_task(rows, table, what)
    goals(rows)
    summary(rows)
    sys.exit(1 if any(row.bad() for row in rows if row.tool in OURS) else 0)


if __name__ == "__main__":
    main()
