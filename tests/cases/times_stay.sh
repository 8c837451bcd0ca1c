#!/usr/bin/env bash
# The times of a file whose content is the same never change: by being listed, looked up, aged, saved, copied, renamed, or mounted
# anew; on a service whose listings have milliseconds, and on one whose HEAD is rounded up beside.  The kernel keeps its pages.
. "$(dirname "$0")/lib.sh"

time_of() { command stat -c '%y %z' "$1"; }
# asks by listing and by name, and again
look() {
	ls -l m/d m >/dev/null
	command stat "$1" >/dev/null
	cat "$1" >/dev/null
}
stays() { # WHAT FILE TIME
	for _ in 1 2; do
		equal "$1: $2" "$(time_of "$2")" "$3"
		look "$2"
	done
	equal "$1: $2" "$(time_of "$2")" "$3"
}

# S3 was asked, by name
aged() {
	command stat "$file" >/dev/null
	[ "$(requests head)" -gt 0 ]
}

try() { # SERVER'S OPTIONS
	start_s3d "$@" --bucket=bkt
	admin POST 'seed?bucket=bkt&prefix=d/&count=3&size=30000' >/dev/null
	file=m/$(keys bkt d/ | head -n 1)
	mount_s3 m s3://bkt -o cache_ttl=0.5
	listed=$(find m/d -name "${file##*/}" -printf '%TY-%Tm-%Td %TT')
	[[ $listed == *.0000000000 ]] || fail "more than whole seconds: $listed"
	listed=$(time_of "$file")
	until_true 120 aged
	equal "aged" "$(time_of "$file")" "$listed"
	umount_s3 m
	mount_s3 m s3://bkt -o cache_ttl=0
	ls -l m/d >/dev/null
	[ $# -gt 1 ] || equal "listed" "$(time_of "$file")" "$listed"
	listed=$(time_of "$file")
	stays "listed first" "$file" "$listed"
	tar -cf /dev/null m/d 2>tar.err || fail "tar: $(<tar.err)"
	admin POST reset >/dev/null
	for _ in 1 2 3 4; do look "$file"; done
	[ "$(requests get)" -le 1 ] || fail "$(requests get) GETs for pages that the kernel had"
	umount_s3 m

	# looked up first, by another mount
	mount_s3 m s3://bkt -o cache_ttl=0
	looked=$(time_of "$file")
	[ $# -gt 1 ] || equal "by another mount" "$looked" "$listed"
	stays "looked up first" "$file" "$looked"

	# saved, also by a server whose clock is another one
	admin POST 'set?clock-ahead=300' >/dev/null
	exec 5>m/d/saved
	echo text >&5
	saved=$(time_of m/d/saved)
	exec 5>&-
	stays "saved" m/d/saved "$saved"
	# copied: the copy has a time of its own, which stays
	cp m/d/saved m/d/copy || fail cp
	stays "its source" m/d/saved "$saved"
	copied=$(time_of m/d/copy)
	stays "copied" m/d/copy "$copied"
	# renamed, alone and with its directory
	mv m/d/saved m/d/renamed || fail mv
	stays "renamed" m/d/renamed "$saved"
	mkdir m/e
	made=$(time_of m/e)
	mv m/d m/e/d || fail "mv of a directory"
	mkdir m/d
	stays "in a renamed directory" m/e/d/renamed "$saved"
	stays "in a renamed directory" m/e/d/copy "$copied"
	ls -l m m/e >/dev/null
	equal "a directory" "$(time_of m/e)" "$made"
	# edited: another content, another time
	echo more >>m/e/d/renamed
	[ "$(time_of m/e/d/renamed)" != "$saved" ] || fail "an edited file has its old time"
	# another version of the same size and second is another content all the same
	put bkt d/x one
	equal "before" "$(cat m/d/x)" one
	put bkt d/x two
	equal "after" "$(cat m/d/x)" two
	umount_s3 m
}

try --fine-times
try --fine-times --late-heads
