#!/bin/bash
# Pages stream into copies: a tree of 60,000 objects is moved, listed and removed in the memory of one of 6,000.
. "$(dirname "$0")/lib.sh"
[ -z "${SANITIZED:-}" ] || skip "a sanitizer keeps what was freed"
start_s3d --bucket=src --bucket=dst
admin POST 'seed?bucket=src&prefix=few/&count=6000&size=1&dirs=6' >/dev/null
admin POST 'seed?bucket=src&prefix=many/&count=60000&size=1&dirs=60' >/dev/null
# peak CMD ...: the most memory it had, in KiB
peak() {
	python3 -c 'import os, resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)' "$@"
}
# compare VERB FROM TO: with few and with many
compare() {
	local verb=$1 from=$2 few many
	few=$(peak "$FERRYFS" "$verb" -r "$from/few" ${3:+"$3/few"}) || fail "$verb of few"
	many=$(peak "$FERRYFS" "$verb" -r "$from/many" ${3:+"$3/many"}) || fail "$verb of many"
	echo "$verb: $few KiB, $many KiB"
	[ "$many" -lt $((few + 8192)) ] || fail "$verb -r: $few KiB for 6,000 objects, $many KiB for 60,000"
}
compare mv s3://src s3://dst/moved # its copies are those of cp
equal "keys" "$(keys src | wc -l) $(keys dst | wc -l)" "0 66000"
compare ls s3://dst/moved
compare rm s3://dst/moved
equal "keys left" "$(keys dst | wc -l)" 0
