#!/usr/bin/env bash
# An object of more than 5 GiB is copied in parts by the server, whole, and no byte comes here.
. "$(dirname "$0")/lib.sh"
start_s3d
size=$((5 * 1024 * 1024 * 1024 + 12345))
admin POST "seed?bucket=data&prefix=p&count=1&size=$size&dirs=1&depth=1&sparse=1" >/dev/null
key=$(keys data | grep -v '/$' | head -n 1)
equal "size of the source" "$(object data "$key" | field size)" "$size"
mount_s3 m s3://data
admin POST reset >/dev/null
cp "m/$key" m/copy || fail cp
equal "size of the copy" "$(object data copy | field size)" "$size"
[ "$(requests copy-part)" -ge 2 ] || fail "$(requests copy-part) parts"
equal GETs "$(requests get)" 0
equal "object bytes" "$(stat object_bytes_in) $(stat object_bytes_out)" "0 0"
