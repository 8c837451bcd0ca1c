#!/bin/bash
# A command that waits for a service which does not answer says so on a terminal before it gives up, with the endpoint and the reason;
# into a file it says the error alone.
. "$(dirname "$0")/lib.sh"
any_server "what a terminal shows"
export AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=testsecret
cat >terminal.py <<'END'
import os, pty, sys
status = pty.spawn(sys.argv[1:], lambda fd: os.read(fd, 4096))
sys.exit(os.waitstatus_to_exitcode(status))
END
python3 terminal.py "$FERRYFS" ls --endpoint-url http://127.0.0.1:1 s3://bkt/ </dev/null >shown
equal "exit status" "$?" 1
grep -q "warning: http://127.0.0.1:1: .*(attempt" shown || fail "the terminal: $(<shown)"
grep -q "Connection refused: http://127.0.0.1:1" shown || fail "the error: $(<shown)"
"$FERRYFS" ls --endpoint-url http://127.0.0.1:1 s3://bkt/ 2>err
equal "without a terminal" "$(wc -l <err)" 1
