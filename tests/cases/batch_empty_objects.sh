# An empty source gives no copy_file_range; its copy keeps its metadata all the same.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt
admin POST "seed?bucket=bkt&prefix=src&count=5&size=0&meta=colour:blue" >/dev/null
put bkt src/zz full
mount_s3 m s3://bkt
colour() { object bkt "$1" | field headers.x-amz-meta-colour; }
first=$(keys bkt src/ | head -n1)
first=${first#src/}
want=$(colour "src/$first")
equal "the source" "$want" blue
cp -r m/src m/dst || fail "cp -r"
for key in $(keys bkt src/ | sed 's|^src/||' | grep -v zz); do
	equal "$key after cp -r" "$(colour "dst/$key")" blue
	equal "$key's size" "$(object bkt "dst/$key" | field size)" 0
done
cp -a m/src m/archive || fail "cp -a"
mkdir from
mount --bind m from || skip "no right to bind-mount"
MOUNTS+=("$WORK/from")
mv from/archive m/moved || fail mv
for key in $(keys bkt src/ | sed 's|^src/||' | grep -v zz); do
	equal "$key after cp -a and mv" "$(colour "moved/$key")" blue
done
cp "m/src/$first" m/single || fail cp
equal "after cp" "$(colour single)" blue
# Somebody else's empty file is only that.
python3 -c 'import os
a = os.open("m/src/'"$first"'", os.O_RDONLY)
os.close(os.open("m/own", os.O_WRONLY | os.O_CREAT))' || fail python
equal "an own file" "$(colour own)" 0
touch m/touched || fail touch
equal "a touched one" "$(colour touched)" 0
# Refused, it is told.
admin POST fault "op=copy,key=new/*,action=403:AccessDenied" >/dev/null
admin POST fault "op=put,key=new/file*,action=403:AccessDenied" >/dev/null
refuse cp -r m/src m/new 2>/dev/null
