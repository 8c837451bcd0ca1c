#!/bin/bash
# mv between two views, to another service or to a local disk: what another client has written to a source after it was
# copied stays, and mv says so; whether or not the service enforces conditions on deletes.  What this mount itself has written
# is held against nobody, and rm removes whatever is there.
. "$(dirname "$0")/lib.sh"
new=NEW-AND-LONGER-CONTENT

stays() { # WHAT KEY
	equal "$1: what another client wrote" "$(object alpha "$2" | field size)" ${#new}
	put alpha "$2" old-content
}
# The source is overwritten once this process has it: after its nth request of a kind.
overwrite() { admin POST hook "when=$1,nth=$2,at=after,do=put,bucket=alpha,key=$3,text=$new" >/dev/null; }

for options in "" "--no-conditional-copy --no-conditional-delete --strict-deletes"; do
	start_s3d --bucket=alpha --bucket=beta $options
	first=$ENDPOINT
	admin POST "seed?bucket=alpha&prefix=t/&count=12&size=10" >/dev/null
	admin POST "seed?bucket=alpha&prefix=u/&count=12&size=10" >/dev/null
	for key in one-first one-second two-first two-second three four five; do put alpha $key old-content; done
	mount_s3 a s3://alpha
	mount_s3 b s3://beta
	mkdir -p disk
	for round in first second; do # when it is not known, and when it is, whether conditions are enforced
		text="'$options' $round"
		overwrite copy 1 one-$round
		refuse mv a/one-$round b/ 2>err.log
		grep -q "cannot remove 'a/one-$round'" err.log || fail "$text: mv said $(<err.log)"
		stays "$text: a file" one-$round
		overwrite get 1 two-$round
		refuse mv a/two-$round disk/ 2>/dev/null
		stays "$text: to a disk" two-$round
		admin DELETE hook >/dev/null
	done
	name=$(keys alpha t/ | sed -n 3p)
	overwrite copy 10 "$name"
	refuse mv a/t b/ 2>/dev/null
	equal "'$options' a tree: what is left" "$(keys alpha t/)" "$name"
	equal "'$options' a tree: its copies" "$(keys beta t/ | grep -c file)" 12
	stays "'$options' a tree" "$name"
	admin DELETE hook >/dev/null
	# What has not changed goes, and so does what this mount itself has changed since it was read.
	mv a/u b/ || fail "'$options' mv of a tree that nobody changes"
	equal "'$options' left" "$(keys alpha u/)" ""
	python3 - <<'PY' || fail "'$options' read, written, removed"
import os
with open('a/three') as f: f.read()
with open('a/three', 'w') as f: f.write('written here')
os.unlink('a/three')
with open('a/new', 'w') as f: f.write('made here')
with open('a/four') as f: f.read()
os.rename('a/new', 'a/four')
os.unlink('a/four')
# removed and made anew, by a directory's rename
os.mkdir('a/out')
with open('a/out/f', 'w') as f: f.write('first')
with open('a/out/f') as f: f.read()
os.unlink('a/out/f')
os.rmdir('a/out')
os.mkdir('a/out')
with open('a/out/f', 'w') as f: f.write('second')
with open('a/out/f') as f: f.read()
os.rename('a/out', 'a/old')
os.mkdir('a/out')
with open('a/out/f', 'w') as f: f.write('third')
with open('a/old/f') as f: f.read()
os.unlink('a/out/f')
os.rmdir('a/out')
with open('a/old/f') as f: f.read()
os.rename('a/old', 'a/out')
os.unlink('a/out/f')
os.rmdir('a/out')
PY
	equal "'$options' removed" "$(keys alpha three)$(keys alpha four)" ""
	# Who has read it removes what he has read, and is told once that it has changed; rm removes what is there.
	python3 - "$first" <<'PY' || fail "'$options' refused once"
import os, sys, urllib.request
with open('a/five') as f: f.read()
urllib.request.urlopen(urllib.request.Request(sys.argv[1] + '/_s3d/overwrite?bucket=alpha&key=five&text=other', method='POST', data=b''))
try: os.unlink('a/five')
except OSError as e: assert e.errno == 16, e
else: sys.exit('removed')
os.unlink('a/five')
PY
	put alpha one-first changed-again
	rm a/one-first || fail rm
	equal "'$options' removed by rm" "$(keys alpha one-first)$(keys alpha five)" ""
	umount_s3 a
	umount_s3 b
	rm -rf disk
done
grep -q "what was written meanwhile stays" mount.log || fail "the log does not say so"
