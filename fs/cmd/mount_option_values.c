#include "fs/cmd/mount_option_values.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "engine/object/object_option.h"
#include "fs/host/fuse_cpu.h"
#include "s3/parts.h"
#include "s3/size.h"

enum {
	TTL_MAX_S = 86400, /* a day: past that a cache is a copy */
	ID_MAX = 0x7fffffff,
};

static int bad(char *why, const char *name, const char *value, const char *wanted)
{
	snprintf(why, ACCOUNT_WHY_MAX, "%s: '%.128s' is not %s", name, value, wanted);
	return -EINVAL;
}

static bool mount_option_values_digits(const char *text, int base, unsigned long max, unsigned long *ret)
{
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	unsigned long value = strtoul(text, &end, base);

	if (errno || *end || value > max)
		return false;
	*ret = value;
	return true;
}

static int set_uid(struct mount_options *options, const char *value, char *why)
{
	unsigned long number;
	const struct passwd *user;

	if (mount_option_values_digits(value, 10, ID_MAX, &number)) {
		options->view->uid = (uid_t)number;
		return 0;
	}
	user = getpwnam(value);
	if (!user)
		return bad(why, "uid", value, "a user");
	options->view->uid = user->pw_uid;
	return 0;
}

static int set_gid(struct mount_options *options, const char *value, char *why)
{
	unsigned long number;
	const struct group *group;

	if (mount_option_values_digits(value, 10, ID_MAX, &number)) {
		options->view->gid = (gid_t)number;
		return 0;
	}
	group = getgrnam(value);
	if (!group)
		return bad(why, "gid", value, "a group");
	options->view->gid = group->gr_gid;
	return 0;
}

static int set_umask(struct mount_options *options, const char *value, char *why)
{
	unsigned long mask;

	if (!mount_option_values_digits(value, 8, 0777, &mask))
		return bad(why, "umask", value, "an octal number from 0 to 777");
	/* A mode that is named wins, whichever comes first. */
	if (!options->file_mode_given)
		options->view->file_mode = 0666 & ~(mode_t)mask;
	if (!options->dir_mode_given)
		options->view->dir_mode = 0777 & ~(mode_t)mask;
	return 0;
}

static int set_mode(mode_t *mode, const char *name, const char *value, char *why)
{
	unsigned long number;

	if (!mount_option_values_digits(value, 8, 0777, &number))
		return bad(why, name, value, "an octal number from 0 to 777");
	*mode = (mode_t)number;
	return 0;
}

static int set_file_mode(struct mount_options *options, const char *value, char *why)
{
	options->file_mode_given = true;
	return set_mode(&options->view->file_mode, "file_mode", value, why);
}

static int set_dir_mode(struct mount_options *options, const char *value, char *why)
{
	options->dir_mode_given = true;
	return set_mode(&options->view->dir_mode, "dir_mode", value, why);
}

/* Seconds with an optional fraction, and an s if one likes. */
static int mount_option_values_set_seconds(unsigned *field, const char *name, const char *value, char *why)
{
	char *end;
	double seconds;

	if (!isdigit((unsigned char)value[0]) && value[0] != '.')
		return bad(why, name, value, "a number of seconds");
	if (strspn(value, "0123456789.s") != strlen(value))
		return bad(why, name, value, "a number of seconds");
	seconds = strtod(value, &end);
	if (strcmp(end, "s") == 0)
		end++;
	if (*end || seconds > TTL_MAX_S)
		return bad(why, name, value, "a number of seconds from 0 to 86400");
	*field = (unsigned)(seconds * 1000 + 0.5);
	return 0;
}

/* 0: nothing is believed for longer than it takes to answer. */
static int set_cache_ttl(struct mount_options *options, const char *value, char *why)
{
	return mount_option_values_set_seconds(&options->view->cache_ttl_ms, "cache_ttl", value, why);
}

static int set_flush_after(struct mount_options *options, const char *value, char *why)
{
	return mount_option_values_set_seconds(&options->view->flush_after_ms, "flush_after", value, why);
}

static int set_copy_ack(struct mount_options *options, const char *value, char *why)
{
	if (strcmp(value, "early") == 0)
		options->view->copy_ack = COPY_ACK_EARLY;
	else if (strcmp(value, "close") == 0)
		options->view->copy_ack = COPY_ACK_CLOSE;
	else
		return bad(why, "copy_ack", value, "one of early, close");
	return 0;
}

static int set_odd_keys(struct mount_options *options, const char *value, char *why)
{
	if (strcmp(value, "error") == 0)
		options->view->odd_keys = ODD_KEYS_ERROR;
	else if (strcmp(value, "escape") == 0)
		options->view->odd_keys = ODD_KEYS_ESCAPE;
	else if (strcmp(value, "hide") == 0)
		options->view->odd_keys = ODD_KEYS_HIDE;
	else
		return bad(why, "odd_keys", value, "one of error, escape, hide");
	return 0;
}

