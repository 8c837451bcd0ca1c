#include "fs/cmd/mount_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/object/object_option.h"
#include "fs/cmd/mount_option_values.h"
#include "fs/host/fuse_cpu.h"

enum { TEXTS_MAX = 1024 }; /* option words of one command line */

/* Options that fstab(5) and mount(8) say to each other or to systemd: none of them is for ferryfs. */
static const char *const ignored[] = {"_netdev", "nofail", "auto", "noauto", "user", "nouser", "users",
	"owner", "group", "defaults", "exec", "async", "atime", "diratime", "nodiratime", "relatime",
	"norelatime", "nostrictatime", "strictatime", "lazytime", "nolazytime", "nosuid", "nodev",
	"default_permissions", "silent", "loud"};

int mount_options_init(struct mount_options *options)
{
	*options = (struct mount_options){
		.fuse_cpu = PLACEMENT_AUTO, .staging_reserve = {.per_cent = STAGING_RESERVE_PER_CENT}};
	connect_init(&options->connect);
	return view_new(&options->view);
}

void mount_options_release(struct mount_options *options)
{
	view_unref(options->view);
	options->view = NULL;
	for (unsigned i = 0; i < options->text_count; i++)
		free(options->texts[i]);
	free(options->texts);
	options->texts = NULL;
	options->text_count = 0;
}

static int no_memory(char *why)
{
	snprintf(why, ACCOUNT_WHY_MAX, "out of memory");
	return -ENOMEM;
}

/* Keeps a text (takes it) until release. */
static int mount_options_keep(struct mount_options *options, char *text, char *why)
{
	if (options->text_count == TEXTS_MAX) {
		free(text);
		snprintf(why, ACCOUNT_WHY_MAX, "more than %d options", TEXTS_MAX);
		return -E2BIG;
	}
	char **texts = text ? reallocarray(options->texts, options->text_count + 1, sizeof(*texts)) : NULL;

	if (!texts) {
		free(text);
		return no_memory(why);
	}
	options->texts = texts;
	texts[options->text_count++] = text;
	return 0;
}

static bool is_ignored(const char *name)
{
	if (strncmp(name, "x_", 2) == 0 || strcmp(name, "comment") == 0)
		return true;
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
		if (strcmp(name, ignored[i]) == 0)
			return true;
	}
	return false;
}

/* name: in its form with `_`. */
static int set_known(struct mount_options *options, const char *name, const char *value, char *why)
{
	int error = mount_option_value(options, name, value, why);

	if (error == -ENOENT)
		error = connect_option(&options->connect, name, value, why);
	if (error == -ENOENT && is_ignored(name))
		error = 0;
	return error;
}

int mount_options_set(struct mount_options *options, const char *name, const char *value, char *why)
{
	char plain[64], *kept = NULL;
	size_t len = strlen(name);
	int error = 0;

	if (len == 0 || len >= sizeof(plain)) {
		snprintf(why, ACCOUNT_WHY_MAX, "unknown option '%.80s'", name);
		return -EINVAL;
	}
	for (size_t i = 0; i <= len; i++)
		plain[i] = name[i] == '-' ? '_' : name[i];
	if (value) {
		kept = strdup(value);
		error = mount_options_keep(options, kept, why);
	}
	if (error < 0)
		return error;
	error = set_known(options, plain, kept, why);
	if (error == -ENOENT) {
		snprintf(why, ACCOUNT_WHY_MAX, "unknown option '%.64s'", name);
		return -EINVAL;
	}
	return error;
}

/* Cuts the next option off *at: up to a comma that has no backslash before it, backslashes taken out in
 * place. */
static char *next_option(char **at)
{
	char *from = *at, *to = *at, *start = *at;

	for (; *from && *from != ','; from++) {
		if (*from == '\\' && (from[1] == ',' || from[1] == '\\'))
			from++;
		*to++ = *from;
	}
	*at = *from ? from + 1 : from;
	*to = '\0';
	return start;
}

int mount_options_text(struct mount_options *options, const char *text, char *why)
{
	char *copy = strdup(text);
	int error = 0;

	if (!copy)
		return no_memory(why);
	char *at = copy;

	while (*at && error == 0) {
		char *name = next_option(&at);
		char *value = strchr(name, '=');

		if (value)
			*value++ = '\0';
		if (*name || value)
			error = mount_options_set(options, name, value, why);
	}
	free(copy);
	return error;
}

/* --name, --name=value, --name value: the last for names that can't do without one, and where the next word is
 * a value that this name may have. */
static int long_option(
	struct mount_options *options, const char *word, const char *next, bool *took_next, char *why)
{
	char *copy = strdup(word);

