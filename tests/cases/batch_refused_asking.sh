#!/bin/bash
# What S3 refuses to list or to show, as cp's last step: cp fails, names it, and when it ends all it had begun before is done.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt --latency=copy=300 --seed=bkt,prefix=list,count=12,size=10 --seed=bkt,prefix=open,count=12,size=10
put bkt list/zz-dir/file x
put bkt open/zz x
mount_s3 m s3://bkt -o cache_ttl=0
below() { keys bkt "$1/" | sed "s|^$1/||"; }
for tool in "cp -r" "cp -a"; do
	to=${tool#* }
	: >mount.log
	# The listing of the last directory.
	admin POST fault 'op=list,key=list/zz-dir/*,action=403:AccessDenied' >/dev/null
	refuse $tool m/list "m/list$to" 2>err
	equal "$tool: the others" "$(below "list$to" | grep -v '/$')" "$(below list | grep -v zz-dir)"
	admin DELETE fault >/dev/null
	grep -q "list/zz-dir.*AccessDenied" mount.log || fail "$tool: the log does not name list/zz-dir"
	# The last file itself, when it is opened.
	admin POST fault 'op=head,key=open/zz,action=403:AccessDenied' >/dev/null
	admin POST fault 'op=get,key=open/zz,action=403:AccessDenied' >/dev/null
	refuse $tool m/open "m/open$to" 2>err
	equal "$tool: the others" "$(below "open$to")" "$(below open | grep -vx zz)"
	admin DELETE fault >/dev/null
	grep -q "open/zz.*Permission denied" mount.log || fail "$tool: the log does not name open/zz"
	[ ! -e "m/open$to/zz" ] || fail "$tool: open$to/zz is shown"
done
