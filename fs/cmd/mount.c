/* ferryfs mount: its words, and which way it is mounted. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/cmd/command.h"
#include "fs/cmd/mount_internal.h"
#include "fs/cmd/cli.h"
#include "fs/control/client.h"
#include "fs/host/dead_mount.h"
#include "fs/host/mountinfo.h"
#include "fs/cmd/mount_point.h"

static const char usage[] =
	"Usage: ferryfs mount [-f] [-o OPTION[=VALUE][,...]] s3://[BUCKET[/PREFIX]] DIR\n"
	"\n"
	"Shows a bucket, a part of one, or all buckets at a directory.  Returns when the mount answers.\n"
	"\n"
	"  -f                         stay in the foreground, log to standard error\n"
	"  -o OPTION[=VALUE][,...]    options; any of them may also be written --option VALUE\n"
	"\n"
	"The mount:\n"
	"  ro, rw                     read only; read and write (default)\n"
	"  allow_other                for all users, not only the one who mounts\n"
	"  uid=U, gid=G, umask=M      owner and closed permissions of everything (default: yours, 022)\n"
	"  file_mode=M, dir_mode=M    permissions of files, of directories, instead of what umask leaves\n"
	"  cache_ttl=SECONDS          how long what S3 said is believed (default 5)\n"
	"  flush_after=SECONDS        files kept open are stored after so long without a write (default 30)\n"
	"  keep_open=SIZE             up to which size a removed file can still be read where it is open\n"
	"                             (default 64M)\n"
	"  copy_ack=early|close       close: every close waits for its copy\n"
	"  odd_keys=error|escape|hide  keys that are no file names (a//b): a copy of their directory fails\n"
	"                             (default), they show as %!, or they are left out\n"
	"  attrs=none|meta            meta: keep mode, owner and times as metadata\n"
	"  attrs_fail=quiet|eperm     what becomes of a chmod, chown or touch that is not kept\n"
	"  tags=auto|no|required      tags of objects that are copied in parts\n"
	"  recognise=yes|no           no: upload also what has the bytes of an object just read\n"
	"  storage_class=CLASS        of new objects\n"
	"  sse[=AES256|aws:kms|aws:kms:dsse]  encrypt on the server whatever is made here (default AES256)\n"
	"  sse_kms_key_id=ID          with this KMS key; implies sse=aws:kms\n"
	"  acl=ACL                    private, public-read, bucket-owner-full-control, ...: of whatever is "
	"made "
	"here\n"
	"  request_payer[=requester]  agree to pay for requests to a requester-pays bucket\n"
	"  staging=DIR                where content waits for its upload (default: $TMPDIR or /var/tmp)\n"
	"  staging_reserve=SIZE|N%    how much of its disk stays free (default 5%)\n"
	"  journal=DIR                where unfinished moves are on record (default: /var/lib/ferryfs, or\n"
	"                             ~/.local/state/ferryfs)\n"
	"  part_size=SIZE             of uploads and copies in parts\n"
	"  part_threshold=SIZE        from which size on they are made in parts\n"
	"  log=FILE|syslog            where the log goes (default: syslog, with -f standard error)\n"
	"  hub=yes|no                 no: a daemon of its own; copies to and from other mounts pass through\n"
	"  fuse_cpu=auto|none|N       where the thread that reads requests runs: by its only caller "
	"(default),\n"
	"                             anywhere, or on CPU N\n"
	"  noatime, noexec, dumpable, and what fstab(5) has for others (_netdev, nofail, x-...)\n";

static int open_log(struct mount *mount)
{
	const char *log = mount->options.log;

	if (!log && mount->options.foreground) {
		mount->log_fd = STDERR_FILENO;
	} else if (log && strcmp(log, "syslog") != 0) {
		mount->log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
		if (mount->log_fd < 0) {
			int error = -errno;

			snprintf(mount->why, sizeof(mount->why), "log %.300s: %s", log, strerror(-error));
			return error;
		}
	}
	mount->options.connect.log_fd = mount->log_fd;
	return 0;
}

/* mount -a asks for everything in fstab, also for what is there: the kernel's list of mounts does not name a
 * view's source. */
static bool mount_is_there(const struct mount *mount)
{
	char *path = mount->options.helper ? realpath(mount->options.mountpoint, NULL) : NULL;
	char *source = path ? control_source_of(path) : NULL;
	bool there = source && strcmp(source, mount->options.view->source) == 0;

	free(path);
	free(source);
	return there;
}

/* The one at the mount point is about to be replaced. */
static void tell_of_dead(const char *point, void *user)
{
	const struct mount *mount = user;

	if (strcmp(point, mount->mountpoint) != 0)
		words_failed("mount",
			"a mount whose daemon is gone is still at %s; 'ferryfs umount %s' clears it", point,
			point);
}

static int mount_run(struct mount *mount)
{
	if (mount_is_there(mount))
		return EXIT_OK;
	int error = mount_point_check(mount->options.mountpoint, &mount->mountpoint, mount->why);

	if (error == 0)
		error = open_log(mount);
	if (error < 0)
		return words_failed("mount", "%s", mount->why);
	if (mount->options.fake)
		return EXIT_OK;
	dead_mount_each(tell_of_dead, mount);
	if (geteuid() != 0 || mount->options.alone)
		return mount_alone(mount);
	if (mount_view_possible(mount))
		return mount_view(mount);
	words_failed("mount", "a prefix with empty or dot parts gets a daemon of its own (hub=no)");
	return mount_alone(mount);
}

int cmd_mount(int argc, char **argv)
{
	struct mount *mount = calloc(1, sizeof(*mount));
	int status = EXIT_SOME;

	daemon_begin();
	if (!mount || mount_options_init(&mount->options) < 0) {
		free(mount);
		return words_failed("mount", "out of memory");
	}
	mount->daemon.fd = mount->log_fd = -1;
	mount->options.helper = argc > 0 && strstr(argv[0], "mount.");
	mount->options.mount_fuse = argc > 0 && strcmp(argv[0], "mount") != 0 && !mount->options.helper;
	int error = mount_options_parse(&mount->options, argc - 1, argv + 1, mount->why);

	if (error == -ENOMEM)
		status = words_failed("mount", "%s", mount->why);
	else if (error < 0)
		status = words_wrong("mount", "%s", mount->why);
	else if (mount->options.help)
		status = words_help((const char *const[]){usage, words_connect_help, NULL});
	else
		status = mount_run(mount);
	mount_options_release(&mount->options);
	if (mount->log_fd > STDERR_FILENO)
		close(mount->log_fd);
	free(mount->mountpoint);
	free(mount);
	return status;
}
