# shellcheck shell=bash
# Sourced by run.sh: the other tools, each told to use the embedded server and nothing else.
#
#   have TOOL             is it installed?
#   command_of VERB TOOL SRC DST   sets the array CMD; VERB is copy, move, remove (DST unused) or list (DST unused)
#   version_of TOOL       one line
#   mount_peer TOOL BUCKET DIR     mounts in the background, PEER_PID is the daemon
#   umount_peer DIR
#
# SRC and DST are prefixes with a slash at the end, in bucket "bench".

# Debian's aws before one of a Python version manager: such a shim starts no aws of its own.
AWS=/usr/bin/aws
[ -x "$AWS" ] || AWS=$(command -v aws || echo aws)
PEER_MOUNTS=()

have() {
	case $1 in
	ferryfs*) [ -x "$FERRYFS" ] ;;
	libcurl) [ -x "$CURLFLOOR" ] ;;
	aws) "$AWS" --version >/dev/null 2>&1 ;;
	*) command -v "$1" >/dev/null ;;
	esac
}

version_of() {
	case $1 in
	ferryfs) "$FERRYFS" --version ;;
	aws) "$AWS" --version | cut -d' ' -f1 ;;
	rclone) rclone version | head -n 1 ;;
	s3fs) s3fs --version | grep -o 'V[0-9.]*' | sed 's/^/s3fs /' ;;
	s5cmd) echo "s5cmd $(s5cmd version)" ;;
	s3cmd) s3cmd --version ;;
	esac | head -n 1
}

# Nobody asks the network for credentials, a region or a newer version.
peers_prepare() {
	export AWS_EC2_METADATA_DISABLED=true AWS_DEFAULT_REGION=us-east-1 AWS_PAGER='' NO_PROXY=127.0.0.1 no_proxy=127.0.0.1
	export RCLONE_CONFIG=$WORK/rclone.conf RCLONE_CACHE_DIR=$WORK/rclone-cache
	export RCLONE_CONFIG_S3D_TYPE=s3 RCLONE_CONFIG_S3D_PROVIDER=Other RCLONE_CONFIG_S3D_ENV_AUTH=false \
		RCLONE_CONFIG_S3D_ACCESS_KEY_ID=test RCLONE_CONFIG_S3D_SECRET_ACCESS_KEY=testsecret \
		RCLONE_CONFIG_S3D_REGION=us-east-1 RCLONE_CONFIG_S3D_NO_CHECK_BUCKET=true
	: >"$RCLONE_CONFIG"
	printf '[default]\ns3 =\n  max_concurrent_requests = 256\n  max_queue_size = 10000\n  addressing_style = path\n' >"$WORK/aws.conf"
	(umask 077 && echo test:testsecret >"$WORK/s3fs.password")
}

command_of() {
	local verb=$1 tool=$2 src=$3 dst=${4:-}
	case $tool in
	ferryfs*) CMD=("$FERRYFS") ;;
	s5cmd) CMD=(s5cmd --log error --endpoint-url "$ENDPOINT" --numworkers 256) ;;
	rclone) CMD=(env RCLONE_CONFIG_S3D_ENDPOINT="$ENDPOINT" rclone -q --transfers 256 --checkers 256) ;;
	aws) CMD=(env AWS_CONFIG_FILE="$WORK/aws.conf" "$AWS" --endpoint-url "$ENDPOINT" s3) ;;
	s3cmd) CMD=(s3cmd --config=/dev/null --access_key=test --secret_key=testsecret --no-ssl --host="${ENDPOINT#http://}"
		--host-bucket="${ENDPOINT#http://}" --quiet) ;;
	esac
	case $verb/$tool in
	copy/ferryfs*) CMD+=(cp -r "s3://bench/$src" "s3://bench/$dst") ;;
	move/ferryfs*) CMD+=(mv -r "s3://bench/$src" "s3://bench/$dst") ;;
	remove/ferryfs*) CMD+=(rm -r "s3://bench/$src") ;;
	list/ferryfs*) CMD+=(ls -r "s3://bench/$src") ;;
	copy/s5cmd) CMD+=(cp "s3://bench/$src*" "s3://bench/$dst") ;;
	move/s5cmd) CMD+=(mv "s3://bench/$src*" "s3://bench/$dst") ;;
	remove/s5cmd) CMD+=(rm "s3://bench/$src*") ;;
	list/s5cmd) CMD+=(ls "s3://bench/$src*") ;;
	copy/rclone) CMD+=(copy "s3d:bench/$src" "s3d:bench/$dst") ;;
	move/rclone) CMD+=(move "s3d:bench/$src" "s3d:bench/$dst") ;;
	remove/rclone) CMD+=(delete "s3d:bench/$src") ;;
	list/rclone) CMD+=(lsf -R --files-only --fast-list "s3d:bench/$src") ;;
	copy/aws) CMD+=(cp --recursive --only-show-errors "s3://bench/$src" "s3://bench/$dst") ;;
	move/aws) CMD+=(mv --recursive --only-show-errors "s3://bench/$src" "s3://bench/$dst") ;;
	remove/aws) CMD+=(rm --recursive --only-show-errors "s3://bench/$src") ;;
	list/aws) CMD+=(ls --recursive "s3://bench/$src") ;;
	copy/s3cmd) CMD+=(cp -r "s3://bench/$src" "s3://bench/$dst") ;;
	move/s3cmd) CMD+=(mv -r "s3://bench/$src" "s3://bench/$dst") ;;
	remove/s3cmd) CMD+=(rm -r "s3://bench/$src") ;;
	list/s3cmd) CMD+=(ls -r "s3://bench/$src") ;;
	esac
}

mount_peer() {
	local tool=$1 bucket=$2 dir=$WORK/$3
	mkdir -p "$dir"
	case $tool in
	s3fs) s3fs "$bucket" "$dir" -f -o "url=$ENDPOINT,use_path_request_style,passwd_file=$WORK/s3fs.password,tmpdir=$WORK" \
		>>"$WORK/peers.log" 2>&1 & ;;
	# Write-back 0: the upload begins when the file is closed, not five seconds later.
	rclone) RCLONE_CONFIG_S3D_ENDPOINT=$ENDPOINT rclone mount "s3d:$bucket" "$dir" --vfs-cache-mode writes \
		--vfs-write-back 0s --dir-cache-time 1m --transfers 32 --checkers 32 >>"$WORK/peers.log" 2>&1 & ;;
	esac
	PEER_PID=$!
	PEER_MOUNTS+=("$dir:$PEER_PID")
	for ((i = 0; i < 200; i++)); do
		mountpoint -q "$dir" && return 0
		kill -0 "$PEER_PID" 2>/dev/null || return 1
		read -rt 0.05 <> <(:) || :
	done
	return 1
}

umount_peer() {
	local entry=$1:$2
	timeout 20 fusermount3 -u "$1" 2>/dev/null || umount -l "$1" 2>/dev/null
	kill "$2" 2>/dev/null
	wait "$2" 2>/dev/null
	PEER_MOUNTS=("${PEER_MOUNTS[@]/#$entry/}")
}

peers_cleanup() {
	local entry
	for entry in "${PEER_MOUNTS[@]}"; do
		[ -n "$entry" ] && umount_peer "${entry%:*}" "${entry##*:}"
	done
}