static int set_attrs(struct mount_options *options, const char *value, char *why)
{
	if (strcmp(value, "meta") != 0 && strcmp(value, "none") != 0)
		return bad(why, "attrs", value, "one of none, meta");
	options->view->attrs_meta = strcmp(value, "meta") == 0;
	return 0;
}

static int set_attrs_fail(struct mount_options *options, const char *value, char *why)
{
	if (strcmp(value, "quiet") != 0 && strcmp(value, "eperm") != 0)
		return bad(why, "attrs_fail", value, "one of quiet, eperm");
	options->view->attrs_eperm = strcmp(value, "eperm") == 0;
	return 0;
}

static int set_tags(struct mount_options *options, const char *value, char *why)
{
	if (strcmp(value, "auto") == 0)
		options->view->tags = COPY_TAGS_AUTO;
	else if (strcmp(value, "no") == 0)
		options->view->tags = COPY_TAGS_NO;
	else if (strcmp(value, "required") == 0)
		options->view->tags = COPY_TAGS_REQUIRED;
	else
		return bad(why, "tags", value, "one of auto, no, required");
	return 0;
}

static int set_recognise(struct mount_options *options, const char *value, char *why)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return bad(why, "recognise", value, "one of yes, no");
	options->view->recognise = strcmp(value, "yes") == 0;
	return 0;
}

static int mount_option_values_set_text(char **field, const char *value, char *why)
{
	char *copy = strdup(value);

	if (!copy) {
		snprintf(why, ACCOUNT_WHY_MAX, "out of memory");
		return -ENOMEM;
	}
	free(*field);
	*field = copy;
	return 0;
}

static int set_storage_class(struct mount_options *options, const char *value, char *why)
{
	struct headers checked;
	int error;

	headers_init(&checked);
	error = object_option(&checked, "storage_class", value, why);
	headers_release(&checked);
	return error < 0 ? error : mount_option_values_set_text(&options->view->storage_class, value, why);
}

static int set_staging(struct mount_options *options, const char *value, char *why)
{
	if (value[0] != '/')
		return bad(why, "staging", value, "an absolute path");
	return mount_option_values_set_text(&options->view->staging_dir, value, why);
}

static int set_staging_reserve(struct mount_options *options, const char *value, char *why)
{
	if (staging_reserve_parse(value, &options->staging_reserve) < 0)
		return bad(why, "staging_reserve", value, "a size, or N% of its disk");
	return 0;
}

static int set_journal(struct mount_options *options, const char *value, char *why)
{
	if (value[0] != '/')
		return bad(why, "journal", value, "an absolute path");
	return mount_option_values_set_text(&options->view->journal_dir, value, why);
}

static int set_log(struct mount_options *options, const char *value, char *why)
{
	if (!value[0])
		return bad(why, "log", value, "a file or 'syslog'");
	options->log = value;
	return 0;
}

static int set_fuse_cpu(struct mount_options *options, const char *value, char *why)
{
	int error = placement_parse(value, &options->fuse_cpu);

	if (error == -ENODEV)
		return bad(why, "fuse_cpu", value, "a CPU that this process may use (taskset -p shows them)");
	if (error < 0)
		return bad(why, "fuse_cpu", value, "one of auto, none, or the number of a CPU");
	options->fuse_cpu_given = true;
	return 0;
}

static int mount_option_values_set_size(uint64_t *field, const char *name, const char *value, char *why)
{
	uint64_t size;

	/* AWS's bounds of a part; one request carries no more either. */
	if (!size_parse(value, &size) || size < PARTS_MIN_SIZE || size > PARTS_MAX_SIZE)
		return bad(why, name, value, "a size from 5M to 5G");
	*field = size;
	return 0;
}

static int set_keep_open(struct mount_options *options, const char *value, char *why)
{
	uint64_t size;

	if (!size_parse(value, &size) || size > PARTS_MAX_SIZE)
		return bad(why, "keep_open", value, "a size from 0 to 5G");
	options->view->keep_open = size;
	return 0;
}

static int set_part_size(struct mount_options *options, const char *value, char *why)
{
	return mount_option_values_set_size(&options->view->part_size, "part_size", value, why);
}

static int set_part_threshold(struct mount_options *options, const char *value, char *why)
{
	return mount_option_values_set_size(&options->view->part_threshold, "part_threshold", value, why);
}

