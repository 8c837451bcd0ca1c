# Operations on one key take effect in the order in which they were answered, whatever waits in a batch.
. "$(dirname "$0")/lib.sh"
any_server "which calls wait"
start_s3d --latency=20 --bucket=bkt --seed=bkt,prefix=src,count=200,size=50,dirs=2
mount_s3 m s3://bkt
cd m
all=$(keys bkt src/ | sed 's|^src/||')

# Names are made anew while their deletes may still be gathered: the new ones stay.
cp -r src a || fail cp
rm -r a &
pid=$!
for ((i = 0; i < 60; i++)); do
	mkdir -p a/dir0000 2>/dev/null && echo "new $i" >"a/dir0000/file000000.txt" 2>/dev/null && break
done
wait "$pid" # with or without success: somebody made a file in what it removes
echo "last" >b1
until_true 120 sh -c 'mkdir -p a/dir0000 && echo again >a/dir0000/file000001.txt'
equal "made after the rm" "$(cat a/dir0000/file000001.txt)" again
equal "at the server" "$(curl -sS "$ENDPOINT/_s3d/keys?bucket=bkt&prefix=a/dir0000/file000001.txt" | cut -f1)" a/dir0000/file000001.txt

# Two copies onto one name: the second wins, and both say so.
cp src/dir0000/file000000.txt two && cp src/dir0001/file000101.txt two || fail "two copies"
cmp two src/dir0001/file000101.txt || fail "the first copy won"

# A source is overwritten while its copy may be pending: the copy is of what it was.
cp src/dir0000/file000002.txt kept || fail cp
before=$(cat src/dir0000/file000002.txt)
echo changed >src/dir0000/file000002.txt || fail overwrite
equal "the copy" "$(cat kept)" "$before"

# Copy, unlink the source, read the destination, close: all in one program.
python3 - <<'PY' || fail "one program"
import os
source = os.open("src/dir0000/file000003.txt", os.O_RDONLY)
want = os.read(source, 1 << 20)
target = os.open("moved", os.O_RDWR | os.O_CREAT | os.O_EXCL)
os.copy_file_range(source, target, len(want), 0, 0)
os.unlink("src/dir0000/file000003.txt")
got = os.pread(target, 1 << 20, 0)
os.close(target)
os.close(source)
assert got == want, (got, want)
PY
[ ! -e src/dir0000/file000003.txt ] || fail "the source is still there"

# fsync of the directory settles what a cp was promised.
cp -r src e &
pid=$!
until [ -d e/dir0001 ]; do :; done
python3 -c 'import os; os.fsync(os.open("e", os.O_RDONLY))' || fail fsync
wait "$pid" || fail cp
equal "the copy" "$(keys bkt e/ | sed 's|^e/||')" "$(keys bkt src/ | sed 's|^src/||')"
