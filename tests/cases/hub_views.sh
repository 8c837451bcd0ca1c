#!/bin/bash
# Each view has options of its own; overlapping ones agree in what a file looks like, or are refused with the reason.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root: a hub is root's"

start_s3d --seed=alpha,prefix=dir/,count=3,size=10 --bucket=beta --bucket=gamma
mkdir m
mkdir -m 0700 staging
chmod 711 "$WORK"
shows() { mount_s3 "$@" -o "staging=$WORK/staging"; }
as_other() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }

# read only for one, not for the other, of the same bucket
shows rw s3://alpha
shows ro s3://alpha/dir -o ro
refuse touch ro/new 2>err.log
grep -q "Read-only file system" err.log || fail "said: $(<err.log)"
refuse rm "$(ls -d ro/* | head -1)" 2>/dev/null
touch rw/dir/new || fail "the other view is not read only"
[ -e ro/new ] || fail "not shown"
refuse mv rw/dir/new ro/again 2>/dev/null
[ -e rw/dir/new ] || fail "lost by a refused mv"
findmnt -no OPTIONS ro | tr , '\n' | grep -qx ro || fail "findmnt does not say ro"
for dir in rw ro; do
	for word in nosuid nodev; do
		findmnt -no OPTIONS "$dir" | tr , '\n' | grep -qx $word || fail "$dir lacks $word"
	done
done
df rw | grep -q " $WORK/rw\$" || fail "df: $(df rw)"

# owners and modes of its own
shows own s3://beta -o uid=4,gid=5,umask=027,allow_other
echo x >own/file || fail write
equal "own" "$(command stat -c '%u %g %a' own/file)" "4 5 640"
equal "the others" "$(command stat -c '%u %a' rw/dir/new)" "0 644"

# without allow_other nobody else gets in, with it they do
equal "closed root" "$(command stat -c %a rw)" 700
refuse as_other ls rw >/dev/null 2>&1
refuse as_other cat rw/dir/new >/dev/null 2>&1
equal "open root" "$(command stat -c %a own)" 750
refuse as_other ls "$FERRYFS_RUN_DIR" >/dev/null 2>&1

# overlap
says() {
	local pattern=$1
	shift
	refuse "$FERRYFS" mount -o "log_file=$WORK/mount.log,staging=$WORK/staging" "$@" m 2>err.log
	grep -qE -- "$pattern" err.log || fail "'$*' said: $(<err.log)"
	! mountpoint -q m || fail "mounted: $*"
}
says "s3://alpha is shown at $WORK/rw with another uid" -o uid=7 s3://alpha/dir
says "with another umask" -o umask=077 s3://alpha/dir/deeper
says "with another umask" -o umask=077 s3://
says "with another attrs" -o attrs=meta s3://alpha
says "with another allow_other" -o allow_other s3://alpha
says "another account" -o region=eu-west-9 s3://alpha/dir
says "with another uid" s3://beta

# names that only begin alike don't overlap
shows g1 s3://gamma/dir
shows g2 s3://gamma/di -o uid=7
umount_s3 g2
umount_s3 g1

# once the other is gone the same is welcome
umount_s3 own
shows m s3://beta -o uid=9
owner_is() { [ "$(command stat -c %u "$1")" = "$2" ]; }
until_true 120 owner_is m/file 9
umount_s3 m

# a path the daemon uses must not come to lie below a mount point
refuse "$FERRYFS" mount s3://alpha/dir "$FERRYFS_RUN_DIR" 2>err.log
grep -q "is below the mount point" err.log || fail "said: $(<err.log)"
mkdir -m 0700 rw/staging
echo x >rw/ca.pem
for option in "staging=$WORK/rw/staging" "ca_bundle=$WORK/rw/ca.pem" "log_file=$WORK/rw/log"; do
	refuse "$FERRYFS" mount -o "$option" s3://beta m 2>err.log
	grep -q "on a ferryfs mount" err.log || fail "$option said: $(<err.log)"
done
shows closed s3://gamma -o umask=077
mkdir closed/journal
refuse "$FERRYFS" mount -o "journal=$WORK/closed/journal,hub=no,staging=$WORK/staging" s3://beta m 2>err.log
grep -q "on a ferryfs mount" err.log || fail "journal said: $(<err.log)"
umount_s3 closed
AWS_SHARED_CREDENTIALS_FILE=$WORK/rw/credentials
printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" >"$AWS_SHARED_CREDENTIALS_FILE"
chmod 600 "$AWS_SHARED_CREDENTIALS_FILE" 2>/dev/null
refuse env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY "AWS_SHARED_CREDENTIALS_FILE=$AWS_SHARED_CREDENTIALS_FILE" \
	"$FERRYFS" mount -o "staging=$WORK/staging" s3://beta m 2>err.log
grep -q "on a ferryfs mount" err.log || fail "credentials said: $(<err.log)"
rm rw/credentials
unset AWS_SHARED_CREDENTIALS_FILE

# how long what S3 said is believed
shows t0 s3://beta -o uid=9,cache_ttl=0
shows t300 s3://gamma -o cache_ttl=300
put gamma known 1
put beta known 1
equal "sizes" "$(command stat -c %s t0/known t300/known | tr '\n' ' ')" "1 1 "
# What the kernel lets go of, as it may at any time where memory is short, is asked for anew: so it is held.
exec 4<t300/known
put gamma known 22
put beta known 22
equal "sizes later" "$(command stat -c %s t0/known t300/known | tr '\n' ' ')" "2 1 "

exec 4<&-

# in use: busy, as any mount, and the others don't mind
exec 3<t0/known
refuse umount t0 2>err.log
grep -q busy err.log || fail "said: $(<err.log)"
umount t300 || fail "plain umount"
exec 3<&-
umount t0 || fail "plain umount of what is not in use any more"
