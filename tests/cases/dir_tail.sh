#!/usr/bin/env bash
# A flat directory too long to be listed for a lookup: cp -r into it goes on without asking name by name when what is known of it has aged, also past what others put there.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt
admin POST 'seed?bucket=bkt&prefix=flat/&count=20000&size=10' >/dev/null
mount_s3 m s3://bkt -o cache_ttl=1
admin POST reset >/dev/null
cp -r m/flat m/copy || fail "cp"
equal "copies" "$(keys bkt copy/ | sed 's|^copy/||' | sha256sum)" "$(keys bkt flat/ | sed 's|^flat/||' | sha256sum)"
asked=$(($(requests head) + $(requests list)))
# Name by name it would be 20,000.  A page is asked for anew each second: how many there are is a matter of the machine.
[ "$asked" -le 10000 ] || fail "$asked questions"
# The first names are there, a later one and the last are another client's: a plain cp replaces them, cp -n leaves them.
for name in file004500.txt file019999.txt; do put bkt "copy/$name" theirs; done
mkdir -p from
for i in $(seq -f %06g 4490 4510) 019999 020000; do echo ours >from/file$i.txt; done
cp -rn from/. m/copy/ || fail "cp -n"
equal "theirs" "$(object bkt copy/file004500.txt | field size) $(object bkt copy/file019999.txt | field size)" "6 6"
equal "new" "$(object bkt copy/file020000.txt | field size)" 5
# The page is refused: the name is asked for by itself, and found or not.
admin POST fault 'op=list,key=copy/,action=403:AccessDenied' >/dev/null
asked() {
	python3 -c '
import os
for i in range(4): assert not os.path.exists("m/copy/a%d" % i)' || fail "a name that is not there"
	admin GET fault | grep -q '"fired": [1-9]'
}
until_true 120 asked
[ -e m/copy/file000007.txt ] || fail "a name that is there"
