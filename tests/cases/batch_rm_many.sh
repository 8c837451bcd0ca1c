# rm -r of one directory of more entries than rm reads at once (100,000), in DeleteObjects of up to 1,000.
. "$(dirname "$0")/lib.sh"
start_s3d --bucket=bkt --seed=bkt,prefix=src,count=101000,size=1
put bkt src/zz-last x
mount_s3 m s3://bkt
admin POST fault "op=deletes-key,key=src/zz-last,action=403:AccessDenied" >/dev/null
admin POST fault "op=delete,key=src/zz-last,action=403:AccessDenied" >/dev/null
admin POST reset >/dev/null
refuse rm -r m/src 2>/dev/null
equal "what is left" "$(keys bkt src/)" "src/zz-last"
[ -e m/src/zz-last ] || fail "what is left is not shown"
admin DELETE fault >/dev/null
sum=$(($(requests deletes) + $(requests delete)))
echo "$sum deletes"
[ "$sum" -le 10100 ] || fail "$sum requests for 101,000 deletes"
rm -r m/src || fail "rm of the rest"
equal "what is left" "$(keys bkt src/)" ""
