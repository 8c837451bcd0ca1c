#!/bin/bash
# mv -r whose copies do not all succeed deletes nothing; one object whose copy fails stays as well.
. "$(dirname "$0")/lib.sh"
start_s3d --seed=src,prefix=x/,count=300,size=10 --bucket=dst --fault='op=copy,key=*00.txt,action=403:AccessDenied'
"$FERRYFS" mv -r s3://src/x s3://dst/x 2>err
equal "status" $? 1
equal "source" "$(keys src | wc -l)" 300
equal "listed" "$(grep -c '^failed: copy' err)" 3
"$FERRYFS" mv s3://src/x/file000000.txt s3://dst/ 2>err || key=$(keys src | grep 00.txt | head -1)
before=$(requests delete) # of copies, taken back one by one where sets can't be conditional
"$FERRYFS" mv "s3://src/$key" s3://dst/ 2>err
equal "status of one" $? 1
equal "one stays" "$(keys src | grep -cx "$key")" 1
equal "deletes" "$(requests delete)" "$before"
