#!/usr/bin/env bash
# The rules of the house that a script can see: layers, sizes, format, names at the top level.
#   tests/style/check.sh        prints what breaks a rule and exits 1, else exits 0
# Advice (files over 400 lines, functions over 40) is printed only with -v.
set -u
cd "$(dirname "$0")/../.."
bad=0
say() { echo "$1"; bad=1; }
sources=$(find s3 engine fs tests -name '*.[ch]' -not -path '*/corpus/*' | sort)

while read -r line; do say "$line"; done < <(tests/style/layers.sh)

while read -r lines file; do say "size: $file has $lines lines (600 at most)"; done < <(
	wc -l $sources | awk '$2 != "total" && $1 > 600')
[ "${1:-}" = -v ] && wc -l $sources | awk '$2 != "total" && $1 > 400 {print "advice: " $2 " has " $1 " lines"}'

# A function begins at a `{` in the first column and ends at the next `}` there.
while read -r line; do say "size: $line"; done < <(
	awk -v most=80 'FNR == 1 {open = 0} /^[a-zA-Z].*\(/ {head = $0} /^\{/ {open = FNR}
		/^\}/ {if (open && FNR - open - 1 > most) printf "%s:%d: function of %d lines: %s\n", FILENAME, open, FNR - open - 1, head; open = 0}' $sources)

if command -v clang-format >/dev/null; then
	while read -r line; do say "format: $line"; done < <(clang-format --dry-run $sources 2>&1 | grep -E 'warning:' | cut -d: -f1 | uniq -c | head -20)
else
	echo "style: clang-format is missing, format not checked"
	bad=1
fi

# A page names only files that are there.
while read -r page name; do say "page: $page names $name, which is not there"; done < <(
	for page in fs engine s3; do
		[ -f $page/README.md ] || continue
		grep -oE '`([a-z0-9_]+/)*[a-z0-9][a-z0-9_]*\.(c|h|sh|py)`' $page/README.md | tr -d '`' | sort -u | while read -r name; do
			[ -e "$page/$name" ] || [ -e "$name" ] || [ -n "$(find $page -name "$name" -print -quit)" ] || echo "$page/README.md $name"
		done
	done)

while read -r line; do say "top level: $line"; done < <(
	git ls-files 2>/dev/null | cut -d/ -f1 | sort -u | grep -vxE 'Makefile|fs|s3|engine|tests|man|README\.md|LICENSE|\..*')
# What isn't safe beside other threads, and has an _r, a getenv-only or a library form that is (.clang-tidy).
while read -r line; do say "threads: $line"; done < <(
	grep -nE '\b(gmtime|localtime|asctime|ctime|strtok|s?rand|random|drand48|inet_ntoa|gethostbyname|ttyname|tmpnam|dlerror|setlocale|(put|set|unset|clear)env)\(' -r s3 engine fs --include='*.[ch]')
while read -r line; do say "unfinished: $line"; done < <(grep -nE '\b(TODO|FIXME|XXX|HACK)\b' $sources | head)
while read -r line; do say "$line"; done < <(tests/style/names.py)
[ ! -e build/libfs.a ] || while read -r line; do say "$line"; done < <(tests/style/loops.py build)
[ "${1:-}" != -v ] || { tests/style/names.py -v; [ ! -e build/libfs.a ] || tests/style/loops.py build -v; } | grep -E '^advice'
while read -r line; do say "$line"; done < <(tests/style/options.py)
exit $bad