/* dev and suid would weaken what is always on; mount.fuse(8) says both whenever fstab does not deny them. */
static int set_refused(struct mount_options *options, const char *value, char *why)
{
	if (options->mount_fuse)
		return 0;
	snprintf(why, ACCOUNT_WHY_MAX, "dev and suid are not possible: a bucket has neither");
	return -EINVAL;
}

static int set_remount(struct mount_options *options, const char *value, char *why)
{
	snprintf(why, ACCOUNT_WHY_MAX,
		"remount is not possible: end the mount with 'ferryfs umount DIR' and mount anew with the "
		"other "
		"options");
	return -EINVAL;
}

static int set_ro(struct mount_options *options, const char *value, char *why)
{
	options->view->ro = true;
	return 0;
}

static int set_rw(struct mount_options *options, const char *value, char *why)
{
	options->view->ro = false;
	return 0;
}

static int set_allow_other(struct mount_options *options, const char *value, char *why)
{
	options->view->allow_other = true;
	return 0;
}

static int set_noatime(struct mount_options *options, const char *value, char *why)
{
	options->view->noatime = true;
	return 0;
}

static int set_noexec(struct mount_options *options, const char *value, char *why)
{
	options->noexec = true;
	return 0;
}

static int set_foreground(struct mount_options *options, const char *value, char *why)
{
	options->foreground = true;
	return 0;
}

static int set_hub(struct mount_options *options, const char *value, char *why)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return bad(why, "hub", value, "one of yes, no");
	options->alone = strcmp(value, "no") == 0;
	return 0;
}

static const struct value_rule {
	const char *name;
	bool has_value;
	int (*set)(struct mount_options *options, const char *value, char *why);
} rules[] = {
	{"uid", true, set_uid},
	{"gid", true, set_gid},
	{"umask", true, set_umask},
	{"file_mode", true, set_file_mode},
	{"dir_mode", true, set_dir_mode},
	{"cache_ttl", true, set_cache_ttl},
	{"flush_after", true, set_flush_after},
	{"keep_open", true, set_keep_open},
	{"copy_ack", true, set_copy_ack},
	{"odd_keys", true, set_odd_keys},
	{"attrs", true, set_attrs},
	{"attrs_fail", true, set_attrs_fail},
	{"tags", true, set_tags},
	{"recognise", true, set_recognise},
	{"storage_class", true, set_storage_class},
	{"staging", true, set_staging},
	{"staging_reserve", true, set_staging_reserve},
	{"journal", true, set_journal},
	{"log", true, set_log},
	{"log_file", true, set_log},
	{"part_size", true, set_part_size},
	{"part_threshold", true, set_part_threshold},
	{"hub", true, set_hub},
	{"fuse_cpu", true, set_fuse_cpu},
	{"ro", false, set_ro},
	{"rw", false, set_rw},
	{"allow_other", false, set_allow_other},
	{"noatime", false, set_noatime},
	{"noexec", false, set_noexec},
	{"foreground", false, set_foreground},
	{"dev", false, set_refused},
	{"suid", false, set_refused},
	{"remount", false, set_remount},
};

static const struct value_rule *mount_option_values_find(const char *name)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (strcmp(name, rules[i].name) == 0)
			return &rules[i];
	}
	return NULL;
}

int mount_option_value(struct mount_options *options, const char *name, const char *value, char *why)
{
	const struct value_rule *rule = mount_option_values_find(name);

	if (!rule)
		return object_option(&options->view->headers, name, value, why);
	if (rule->has_value && !value) {
		snprintf(why, ACCOUNT_WHY_MAX, "%s needs a value", name);
		return -EINVAL;
	}
	if (!rule->has_value && value) {
		snprintf(why, ACCOUNT_WHY_MAX, "%s takes no value", name);
		return -EINVAL;
	}
	return rule->set(options, value, why);
}

bool mount_option_needs_value(struct mount_options *options, const char *name)
{
	char plain[64], why[ACCOUNT_WHY_MAX];
	struct connect_options scratch = options->connect;
	struct headers headers;
	int error;
	size_t len = strlen(name);

	if (len >= sizeof(plain))
		return false;
	for (size_t i = 0; i <= len; i++)
		plain[i] = name[i] == '-' ? '_' : name[i];
	const struct value_rule *rule = mount_option_values_find(plain);

	if (rule)
		return rule->has_value;
	headers_init(&headers);
	error = object_option(&headers, plain, NULL, why);
	headers_release(&headers);
	if (error != -ENOENT)
		return error == -EINVAL;
	/* connect refuses a bare name only where a value is wanted. */
	return connect_option(&scratch, plain, NULL, why) == -EINVAL;
}

bool mount_option_takes_word(const char *name, const char *word)
{
	return object_option_takes_word(name, word) || connect_takes_word(name, word);
}
