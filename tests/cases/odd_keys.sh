#!/usr/bin/env bash
# Keys that no file name can stand for, with each value of odd_keys: by default whoever copies is told (and everything else is
# copied), ls and what removes go on; with escape they have names, by which a copy is whole, back and forth; with hide they
# are left out, as the log says.
. "$(dirname "$0")/lib.sh"
[ -z "${FERRYFS_REAL:-}" ] || skip "not every server takes such keys"
start_s3d --bucket=bkt --bucket=esc
long=$(printf 'x%.0s' {1..256})
seed() { for key in 2026/1/a 2026/1//x 2026/1//y 2026/2/b; do put "$1" "$key" "$key"; done; }
for bucket in bkt esc; do
	seed $bucket
	for key in /lead dots/. dots/.. dots/f dots/./in nul/f nul/a%2500b nul/plain beside/f beside/f/g beside/h; do put $bucket "${key//%25/%}" "$key"; done
done
put bkt long/$long long
put bkt long/f f
mount_s3 m s3://bkt
mkdir m2 disk
mount --bind m m2 2>/dev/null && MOUNTS+=("$WORK/m2")

# error: who copies is told; what has a name is there.
copies() { # DIR: every tool fails on this directory
	local to=$WORK/disk/$RANDOM tool
	mkdir "$to"
	for tool in "cp -r m/$1 m/to-$1" "cp -a m/$1 m/too-$1" "cp -r m/$1 $to/r" "cp -rv m/$1 $to/v" "cp -rn m/$1 $to/n" \
		"tar cf $to/t.tar m/$1" "find m/$1"; do
		refuse $tool >/dev/null 2>&1
	done
	command -v rsync >/dev/null && refuse rsync -a "m/$1" "$to/rsync" 2>/dev/null
	if mountpoint -q m2; then
		local before=$(keys bkt "$1/")
		refuse mv "m/$1" "m2/moved-$1" 2>/dev/null || :
	fi
	ls -lR "m/$1" >/dev/null || fail "ls -lR $1"
	(set -- m/$1/*; [ -e "$1" ]) || fail "a shell finds nothing in $1"
	python3 -c 'import os, sys; os.listdir(sys.argv[1])' "m/$1" || fail "a program's listing of $1"
}
for dir in dots nul beside long; do copies $dir; done
copies 2026
# (cp reads a directory to its end first.)
equal "what is copied" "$(keys bkt to-2026/ | tr '\n' ' ')" "to-2026/1/ to-2026/2/b "
equal "log lines for a directory" "$(grep -c 'list s3://bkt/2026/1/: Input/output error.*odd_keys' mount.log)" 1
[ -f m/2026/1/a ] && [ ! -e "m/2026/1/%!" ] || fail "names"
# A directory of such keys alone goes as before: rm and rmdir leave it, and a rename takes it along.
refuse rm -r m/2026/1 2>/dev/null
equal "still there" "$(keys bkt 2026/1/ | tr '\n' ' ')" "2026/1//x 2026/1//y "
mv m/2026 m/renamed || fail "rename"
equal "taken along" "$(keys bkt renamed/1/ | tr '\n' ' ')" "renamed/1//x renamed/1//y "

# escape
mount_s3 e s3://esc -o odd_keys=escape,cache_ttl=0 # each name is looked up
names() { equal "names in $1" "$(ls -A "e/$1" | tr '\n' ' ')" "$2 "; }
names 2026/1 '%! a'
names '2026/1/%!' 'x y'
names dots '%!. %!.. %=. f'
names 'dots/%!.' in
names nul '%!a%00b f plain'
names beside '%=f f h'
[ -f 'e/%!/lead' ] && [ -f 'e/2026/1/%!/x' ] && [ -f 'e/nul/%!a%00b' ] && [ -f 'e/dots/%!..' ] && [ -f 'e/beside/%=f' ] ||
	fail "shown: $(ls -AR e)"
equal "content" "$(cat 'e/2026/1/%!/x' 'e/beside/%=f' e/beside/f/g)" "2026/1//xbeside/fbeside/f/g"
# What is no name of a part is nothing.
for name in '%!a' '2026/1/%!a' '2026/1/%=a' 'nul/%!a%2500b' 'nul/%!f' 'beside/%=h'; do [ ! -e "e/$name" ] || fail "$name is there"; done
# Every copy is whole: here, to a disk and back, through tar, by rsync.
same() { equal "$1" "$(keys esc "$2/" | sed "s|^$2/||")" "$(keys esc "$3/" | sed "s|^$3/||")"; }
for dir in 2026 nul beside; do
	cp -r "e/$dir" "e/copy-$dir" || fail "cp -r $dir"
	same "cp -r $dir" "copy-$dir" "$dir"
	rm -rf disk/x
	cp -r "e/$dir" disk/x && cp -r disk/x "e/back-$dir" || fail "$dir to a disk and back"
	equal "$dir back: files" "$(keys esc "back-$dir/" | grep -v '/$' | sed "s|^back-$dir/||")" "$(keys esc "$dir/" | grep -v '/$' | sed "s|^$dir/||")"
	mkdir "e/tar-$dir" && tar cf - -C "e/$dir" . | tar xf - -C "e/tar-$dir" || fail "tar $dir"
	[ -f "e/tar-$dir/$(cd "e/$dir" && find . -name '%*' -type f -o -path '*%!/x' | head -1)" ] || fail "tar $dir: $(ls -AR "e/tar-$dir")"
done
equal "bytes of what was copied" "$(cat 'e/copy-beside/%=f' 'e/back-2026/1/%!/y' 'e/copy-nul/%!a%00b')" "beside/f2026/1//ynul/a%00b"
# Made, renamed, written and removed by such names.
mkdir -p 'e/new/%!' && echo made >'e/new/%!/f' && mv 'e/new/%!/f' 'e/new/%!.' || fail "made by such a name"
equal "made" "$(keys esc new/ | tr '\n' ' ')" "new/ new/. new// "
refuse touch 'e/new/%!plain' 2>/dev/null
refuse mkdir 'e/new/%=x' 2>/dev/null
rm -r e/new || fail "rm -r"
equal "removed" "$(keys esc new)" ""
mv 'e/2026/1/%!' e/plain || fail "mv of a directory with an empty name"
equal "moved" "$(keys esc plain/ | tr '\n' ' ')" "plain/x plain/y "
# Two names of one object are one: a move onto itself is refused, and loses nothing.
rm -r e/beside/f || fail "rm of the directory beside it"
mv 'e/beside/%=f' e/beside/f 2>/dev/null
equal "the object beside it" "$(keys esc beside/ | tr '\n' ' ')" "beside/f beside/h "
rm -r e/copy-2026 e/copy-nul || fail "rm -r of copies"
equal "left of the copies" "$(keys esc copy-2026)$(keys esc copy-nul)" ""

# hide
umount_s3 e
seed esc
mount_s3 h s3://esc -o odd_keys=hide
cp -r h/2026 h/hidden || fail "cp -r with odd_keys=hide"
equal "left out" "$(keys esc hidden/ | tr '\n' ' ')" "hidden/1/a hidden/2/b "
grep -q 'list s3://esc/2026/1//; not shown' mount.log || fail "the log does not say so"
refuse "$FERRYFS" mount -o odd_keys=maybe s3://esc "$WORK/disk" 2>err
grep -q 'error, escape, hide' err || fail "$(<err)"
