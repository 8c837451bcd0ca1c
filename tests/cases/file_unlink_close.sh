#!/usr/bin/env bash
# A written file that is closed while its unlink, or a rename over it, is under way: close and fsync say 0, and the log has no error.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt
put bkt winner won
mount_s3 m s3://bkt -o inflight=8
cat >close.py <<'P'
import json, os, threading, time, urllib.request
url = os.environ["ENDPOINT"] + "/_s3d/"
def admin(method, path, data=None):
    return urllib.request.urlopen(urllib.request.Request(url + path, method=method, data=data)).read().decode()
def suspended(): return json.loads(admin("GET", "stats"))["suspended"]
for op, change in (("delete", lambda: os.unlink("m/f")), ("copy", lambda: os.rename("m/winner", "m/f"))):
    for end in (os.fsync, os.close):
        fd = os.open("m/f", os.O_RDWR | os.O_CREAT); os.write(fd, b"stored"); os.fsync(fd); os.write(fd, b"dirty")
        if op == "copy":
            with open("m/winner", "w") as f: f.write("won")
        admin("POST", "fault", b"op=%s,nth=1,action=stall-after:2000" % op.encode())
        t = threading.Thread(target=change); t.start()
        deadline = time.monotonic() + 60
        while suspended() == 0 and time.monotonic() < deadline: time.sleep(0.01)
        end(fd)
        t.join()
        admin("DELETE", "fault")
        if end is os.fsync: os.close(fd)
        assert os.path.exists("m/f") == (op == "copy")
P
ENDPOINT=$ENDPOINT python3 close.py || fail "close"
equal "content" "$(cat m/f)" won
equal "the log" "$(grep -c ' f: \|/f' mount.log)" 0
