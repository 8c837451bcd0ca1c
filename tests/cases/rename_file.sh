#!/bin/bash
# A file's rename is one server-side copy and one delete: everything of the object goes along, no byte through the client.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket bkt --bucket other
admin POST 'seed?bucket=bkt&prefix=d/&count=1&size=1000&meta=owner:me&content-type=text/x-odd&storage-class=STANDARD_IA' >/dev/null
put bkt d/stay 1
key=$(keys bkt d/ | grep -v stay)
before=$(admin GET "keys?bucket=bkt&prefix=$key" | cut -f2-)
mount_s3 m s3://
name=$(basename "$key")
ls -l m/bkt/d >/dev/null
mkdir m/bkt/e
admin POST reset >/dev/null
mv m/bkt/d/"$name" m/bkt/e/new || fail mv
equal "copies, deletes, reads" "$(requests copy)$(requests delete)$(requests get)" 110
equal "attributes" "$(admin GET 'keys?bucket=bkt&prefix=e/new' | cut -f2-)" "$before"
equal "source" "$(keys bkt "$key")" ""
[ ! -e m/bkt/d/"$name" ] && [ -f m/bkt/e/new ] || fail "names"
mv m/bkt/e/new "m/other/ü +%&<>" || fail "mv between buckets"
equal "other" "$(admin GET 'keys?bucket=other' | cut -f1)" "%C3%BC%20%2B%25%26%3C%3E"
equal "marker of the directory it left" "$(keys bkt e)" e/
mv "m/other/ü +%&<>" m/other/ü || fail "mv in place"
equal "size" "$(command stat -c %s m/other/ü)" 1000
refuse mv m/other m/another 2>/dev/null
