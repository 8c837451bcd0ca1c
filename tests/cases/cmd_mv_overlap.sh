#!/usr/bin/env bash
# A move up whose result would land among its own sources: those keys are refused, and nothing at all is deleted.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=data
for key in x/1 x/2 x/x/1 x/x/3 x/x/x/4; do
	put data "$key" "was-$key"
done
sources=$(admin GET 'keys?bucket=data&prefix=x/')
refuse "$FERRYFS" mv -r s3://data/x/ s3://data/ 2>err
equal "the sources" "$(admin GET 'keys?bucket=data&prefix=x/')" "$sources"
for key in x/x/1 x/x/3 x/x/x/4; do
	grep -q "s3://data/$key -> " err || { cat err; fail "$key is not told of"; }
done

# Without such keys it is an ordinary move.
"$FERRYFS" rm -r s3://data/x/x/ >/dev/null || fail "rm -r"
"$FERRYFS" mv -r s3://data/x/ s3://data/ >/dev/null || fail "mv -r"
equal "what there is" "$(keys data | tr '\n' ' ')" "1 2 "
