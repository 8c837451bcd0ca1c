#!/bin/bash
# Any byte sequence is a name; what can't be one is logged and not shown.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket bkt
x255=$(printf 'x%.0s' {1..255})
for key in 'a%20b' 'a%2Bb' 'a%25b' 'a%2520b' '%C3%BCmlaut' '%01%7F%0A%0D' '%26amp%3B%3C%3E%22' '%FF%FE' 'q%3F%23%3D' "$x255" '~-_.' '%2A%5B%5D'; do
	put bkt "d/$key" "$key"
done
put bkt d/sub%20dir/x x
for key in "${x255}y" /lead //double . .. sub//empty ./dot ../dot 'nul%00nul'; do
	put bkt "d/$key" hidden
done
mount_s3 m s3://bkt
python3 - <<'P' || fail "names"
import os
want = {b'a b', b'a+b', b'a%b', b'a%20b', '\u00fcmlaut'.encode(), b'\x01\x7f\n\r', b'&amp;<>"', b'\xff\xfe', b'q?#=', b'x' * 255, b'~-_.',
        b'*[]', b'sub dir', b'sub'}
got = set(os.listdir(b'm/d'))
assert got == want, got ^ want
for name in want:
    os.stat(b'm/d/' + name)
P
refuse ls "m/d/${x255}y" 2>/dev/null
# A fresh mount looks them up without a listing.
mount_s3 n s3://bkt
for name in 'a b' 'a+b' 'a%b' 'a%20b' ümlaut '&amp;<>"' "$x255" $'\xff\xfe' $'\x01\x7f\n\r'; do
	[ -f "n/d/$name" ] || fail "lookup of '$name'"
done
[ "$(grep -c 'not shown' mount.log)" -ge 5 ] || fail "hidden keys are not in the log"
# Keys of 1,024 bytes.
part=$(printf 'p%.0s' {1..255})
long=$part/$part/$part/$part
put bkt "$long" 1023
put bkt "$long/" dir
mount_s3 o s3://bkt
equal "long directory" "$(command stat -c %F "o/$long")" directory
put bkt "z$part/${part:1}/$part/$part" 1023
put bkt "zz/$part/$part/$part/${part:3}$(printf 'l%.0s' {1..1})" x
[ -f "o/zz/$part/$part/$part/${part:3}l" ] || fail "1,020 bytes"
refuse mkdir "o/$long/more" 2>/dev/null
# Removed by their names they are gone at the server, and nothing else is.
rm m/d/'a b' m/d/$'\x01\x7f\n\r' m/d/'a%20b' "m/d/$x255" || fail "rm"
equal "left" "$(keys bkt d/a | tr '\n' ' ')" "d/a%25b d/a%2Bb "
equal "hidden stay" "$(keys bkt d/sub//)" "d/sub//empty"
