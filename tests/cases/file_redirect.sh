#!/usr/bin/env bash
# A shell's > on an existing object: the old content stays until the new one is stored; one request for each file; and what is emptied is empty at exit.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt
mount_s3 m s3://bkt
size() { [ -n "$(keys bkt "$1")" ] && object bkt "$1" | field size || echo none; }
puts() { requests put; }
for key in a b c d e f; do put bkt $key before; done
ls m >/dev/null

# The content is refused: what was there is what is there.  (The shell itself ignores the error of its close.)
admin POST fault 'op=put,action=403:AccessDenied' >/dev/null
echo new >m/a
sh -c 'exec cat' >m/b <<<new
{ /bin/true; echo new; } >m/c
(exec 5>m/d; exec 6>&5; exec 5>&-; echo new >&6)
python3 -c '
import os, sys
fd = os.open("m/e", os.O_WRONLY | os.O_TRUNC); other = os.dup(fd); os.close(fd)
os.write(other, b"new")
try:
    os.close(other)
    sys.exit("the close of refused content said 0")
except PermissionError: pass' || fail "python"
echo new >m/fresh
admin DELETE fault >/dev/null
for key in a b c d e; do equal "refused: $key" "$(size $key)" 6; done
equal "refused: shown" "$(cat m/a m/b m/c m/d m/e)" beforebeforebeforebeforebefore
equal "refused: a new one" "$(size fresh)" none
for key in a b c d e fresh; do grep -q "s3://bkt/$key: .*AccessDenied" mount.log || fail "$key is not in the log"; done

# Not refused: one PUT each.
touch m/first # by which the service is found to keep conditions
before=$(puts)
echo new >m/a
sh -c 'exec cat' >m/b <<<new
{ /bin/true; echo new; } >m/c
(exec 5>m/d; exec 6>&5; exec 5>&-; echo new >&6)
touch m/touched
equal "requests" "$(($(puts) - before))" 5
equal "stored" "$(cat m/a m/b m/c m/d | tr '\n' ' ')" "new new new new "

# Emptied, and that is all: empty at exit; and a refusal is told to who looks.
: >m/a
equal "emptied by a shell" "$(size a)" 0
sh -c : >m/b
equal "emptied by a redirection of a process" "$(size b)" 0
cp /dev/null m/c
equal "emptied by cp" "$(size c)" 0
python3 -c 'open("m/d", "w").close()'
equal "emptied by open and close" "$(size d)" 0
python3 -c '
import os, subprocess
fd = os.open("m/e", os.O_WRONLY | os.O_TRUNC); os.set_inheritable(fd, True)
child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=fd); os.close(fd); child.communicate(b"by the child")'
equal "by a child" "$(size e)" 12
python3 -c '
import os, sys
for sync in (os.fsync, os.close):
    fd = os.open("m/f", os.O_WRONLY | os.O_TRUNC); other = os.dup(fd); os.close(fd); sync(other)
    if sync is os.fsync: os.close(other)'
equal "fsync of an emptied one" "$(size f)" 0
put bkt a again; ls m >/dev/null
admin POST fault 'op=put,action=403:AccessDenied' >/dev/null
refuse cp /dev/null m/a 2>/dev/null
refuse python3 -c 'open("m/a", "w").close()' 2>/dev/null
refuse tee m/a m/b </dev/null 2>/dev/null
admin DELETE fault >/dev/null
equal "refused to be emptied" "$(size a)" 5
# A descriptor for reading, or for another file, is no reason to wait.
admin POST fault 'op=put,action=403:AccessDenied' >/dev/null
refuse python3 -c '
import os
keep = os.open("m/a", os.O_RDONLY); other = os.open("m/b", os.O_WRONLY)
fd = os.open("m/a", os.O_WRONLY | os.O_TRUNC); os.close(fd)' 2>/dev/null
admin DELETE fault >/dev/null
