# Known ways in which an early answer could become a lie: each shows the truth.
. "$(dirname "$0")/lib.sh"
any_server "which calls wait"
start_s3d --latency=10 --bucket=bkt --seed=bkt,prefix=src,count=12,size=100
for dir in tail new; do
	admin POST "seed?bucket=bkt&prefix=$dir&count=12&size=100" >/dev/null
done
put bkt tail/zz-empty/ ""
for dir in skip glob odd redirect; do
	for i in 01 02 03 04 05 06 07 08; do put bkt "$dir/f$i.txt" "$dir$i"; done
done
mount_s3 m s3://bkt
cd m

# KEY-GLOB of the destination is refused; the command must say so with its exit status.
told() {
	local key=$1
	shift
	admin POST fault "op=copy,key=$key,action=403:AccessDenied" >/dev/null
	admin POST fault "op=put,key=$key,action=403:AccessDenied" >/dev/null
	refuse "$@" >/dev/null 2>"$WORK/err"
	admin DELETE fault >/dev/null
	[ ! -e "$key" ] || fail "$*: $key is shown"
}

# A shell lists, then becomes cp: the listing is not cp's own.
mkdir d1 && (cd glob && told d1/f08.txt bash -c 'cp *.txt ../d1/')
mkdir d2 && (cd glob && told d2/f03.txt bash -c 'cp *.txt ../d2/')

# A program that lists, filters, and copies; it never looks at what close says.
cat >"$WORK/filter.py" <<'PY'
import os, sys
names = sorted(os.listdir("odd"))
os.mkdir("d3")
for name in names[:4]:  # and leaves the others alone
    source = os.open("odd/" + name, os.O_RDONLY)
    target = os.open("d3/" + name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    os.copy_file_range(source, target, os.fstat(source).st_size)
    try:
        os.close(target)
    except OSError:
        pass
PY
told d3/f04.txt python3 "$WORK/filter.py"

# Options of cp that pass over files silently: all behind the refused one are there already, and newer.
n=0
for option in -rn -rvn "-r --no-clobber" "-r --no-clob" "-r --no-c" -ru "-r --update" "-r --upd"; do
	n=$((n + 1))
	mkdir "s$n" "s$n/skip"
	for i in 05 06 07 08; do echo "mine $i" >"s$n/skip/f$i.txt"; done
	told "s$n/skip/f04.txt" cp $option skip "s$n/"
done

# The tree ends in an empty directory: no flush comes after the last file.
told 't1/file000011.txt' cp -r tail t1
[ -d t1/zz-empty ] || fail "the empty directory is missing"
admin POST fault "op=copy,key=t2/zz-empty/,action=403:AccessDenied" >/dev/null
refuse cp -r tail t2 2>"$WORK/err"
admin DELETE fault >/dev/null
grep -q t2/zz-empty/ "$WORK/mount.log" || fail "the log does not name the marker"
[ ! -e t2/zz-empty ] || fail "the directory that could not be made is shown"

# Files come to the source after it was listed: cp never visits them.
admin POST hook "when=copy,nth=1,do=put,bucket=bkt,key=new/zz1,text=x" >/dev/null
admin POST hook "when=copy,nth=2,do=put,bucket=bkt,key=new/zz2,text=x" >/dev/null
told n1/file000011.txt cp -r new n1
admin DELETE hook >/dev/null

# What rm -f takes for "gone already".
cp -r src r1 || fail cp
admin POST fault "op=deletes-key,key=r1/file000005.txt,action=400:InvalidArgument" >/dev/null
admin POST fault "op=delete,key=r1/file000005.txt,action=400:InvalidArgument" >/dev/null
refuse rm -rf r1
[ -e r1/file000005.txt ] || fail "the file that was not removed is not shown"
admin DELETE fault >/dev/null

# find removes one by one and asks nobody else.
cp -r src r2 || fail cp
admin POST fault "op=delete,key=r2/file000011.txt,action=403:AccessDenied" >/dev/null
refuse find r2 -name 'file*' -delete 2>"$WORK/err"
admin DELETE fault >/dev/null
[ -e r2/file000011.txt ] || fail "the file that was not removed is not shown"

# A shell's redirection looks at no error of close.
told c1 sh -c 'cat redirect/f01.txt > c1'
