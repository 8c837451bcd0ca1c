#!/bin/bash
# --json: one object a line for each object, then the summary; the numbers agree.
. "$(dirname "$0")/lib.sh"
start_s3d --seed=src,prefix=x/,count=1200,size=10 --bucket=dst --fault='op=copy,key=*777.txt,action=403:AccessDenied'
put src 'x/odd%22%0A%FF' text
"$FERRYFS" cp -r --json s3://src/x s3://dst/y >out 2>/dev/null
equal "status" $? 1
python3 - out <<'END' || fail "JSON"
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
objects, summary = lines[:-1], lines[-1]
assert summary["type"] == "summary" and summary["op"] == "copy", summary
done = [o for o in objects if o["status"] == "done"]
failed = [o for o in objects if o["status"] == "failed"]
assert len(done) == 1200 and len(failed) == 1, (len(done), len(failed))
assert (summary["found"], summary["copied"], summary["failed"]) == (1201, 1200, 1), summary
assert summary["complete"] and not summary["interrupted"], summary
assert failed[0]["code"] == "AccessDenied" and failed[0]["errno"] == "EACCES" and failed[0]["request_id"], failed
for o in done:
    assert o["source"].startswith("s3://src/x/") and o["destination"] == o["source"].replace("src/x", "dst/y"), o
    assert o["etag"] and o["op"] == "copy", o
odd = [o["source"].encode("utf-8", "surrogateescape") for o in objects if "odd" in o["source"]]
assert odd == [b's3://src/x/odd"\n\xff'], odd
END
