#!/bin/bash
# --request-payer goes with every request to a bucket: listings, HEAD, copies, deletes, and all of a copy in parts.
. "$(dirname "$0")/lib.sh"
cat >server.py <<'END'
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        what = self.command
        if "x-amz-copy-source" in self.headers: what = "COPY"
        if self.command == "GET": what = "LIST"
        if "tagging" in self.path: what = "TAGS"
        if self.command == "POST": what = "DELETES"
        if "partNumber=" in self.path: what = "PART"
        if self.path.endswith("?uploads="): what = "CREATE"
        if self.command == "POST" and "uploadId=" in self.path: what = "COMPLETE"
        signed = "x-amz-request-payer" in self.headers.get("Authorization", "")
        with open("seen", "a") as f: print(what, self.headers.get("x-amz-request-payer"), signed, file=f)
        text = {"LIST": "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>x/a</Key><Size>1</Size><ETag>\"e\"</ETag>"
                        "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents></ListBucketResult>",
                "COPY": "<CopyObjectResult><ETag>\"e\"</ETag><LastModified>2026-01-01T00:00:00.000Z</LastModified></CopyObjectResult>",
                "PART": "<CopyPartResult><ETag>\"e\"</ETag><LastModified>2026-01-01T00:00:00.000Z</LastModified></CopyPartResult>",
                "TAGS": "<Tagging><TagSet></TagSet></Tagging>",
                "CREATE": "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>",
                "COMPLETE": "<CompleteMultipartUploadResult><ETag>\"e-3\"</ETag></CompleteMultipartUploadResult>",
                "DELETES": "<DeleteResult><Deleted><Key>x/a</Key></Deleted></DeleteResult>"}.get(what, "")
        if what == "LIST" and os.path.exists("deleted"): text = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
        if what == "DELETES": open("deleted", "w").close()
        self.send_response(204 if what == "DELETE" else 200)
        if what == "HEAD": self.send_header("ETag", '"e"')
        if what != "DELETE": self.send_header("Content-Length", str(len(text)) if what != "HEAD" else "20971520" if "big" in self.path else "1")
        self.end_headers()
        self.wfile.write(text.encode())
    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open("port.tmp", "w") as f: f.write(str(server.server_port))
os.rename("port.tmp", "port")
server.serve_forever()
END
python3 server.py 2>server.log &
S3D_PIDS+=($!)
until_true 120 test -s port
export AWS_ENDPOINT_URL=http://127.0.0.1:$(cat port) AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=testsecret
"$FERRYFS" cp -r --request-payer requester s3://src/x s3://src/y || fail "cp -r"
"$FERRYFS" cp --request-payer s3://src/x/a s3://src/y || fail "cp"
"$FERRYFS" rm -r --request-payer s3://src/x || fail "rm -r"
rm deleted
"$FERRYFS" rm --request-payer s3://src/x/a || fail "rm"
"$FERRYFS" ls --request-payer s3://src/x/ >/dev/null || fail "ls"
equal "with the header, signed" "$(sort -u seen | tr '\n' ';')" \
	"COPY requester True;DELETE requester True;DELETES requester True;HEAD requester True;LIST requester True;"
: >seen
"$FERRYFS" cp --request-payer --part-threshold 8M --part-size 8M s3://src/x/big s3://src/y || fail "cp in parts"
equal "in parts, with the header, signed" "$(sort -u seen | tr '\n' ';')$(grep -c PART seen)" \
	"COMPLETE requester True;CREATE requester True;HEAD requester True;PART requester True;TAGS requester True;3"
: >seen
"$FERRYFS" cp -r s3://src/x s3://src/y || fail "without"
equal "without" "$(grep -c requester seen)" 0
