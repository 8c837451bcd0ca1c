#!/usr/bin/env bash
# The names (as tests/run has them) of the tests that came within a day before the newest commit: a sample
# never leaves them out.  No history, no names.
cd "$(dirname "$0")/.." || exit
newest=$(git log -1 --format=%ct 2>/dev/null) || exit 0
git log --since="$((newest - 86400))" --diff-filter=A --name-only --format= -- tests/unit tests/cases |
	sort -u | sed -n 's,^tests/unit/\([a-z0-9_]*\)\.c$,unit/\1,p; s,^tests/cases/\([a-z0-9_]*\)\.sh$,case/\1,p'
