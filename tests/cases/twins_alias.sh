#!/bin/bash
# A bucket under two names (an access point's alias, an alias of Garage): an object moved onto itself under the other name
# stays, whatever the service enforces, however young the object is, and whether or not the service says which it is.
. "$(dirname "$0")/lib.sh"
any_server "a bucket's second name is the embedded server's"

# young or old; which conditions are enforced; can the probe tell?
seed() {
	local put="-X PUT -H x-amz-storage-class:STANDARD_IA --data-binary precious" key next=
	for key in a/f1 a/f2 t/x t/y; do
		next+="${next:+ --next -sS }$put $ENDPOINT/data/$key"
		[ "$1" = 0 ] || next+=" --next -sS -o aged -X POST $ENDPOINT/_s3d/age?bucket=data&key=$key&seconds=$1"
	done
	curl -sS $next || fail seed
}
whole() {
	equal "$1: the objects" "$(curl -sS "$ENDPOINT/data/{a/f1,a/f2,t/x,t/y}" | grep -v '^--_curl_--')" \
		preciouspreciouspreciousprecious
}

for options in "" "--no-conditional-delete" "--no-conditional-copy --no-conditional-delete"; do
	start_s3d --bucket=data --bucket=other --alias=data-alias=data --no-auth $options
	put data one 1
	put data two 2
	mount_s3 all s3://
	# What the service does with conditions is learnt first, on work between two buckets that are two.
	for name in one two; do mv all/data/$name all/other/$name || fail "between two buckets"; done
	for name in one two; do mv all/other/$name all/data/$name || fail "between two buckets, back"; done
	equal "moved" "$(keys other)" ""
	for age in 0 5; do
		for probe in untold told; do
			[ $probe = told ] || admin POST fault "op=list-uploads,action=403:AccessDenied" >/dev/null
			text="'$options' $age seconds old, $probe"
			seed $age
			refuse mv all/data/a/f1 all/data-alias/a/f1 2>err.log
			grep -qi busy err.log || fail "$text: mv said $(<err.log)"
			refuse mv -T all/data-alias/t all/data/t 2>/dev/null
			whole "$text: rename, and of a directory"
			refuse "$FERRYFS" mv s3://data/a/f2 s3://data-alias/a/f2 2>err.log
			refuse "$FERRYFS" mv -r s3://data/t s3://data-alias/t 2>err.log
			refuse "$FERRYFS" mv -r s3://data-alias/t s3://data/t 2>err.log
			whole "$text: ferryfs mv, mv -r"
			admin DELETE fault >/dev/null
		done
	done
	# A tree into itself would never end.
	refuse "$FERRYFS" cp -r s3://data/t s3://data-alias/t/deep 2>err.log
	equal "copied into itself" "$(keys data t/ | tr '\n' ' ')" "t/x t/y "
	# Under another key it is a rename like any other.
	mv all/data/a/f1 all/data-alias/a/g1 || fail "onto another key"
	equal "moved" "$(curl -sS "$ENDPOINT/data/a/g1")" precious
	[ ! -e all/data/a/f1 ] || fail "the source is left"
	equal "uploads left" "$(admin GET uploads)" "[]"
	umount_s3 all
done
grep -q "one object, under two names" mount.log || fail "the log does not say why"
