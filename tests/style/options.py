#!/usr/bin/env python3
"""Every option that is parsed is read by something, said in --help and in ferryfs.1, and tried by a case.

Run from the repository's root; prints what breaks that, one a line, and exits 1.  The tables are read from the sources:
the mount's own options (fs/cmd/mount_option_values.c), those of every command's connection (fs/cmd/common_options.c), and the commands'
getopt tables (fs/cmd/*.c)."""
import glob
import re
import sys

# Known to be said elsewhere than in --help: another spelling of one that is.
SECOND_SPELLINGS = {"log_file": "log", "dryrun": "dry-run", "rw": "ro"}
# What only checks, or hands on: not what reads an option.
HANDLERS = {"fs/cmd/mount_option_values.c", "fs/cmd/mount_options.c", "fs/cmd/common_options.c", "fs/control/control.c", "fs/serve/views.c", "fs/core/view.c"}


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def strings(text):
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text)).replace("\\n", "\n")


def function(source, name):
    found = re.search(r"\b%s\([^;{]*\)\s*\{(.*?)\n\}" % re.escape(name), source, re.S)
    return found.group(1) if found else ""


sources = {path: read(path) for path in glob.glob("fs/**/*.c", recursive=True) + glob.glob("engine/**/*.c", recursive=True) + glob.glob("fs/**/*.h", recursive=True)}
manual = read("man/ferryfs.1")
cases = "\n".join(read(path) for pattern in ("tests/cases/*.sh", "tests/matrix/*", "tests/*.sh") for path in sorted(glob.glob(pattern))
                  if re.search(r"\.(sh|py)$", path))
bad = []


def said(name, help_text, in_manual, in_cases):
    if not in_manual:
        bad.append("%s: not in man/ferryfs.1" % name)
    if not in_cases:
        bad.append("%s: no case uses it" % name)
    if name not in SECOND_SPELLINGS and not re.search(r"(?:--|(?<![\w-]))%s(?![\w-])" % re.escape(name), help_text):
        bad.append("%s: not in --help" % name)


def is_read(field):
    """Is this field of a view or of the options used by anything but what sets, sends and compares it?"""
    use = re.compile(r"(?:->|\.)%s\b(?!\s*=[^=])" % re.escape(field))
    return any(use.search(text) for path, text in sources.items() if path not in HANDLERS)


# the mount's own
values = sources["fs/cmd/mount_option_values.c"]
mount_help = strings(sources["fs/cmd/mount.c"])
rules = re.findall(r'\{"(\w+)", (true|false), (\w+)\}', values)
if len(rules) < 20:
    bad.append("fs/cmd/mount_option_values.c: the table of options is not where it was")
for name, has_value, setter in rules:
    body = function(values, setter)
    if not body:
        bad.append("%s: no %s" % (name, setter))
    if setter in ("set_refused", "set_remount"):
        continue
    fields = {field for field in re.findall(r"options->(?:view->)?(\w+)(?!\w*->)", body)
              if field not in ("view", "connect") and not field.endswith("_given")}
    if not fields:
        bad.append("%s: %s sets nothing" % (name, setter))
    for field in sorted(fields):
        if not is_read(field):
            bad.append("%s: nothing reads %s" % (name, field))
    said(name, mount_help, re.search(r"\bCm (?:\w+ , Cm )*%s\b" % name, manual) or re.search(r"^\.(?:It|Cm) .*\b%s\b" % name, manual, re.M),
         re.search(r"(?:-o *|,|\"|'|--)%s%s" % (re.sub("_", "[_-]", name), r"[= ]" if has_value == "true" else r"\b"), cases))

# those of every connection
connect = sources["fs/cmd/common_options.c"]
names = re.findall(r'\[NAME_\w+\] = "(\w+)"', connect)
all_help = "\n".join(strings(text) for path, text in sources.items() if path.startswith("fs/cmd/"))
if len(names) < 10:
    bad.append("fs/cmd/common_options.c: the table of options is not where it was")
for name in names:
    dashed = name.replace("_", "-")
    said(dashed, all_help.replace(name, dashed), re.search(r"Fl -%s\b|Cm %s\b" % (dashed, name), manual),
         re.search(r"%s\b" % name.replace("_", "[_-]"), cases))
setters = function(connect, "set_option") + function(connect, "set_engine_option")
for field in sorted(set(re.findall(r"(?:account|engine|options)->(\w+)", setters)) - {"account", "engine"}):
    used = re.compile(r"(?:->|\.)%s\b(?!\s*=[^=])" % field)
    if not is_read(field) and len(used.findall(connect)) <= len(used.findall(setters)):
        bad.append("fs/cmd/common_options.c: nothing reads %s" % field)

# the commands'
count = 0
for path, text in sorted(sources.items()):
    for name in re.findall(r'\{"([\w-]+)", (?:no|required|optional)_argument,', text):
        count += 1
        said(name, all_help, name in SECOND_SPELLINGS or re.search(r"(?:Fl|,) -%s\b" % re.escape(name), manual), re.search(r"--%s\b" % re.escape(name), cases))
if count < 30:
    bad.append("fs/cmd: the tables of options are not where they were")

for line in sorted(set(bad)):
    print("option: " + line)
sys.exit(1 if bad else 0)
