#!/bin/bash
# What S3 has no object for is refused, not pretended.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket bkt
put bkt file 1
mount_s3 m s3://bkt
refuse ln -s file m/soft 2>/dev/null
refuse ln m/file m/hard 2>/dev/null
refuse mkfifo m/fifo 2>/dev/null
equal "keys" "$(keys bkt)" file
