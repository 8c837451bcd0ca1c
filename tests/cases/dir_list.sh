#!/bin/bash
# A listing shows objects and prefixes with their sizes, and reading one costs no request beyond the listing.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket bkt
put bkt top.txt hello
put bkt a/b/c.txt 123
put bkt a/two 1234567
admin POST 'seed?bucket=bkt&prefix=many/&count=2500&size=3' >/dev/null
mount_s3 m s3://bkt
equal "top" "$(ls m | tr '\n' ' ')" "a many top.txt "
equal "size" "$(command stat -c %s m/a/two)" 7
equal "kind" "$(command stat -c %F m/a/b)" directory
equal "all" "$(find m/many -type f | wc -l)" 2500
admin POST reset >/dev/null
ls -l m/many >/dev/null
equal "pages asked for" "$(requests list)" 3
equal "objects asked for" "$(requests head)" 0
mount_s3 n s3://bkt/a/
equal "below a prefix" "$(ls n | tr '\n' ' ')" "b two "
mount_s3 all s3://
equal "buckets" "$(ls all)" bkt
equal "a bucket's content" "$(ls all/bkt | tr '\n' ' ')" "a many top.txt "
refuse ls all/nosuchbucket 2>/dev/null
refuse ls all/No_Bucket 2>/dev/null
refuse ls m/nothing 2>/dev/null
