#!/bin/bash
# mount(8), fstab and mount -a through mount.ferryfs, in a mount namespace of its own with its own /etc/fstab and /sbin.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root: a hub is root's"
unshare -m true 2>/dev/null || skip "unshare -m does not work here"

start_s3d --seed=alpha,prefix=dir/,count=3,size=10 --bucket=beta
export FERRYFS WORK FERRYFS_RUN_DIR
mkdir -p "$HOME/.aws" m1 m2 m3
printf '[p]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" >"$HOME/.aws/credentials"
chmod 600 "$HOME/.aws/credentials"
cat >fstab <<FSTAB
s3://alpha $WORK/m1 ferryfs _netdev,nofail,profile=p,endpoint_url=$ENDPOINT,staging=$WORK/staging,log=$WORK/mount.log 0 0
s3://beta/part $WORK/m2 ferryfs noauto,ro,_netdev,x-systemd.automount,profile=p,endpoint_url=$ENDPOINT,staging=$WORK/staging,log=$WORK/mount.log 0 0
FSTAB

# fstab as findmnt sees it, and the unit of the manual as systemd does
findmnt --verify --tab-file fstab >verify 2>&1 && grep -q "0 parse errors, 0 errors" verify || fail "findmnt --verify: $(<verify)"
if command -v systemd-analyze >/dev/null; then
	mkdir units
	awk '/mnt-x.mount/ {found = 1} /^\.Ed/ {unit = 0} found && /^\[Unit\]/ {unit = 1} unit' "$TOP/man/ferryfs.1" >units/mnt-x.mount
	grep -q "^Type=ferryfs" units/mnt-x.mount || fail "no unit in the manual"
	systemd-analyze verify units/mnt-x.mount >verify 2>&1 || fail "systemd-analyze verify: $(<verify)"
	! grep -i mnt-x verify || fail "systemd-analyze verify: $(<verify)"
fi

# mount(8) hands on the environment, but not HOME: without this it would be root's own files
export AWS_SHARED_CREDENTIALS_FILE=$HOME/.aws/credentials
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_ENDPOINT_URL
unshare -m bash -euc '
	die() { echo "FAILED: $*" >&2; exit 1; }
	cp -a "$(readlink -f /sbin)" sbin 2>/dev/null || mkdir -p sbin
	ln -sf "$FERRYFS" sbin/mount.ferryfs
	mount --bind sbin "$(readlink -f /sbin)"
	mount --bind fstab /etc/fstab
	mount -a || die "mount -a"
	mountpoint -q m1 || die "m1 is not mounted"
	! mountpoint -q m2 || die "noauto was mounted"
	[ "$(ls m1/dir | wc -l)" = 3 ] || die "m1 lacks files"
	mount -a || die "mount -a again"
	[ "$(grep -c " $WORK/m1 " /proc/self/mountinfo)" = 1 ] || die "mounted twice"
	mount m2 || die "mount m2"
	! touch m2/file 2>/dev/null || die "m2 can be written"
	cp -r m1/dir m3
	mount -t ferryfs -o "profile=p,endpoint_url='"$ENDPOINT"'" s3://beta m3 || die "mount -t ferryfs"
	! mount -t ferryfs -o "profile=p,endpoint_url='"$ENDPOINT"'" s3://nowhere m3/none 2>/dev/null || die "mounted nothing"
	umount m3 || die "umount m3"
	! mount -f -t ferryfs -o profile=p s3://beta m3 2>&1 | grep . || die "mount -f said something"
	! mountpoint -q m3 || die "mount -f mounted"
	! mount -o remount,ro -t ferryfs s3://alpha m1 2>remount.err || die "remounted"
	grep -q "remount is not possible: .*ferryfs umount" remount.err || die "remount said: $(cat remount.err)"
	# fuse.ferryfs by a helper of its own; mount.fuse(8), which has one PATH of its own, says "ferryfs SOURCE DIR -o OPTIONS"
	ln -sf "$FERRYFS" sbin/mount.fuse.ferryfs
	mount -t fuse.ferryfs -o "profile=p,endpoint_url='"$ENDPOINT"'" s3://beta m3 || die "mount -t fuse.ferryfs"
	mountpoint -q m3 || die "fuse.ferryfs is not mounted"
	umount m3 || die "umount m3"
	"$FERRYFS" s3://beta m3 -o "rw,dev,suid,profile=p,endpoint_url='"$ENDPOINT"'" || die "ferryfs SOURCE DIR"
	mountpoint -q m3 || die "not mounted as mount.fuse does"
	umount m3 || die "umount m3"
	umount m1 && umount m2 || die "umount"
	for i in $(seq 200); do
		grep -q "$FERRYFS_RUN_DIR/hub" /proc/self/mountinfo || exit 0
		read -rt 0.05 <> <(:) || :
	done
	die "the hub stays"
' || fail "in the namespace"
