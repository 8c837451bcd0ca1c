#!/usr/bin/env bash
# Which folder may include which.  A folder includes its own files and those of the folders that its rule names.
#   tests/style/layers.sh        prints each include that goes up or sideways, each folder without a rule and each
#                                exception that is no longer needed, and exits 1; prints nothing and exits 0 otherwise
# A rule is one line: FOLDER: FOLDERS.  "s3" or "engine" in a rule stands for all folders below it.
# An exception is one line: FILE INCLUDED.  None is added; each one that a change makes needless is struck by it.
set -u
cd "$(dirname "$0")/../.."
rules='
s3:
engine/base: s3
engine/account: engine/base s3
engine/wire: engine/account engine/base s3
engine/object: engine/wire engine/account engine/base s3
engine/list: engine/wire engine/account engine/base s3
engine/journal: engine/base s3
engine/job: engine/object engine/list engine/journal engine/wire engine/account engine/base s3
fs/host: engine s3
fs/core: fs/host engine s3
fs/control: fs/core fs/host engine s3
fs/dir: fs/core fs/host engine s3
fs/file: fs/dir fs/core fs/host engine s3
fs/early: fs/file fs/dir fs/core fs/host engine s3
fs/request: fs/early fs/file fs/dir fs/core fs/host engine s3
fs/ops: fs/request fs/early fs/file fs/dir fs/core fs/host engine s3
fs/serve: fs/ops fs/request fs/early fs/file fs/dir fs/control fs/core fs/host engine s3
fs/cmd: fs/serve fs/control fs/core fs/host engine s3
fs: fs/cmd fs/host s3
tests/s3d:
'
exceptions=''
{
	find s3 engine fs tests/s3d -name '*.[ch]' | sed 's,/[^/]*$,,' | sort -u | sed 's/^/folder /'
	grep -rnE '^#include "' s3 engine fs tests/s3d --include='*.[ch]' | sed -E 's/^([^:]+):([0-9]+):#include "([^"]+)".*/include \1 \2 \3/'
} | awk -v rules="$rules" -v exceptions="$exceptions" '
	function folder(path) { return sub(/\/[^\/]*$/, "", path) ? path : "" }
	function top(path) { sub(/\/.*/, "", path); return path }
	function wrong(text) { print "layer: " text; bad = 1 }
	BEGIN {
		count = split(rules, line, "\n")
		for (i = 1; i <= count; i++) {
			words = split(line[i], word, /[: ]+/)
			if (!word[1]) continue
			known[word[1]] = 1
			for (j = 2; j <= words; j++) may[word[1], word[j]] = 1
		}
		count = split(exceptions, line, "\n")
		for (i = 1; i <= count; i++) if (line[i] != "") excepted[line[i]] = 1
	}
	$1 == "folder" { if (!($2 in known)) wrong($2 " has no rule"); next }
	{
		from = folder($2); to = folder($4)
		if (to == "" || to == from || (from, to) in may) next
		if (from != "fs" && (top(to) == "s3" || top(to) == "engine") && (from, top(to)) in may) next
		if (($2 " " $4) in excepted) { used[$2 " " $4] = 1; next }
		wrong($2 ":" $3 ": " from " may not use " to " (" $4 ")")
	}
	END {
		for (each in excepted) if (!(each in used)) wrong("the exception is no longer needed: " each)
		exit bad
	}'
