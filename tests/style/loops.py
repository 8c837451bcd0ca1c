#!/usr/bin/env python3
"""The loops of the linker's graph: object files of one layer that call each other in a circle.
    tests/style/loops.py BUILD [-v]    BUILD is the folder with the object files; says each loop that crosses a folder and
                                       each of more than LARGEST files in fs/, and exits 1; -v prints all loops
An arrow goes from a file that needs a symbol to the file that defines it (nm), so there are no false ones: calls
through pointers do not count."""
import collections, glob, os, subprocess, sys

LAYERS = ("s3", "engine", "fs")
LARGEST = {"fs": 3}


def graph(build, layer):
    files = sorted(glob.glob(os.path.join(build, layer, "**", "*.o"), recursive=True))
    # objects of files that were moved or removed since lie about
    files = [path for path in files if os.path.exists(os.path.relpath(path, build)[:-2] + ".c")]
    if not files:
        return {}
    home, needs = {}, collections.defaultdict(set)
    out = subprocess.run(["nm", "-A", "--no-sort"] + files, capture_output=True, text=True, check=True).stdout
    for line in out.splitlines():
        path, _, rest = line.partition(":")
        fields = rest.split()
        kind, symbol = fields[-2], fields[-1]
        name = os.path.relpath(path, build)[:-2]
        if kind == "U":
            needs[name].add(symbol)
        elif kind in "TDBR":
            home[symbol] = name
    names = [os.path.relpath(path, build)[:-2] for path in files]
    return {name: {home[s] for s in needs[name] if s in home and home[s] != name} for name in names}


def loops(arrows):
    """Tarjan's strongly connected components, without recursion."""
    number, low, stack, on, found = {}, {}, [], set(), []
    for root in arrows:
        if root in number:
            continue
        work = [(root, iter(sorted(arrows[root])))]
        number[root] = low[root] = len(number)
        stack.append(root)
        on.add(root)
        while work:
            node, rest = work[-1]
            for to in rest:
                if to not in number:
                    number[to] = low[to] = len(number)
                    stack.append(to)
                    on.add(to)
                    work.append((to, iter(sorted(arrows[to]))))
                    break
                if to in on:
                    low[node] = min(low[node], number[to])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    group = []
                    while True:
                        member = stack.pop()
                        on.discard(member)
                        group.append(member)
                        if member == node:
                            break
                    if len(group) > 1:
                        found.append(sorted(group))
    return sorted(found, key=len, reverse=True)


build, bad = sys.argv[1], 0
for layer in LAYERS:
    for loop in loops(graph(build, layer)):
        folders = {os.path.dirname(name) for name in loop}
        wrong = len(folders) > 1 or len(loop) > LARGEST.get(layer, len(loop))
        bad |= wrong
        if wrong or "-v" in sys.argv:
            print("%s: %d files: %s" % ("loop" if wrong else "advice: loop", len(loop), " ".join(loop)))
sys.exit(bad)
