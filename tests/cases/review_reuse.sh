#!/bin/bash
# A name removed, made again, moved onto and read at once: each shows what came last, here and at S3.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket bkt --latency=20
mount_s3 m s3://bkt
for i in $(seq 12); do
	echo "one $i" >m/a
	cp m/a m/b
	echo "two two $i" >m/a
	mv m/a m/b
	equal "moved $i" "$(cat m/b)" "two two $i"
	[ ! -e m/a ] || fail "a is still shown"
	rm m/b
	echo "3 $i" >m/b
	equal "made anew $i" "$(cat m/b)" "3 $i"
	mkdir m/d
	mv m/b m/d/
	equal "in d" "$(cat m/d/b)" "3 $i"
	mv m/d m/e
	equal "in e" "$(cat m/e/b)" "3 $i"
	cp -r m/e m/f
	rm -r m/e
	equal "in f" "$(cat m/f/b)" "3 $i"
	equal "keys" "$(keys bkt | tr '\n' ' ')" "f/ f/b "
	rm -r m/f
	equal "keys" "$(keys bkt | tr '\n' ' ')" ""
done
