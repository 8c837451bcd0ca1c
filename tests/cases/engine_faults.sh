#!/usr/bin/env bash
# A bad network and a busy server at once: 5 % of all requests cut off, 5 % refused with 503, 2 % of the answers cut
# short.  cp -r, mv -r and rm -r get there all the same, and nothing is lost or left.
. "$(dirname "$0")/lib.sh"
start_s3d --seed=data,prefix=x,count=5000,size=10,dirs=5 --bucket=other --bucket=third
wanted=$(keys data x/ | sed 's,^x/,,' | sort)
admin POST fault 'op=any,share=0.05,seed=3,action=reset
op=any,share=0.05,seed=5,action=503:SlowDown
op=any,share=0.02,seed=7,action=truncate' >/dev/null
"$FERRYFS" cp -r s3://data/x/ s3://other/y/ >out 2>err || { cat out err; fail "cp -r"; }
equal "the copies" "$(keys other y/ | sed 's,^y/,,' | sort | md5sum)" "$(md5sum <<<"$wanted")"
equal "the sources after cp" "$(keys data x/ | wc -l)" "$(wc -l <<<"$wanted")"
"$FERRYFS" mv -r s3://other/y/ s3://third/z/ >out 2>err || { cat out err; fail "mv -r"; }
equal "what was moved" "$(keys third z/ | sed 's,^z/,,' | sort | md5sum)" "$(md5sum <<<"$wanted")"
equal "sources left by mv" "$(keys other | wc -l)" 0
"$FERRYFS" rm -r s3://third/z/ >out 2>err || { cat out err; fail "rm -r"; }
equal "left by rm" "$(keys third | wc -l)" 0
equal "the first sources" "$(keys data x/ | wc -l)" "$(wc -l <<<"$wanted")"
