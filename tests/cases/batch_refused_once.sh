#!/usr/bin/env bash
# A copy refused before its close is told by the close, and never quietly sent again (the refusal races with the flush).
. "$(dirname "$0")/lib.sh"
any_server "a refusal that races with the flush"
start_s3d --seed=alpha,prefix=dir/,count=8,size=100 --bucket=beta
mount_s3 a s3://alpha -o retries=0
mount_s3 b s3://beta
for tool in "cp -r" "cp -a" mv; do
	for round in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		rm -rf b/dir
		admin POST fault "op=copy,nth=$((1 + round % 8)),action=403:AccessDenied" >/dev/null
		if $tool a/dir b/ 2>err.log; then
			admin GET fault
			keys alpha dir/
			keys beta dir/
			echo "puts: $(stat now.put), copies: $(stat now.copy), bytes in: $(stat object_bytes_in)"
			fail "$tool, round $round: status 0"
		fi
		admin DELETE fault >/dev/null
		equal "$tool: sources" "$(keys alpha dir/f | wc -l)" 8
		equal "$tool: copies" "$(keys beta dir/f | wc -l)" 7
	done
done
