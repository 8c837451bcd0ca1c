#!/bin/sh
# The functions that torture_wrap.c stands in for, one a line.
sed -nE 's/^WRAP(_FD)?\([^,]*, ([a-z0-9_]+),.*/\2/p; s/^[a-z].*__wrap_([a-z0-9_]+)\(.*\);$/\1/p' "$(dirname "$0")/torture_wrap.c" | sort -u
