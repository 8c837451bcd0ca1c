#!/bin/bash
# The control socket: only root and the hub's user are heard, and nobody can hurt the hub by what or how they send.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root: a hub is root's"

start_s3d --seed=alpha,prefix=dir/,count=3,size=10 --bucket=beta
mount_s3 a s3://alpha
pid=$(daemon_of a)
socket=$(ls "$FERRYFS_RUN_DIR"/*.sock)
equal "modes" "$(command stat -c %a "$FERRYFS_RUN_DIR" "$socket" | tr '\n' ' ')" "700 600 "

cat >talk.py <<'PY'
import os, socket, sys, time
path, what = sys.argv[1:3]
os.chdir(os.path.dirname(path))

def connect():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(os.path.basename(path))
    return s

def answer(data):
    s = connect()
    try:
        s.sendall(data)
        return s.recv(65536)
    except (BrokenPipeError, ConnectionResetError):
        return b""

if what == "garbage":
    for data in (b"\n", b"{}\n", b"[]\n", b"\xff\xfe\n", b'{"ferryfs":1}\n', b'{"ferryfs":2,"op":"hello"}\n',
                 b'{"ferryfs":2,"op":"add"}\n', b'{"ferryfs":1,"op":"settle","point":"relative"}\n',
                 b'{"ferryfs":1,"op":"status","point":"/%00"}\n', b'{"ferryfs":1,"op":"hello","op":"add"}\n',
                 b"[" * 3000 + b"\n", b'{"ferryfs":2,"op":"add","namespace":1,"point":"/x","view":[],"account":1}\n'):
        got = answer(data)
        assert b'"ok":false' in got and got.endswith(b"\n"), (data, got)
    assert b'"ok":true' in answer(b'{"ferryfs":1,"op":"hello"}\n')
elif what == "oversize":
    assert b'"ok":true' not in answer(b'{"ferryfs":1,"op":"hello","x":"' + b"x" * 70000 + b'"}\n')
    assert answer(b"x" * 200000) == b""
elif what == "two":
    assert answer(b'{"ferryfs":1,"op":"hello"}\n{"ferryfs":1,"op":"hello"}\n') == b""
elif what == "slow":
    # More than are let in, none of whom ever says a whole line: all are cut off, and those who wait get their turn.
    slow = [connect() for _ in range(40)]
    for s in slow[:20]:
        s.sendall(b'{"ferryfs"')
    for s in slow[:16]:
        assert s.recv(100) == b""
elif what == "foreign":
    os.setgid(65534)
    os.setuid(65534)
    try:
        s = connect()
    except PermissionError:
        sys.exit(0)
    try:
        s.sendall(b'{"ferryfs":1,"op":"hello"}\n')
        heard = s.recv(100) != b""
    except (BrokenPipeError, ConnectionResetError):
        heard = False
    sys.exit(1 if heard else 0)
PY
for what in garbage oversize two; do
	python3 talk.py "$socket" $what || fail "$what"
	kill -0 "$pid" || fail "the hub died of $what"
done

# slow ones don't keep others out for long
python3 talk.py "$socket" slow &
slow=$!
"$FERRYFS" status >/dev/null || fail "status beside slow clients"
mount_s3 b s3://alpha/dir
wait "$slow" || fail slow
umount_s3 b

# another user is not heard even where the modes let them in
python3 talk.py "$socket" foreign || fail "another user was heard"
chmod 711 "$WORK"
chmod 777 "$socket" "$FERRYFS_RUN_DIR"
python3 talk.py "$socket" foreign || fail "another user was heard"
chmod 700 "$FERRYFS_RUN_DIR"
equal "still the same hub" "$(daemon_of a)" "$pid"
equal "files" "$(ls a/dir | wc -l)" 3

# a hub of an earlier version would show a view without the options that it does not know: it refuses, and mount says the remedy
mkdir -m 700 "$WORK/older"
cat >older.py <<'PY'
import json, os, socket, sys
os.chdir(sys.argv[1])
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[2])
server.listen()
while True:
    client, _ = server.accept()
    for line in client.makefile():
        known = json.loads(line)["ferryfs"] == 1
        client.sendall(json.dumps({"ok": True, "hub": {}, "path": "/nowhere"} if known else
                                  {"ok": False, "error": "this hub speaks version 1 of the control protocol"}).encode() + b"\n")
PY
python3 older.py "$WORK/older" "${socket##*/}" &
S3D_PIDS+=($!)
until_true 120 test -S "$WORK/older/${socket##*/}"
mkdir c
refuse env "FERRYFS_RUN_DIR=$WORK/older" "$FERRYFS" mount s3://beta c 2>err
grep -q "of another version of ferryfs.*hub=no" err || fail "said: $(<err)"
