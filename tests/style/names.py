#!/usr/bin/env python3
"""Names that do not identify, and words that make a comment a riddle.
    tests/style/names.py [-v]      prints each fault and exits 1, else exits 0; -v prints the figures as well

  static   a static function's name stands in two files of one layer (s3, engine, fs): a backtrace, grep and ctags
           find both
  tag      a struct or enum tag is defined twice in the whole program
  words    "what" and "who" (whoever, whose) for each 1,000 words of comment are above their bounds
"""
import collections, glob, re, sys

LAYERS = ("s3", "engine", "fs")
BOUNDS = {"what": (r"\bwhat(ever)?\b", 3.0), "who": (r"\bwho(ever|se|m)?\b", 1.0)}
COMMENT = re.compile(r"/\*.*?\*/", re.S)
STATIC = re.compile(r"^static\s+(?:inline\s+|const\s+|_Noreturn\s+)*(?:struct\s+|enum\s+|unsigned\s+|union\s+)?\w+[\s*]+(\w+)\(", re.M)
TAG = re.compile(r"^(?:static\s+|const\s+)*(?:typedef\s+)?(struct|enum|union) (\w+) \{", re.M)

faults = []
statics, tags = {layer: collections.defaultdict(set) for layer in LAYERS}, collections.defaultdict(list)
words, found = 0, collections.Counter()
for layer in LAYERS:
    for path in sorted(glob.glob(layer + "/**/*.[ch]", recursive=True)):
        text = open(path, encoding="utf-8").read()
        for comment in COMMENT.findall(text):
            words += len(re.findall(r"[A-Za-z']+", comment))
            for word, (pattern, _) in BOUNDS.items():
                found[word] += len(re.findall(pattern, comment, re.I))
        code = COMMENT.sub("", text)
        for kind, tag in TAG.findall(code):
            tags[kind, tag].append(path)
        if path.endswith(".c"):
            for name in STATIC.findall(code):
                statics[layer][name].add(path)

ambiguous = 0
for layer in LAYERS:
    for name, paths in sorted(statics[layer].items()):
        if len(paths) > 1:
            ambiguous += 1
            faults.append("static: %s stands in %s" % (name, ", ".join(sorted(paths))))
for (kind, tag), paths in sorted(tags.items()):
    if len(paths) > 1:
        faults.append("tag: %s %s is defined in %s" % (kind, tag, ", ".join(paths)))
for word, (_, bound) in BOUNDS.items():
    rate = 1000.0 * found[word] / max(words, 1)
    if "-v" in sys.argv:
        print("advice: %s: %.1f for each 1,000 words of comment (%.1f at most)" % (word, rate, bound))
    if rate > bound:
        faults.append('words: "%s" %.1f times for each 1,000 words of comment (%.1f at most)' % (word, rate, bound))
if "-v" in sys.argv:
    print("advice: %d static names, %d of them in two files of a layer or more" % (sum(map(len, statics.values())), ambiguous))
print("\n".join(faults), end="\n" if faults else "")
sys.exit(bool(faults))