	if (!copy)
		return no_memory(why);
	char *value = strchr(copy, '=');

	if (value)
		*value++ = '\0';
	*took_next = !value && next && mount_option_takes_word(copy, next);
	int error = mount_options_set(options, copy, *took_next ? next : value, why);

	if (error == -EINVAL && !value && next && mount_option_needs_value(options, copy)) {
		*took_next = true;
		error = mount_options_set(options, copy, next, why);
	}
	free(copy);
	return error;
}

struct words {
	int argc;
	char **argv;
	int at;
	const char *plain[2];
	unsigned plain_count;
};

/* mount(8), "External helpers": letters that mean something else there, or nothing to us. */
static bool helper_word(struct mount_options *options, struct words *words)
{
	const char *word = words->argv[words->at];

	if (!options->helper || word[0] != '-' || !word[1])
		return false;
	if (strcmp(word, "-N") == 0 || strcmp(word, "-t") == 0) {
		words->at += 2;
		return true;
	}
	if (strspn(word + 1, "sfnv") != strlen(word + 1))
		return false;
	options->fake |= strchr(word, 'f') != NULL;
	words->at++;
	return true;
}

static int one_word(struct mount_options *options, struct words *words, char *why)
{
	if (helper_word(options, words))
		return 0;
	const char *word = words->argv[words->at];
	const char *next = words->at + 1 < words->argc ? words->argv[words->at + 1] : NULL;
	bool took_next = false;
	int error = 0;

	if (strcmp(word, "-f") == 0) {
		options->foreground = true;
	} else if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
		options->help = true;
	} else if (strncmp(word, "-o", 2) == 0) {
		took_next = word[2] == '\0';
		const char *text = took_next ? next : word + 2;

		if (!text) {
			snprintf(why, ACCOUNT_WHY_MAX, "-o needs options after it");
			return -EINVAL;
		}
		error = mount_options_text(options, text, why);
	} else if (strncmp(word, "--", 2) == 0 && word[2]) {
		error = long_option(options, word + 2, next, &took_next, why);
	} else if (word[0] == '-' && word[1]) {
		snprintf(why, ACCOUNT_WHY_MAX, "unknown option '%.64s'", word);
		error = -EINVAL;
	} else if (words->plain_count == 2) {
		snprintf(why, ACCOUNT_WHY_MAX, "one address and one directory are wanted, not also '%.128s'",
			word);
		error = -EINVAL;
	} else {
		words->plain[words->plain_count++] = word;
	}
	words->at += 1 + took_next;
	return error;
}

/* A prefix is a directory's, so its key ends in a slash. */
static int mount_options_set_source(struct mount_options *options, const char *text, char *why)
{
	struct view *view = options->view;
	struct s3_url *url = &view->url;
	int error = s3_url_parse(text, url);

	if (error == 0 && url->key_len > 0 && url->key[url->key_len - 1] != '/') {
		if (url->key_len == KEY_MAX) {
			error = -ENAMETOOLONG;
		} else {
			url->key[url->key_len++] = '/';
			url->key[url->key_len] = '\0';
		}
	}
	if (error < 0) {
		snprintf(why, ACCOUNT_WHY_MAX, "'%.128s' %s", text,
			error == -ENAMETOOLONG ? "has a prefix of over 1024 bytes" : s3_url_hint(text));
		return -EINVAL;
	}
	free(view->source);
	view->source = NULL;
	if (asprintf(&view->source, "s3://%s%s%s", url->bucket, url->key_len ? "/" : "", url->key) < 0) {
		view->source = NULL;
		return no_memory(why);
	}
	/* findmnt shows s3://bucket/a rather than s3://bucket/a/. */
	size_t len = strlen(view->source);

	if (url->key_len > 0)
		view->source[len - 1] = '\0';
	return 0;
}

int mount_options_parse(struct mount_options *options, int argc, char **argv, char *why)
{
	struct words words = {.argc = argc, .argv = argv};
	int error = 0;

	while (words.at < argc && error == 0 && !options->help)
		error = one_word(options, &words, why);
	if (error < 0 || options->help)
		return error;
	if (words.plain_count < 2) {
		snprintf(why, ACCOUNT_WHY_MAX, "%s is missing",
			words.plain_count ? "the directory to mount on"
					  : "the address s3://[BUCKET[/PREFIX]]");
		return -EINVAL;
	}
	options->mountpoint = words.plain[1];
	error = object_options_finish(&options->view->headers, why);
	if (error < 0)
		return error == -EINVAL ? error : no_memory(why);
	return mount_options_set_source(options, words.plain[0], why);
}
