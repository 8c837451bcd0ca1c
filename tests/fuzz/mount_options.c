/*
 * Fuzzes the options of a mount.  Bits 0 and 1 of the first byte: the words of a command line (one a line; as
 * mount(8) gives them), one text of -o, or a name and a value.
 *
 * What is refused has a sentence; what is accepted is within its bounds; an option set through the text of
 * -o, with its commas and backslashes escaped, is the same as set by itself.
 */
#include <errno.h>

#include "fs/cmd/mount_options.h"
#include "s3/answer.h"
#include "s3/parts.h"
#include "tests/fuzz/fuzz.h"

enum { WORDS_MAX = 64 };

static bool in(uint64_t value, uint64_t min, uint64_t max)
{
	return value == 0 || (value >= min && value <= max);
}

static void check_text(const char *text)
{
	must(!text || (text[0] && strlen(text) < SIZE_MAX));
}

static void check_options(const struct mount_options *options)
{
	const struct view *view = options->view;
	const struct connect_options *connect = &options->connect;

	must((view->file_mode & ~0777u) == 0 && (view->dir_mode & ~0777u) == 0);
	must(view->cache_ttl_ms <= 86400000);
	must(in(view->part_size, PARTS_MIN_SIZE, PARTS_MAX_SIZE));
	must(in(view->part_threshold, PARTS_MIN_SIZE, PARTS_MAX_SIZE));
	must(!view->staging_dir || view->staging_dir[0] == '/');
	must(!view->journal_dir || view->journal_dir[0] == '/');
	must(!view->storage_class ||
		(view->storage_class[0] && strlen(view->storage_class) <= STORAGE_CLASS_MAX &&
			!strpbrk(view->storage_class, " \t\r\n:")));
	must(connect->engine.workers <= 256 && connect->engine.inflight <= 65536);
	must(connect->engine.retries == UINT32_MAX || connect->engine.retries <= 100);
	must(connect->engine.timeout_ms <= 86400999 && connect->engine.connect_timeout_ms <= 86400999);
	must(connect->log_level >= LOG_LEVEL_ERROR && connect->log_level <= LOG_LEVEL_TRACE);
	/* Every text that is kept is alive: these read it to its end. */
	check_text(options->log);
	check_text(connect->account.endpoint_url);
	check_text(connect->account.region);
	check_text(connect->account.profile);
	check_text(connect->account.addressing);
	check_text(connect->engine.ca_bundle);
}

static void check_result(const struct mount_options *options, int result, const char *why)
{
	must(result == 0 || result == -EINVAL || result == -E2BIG);
	must(memchr(why, '\0', ACCOUNT_WHY_MAX) && (result == 0 || why[0]));
	check_options(options);
}

static void fuzz_words(struct str rest, bool helper)
{
	struct mount_options options;
	char *words[WORDS_MAX], why[ACCOUNT_WHY_MAX] = "";
	int count = 0;

	must(mount_options_init(&options) == 0);
	options.helper = helper;
	while (rest.len && count < WORDS_MAX)
		words[count++] = text_of(next_part(&rest, '\n'));
	int result = mount_options_parse(&options, count, words, why);

	check_result(&options, result, why);
	if (result == 0 && !options.help) {
		const struct s3_url *url = &options.view->url;
		struct s3_url again;

		must(options.mountpoint && options.view->source);
		must(url->key_len == strlen(url->key) && url->key_len <= KEY_MAX);
		must(url->key_len == 0 || url->key[url->key_len - 1] == '/');
		must(s3_url_parse(options.view->source, &again) == 0);
		must(strcmp(again.bucket, url->bucket) == 0);
		must(str_has_prefix(s3_url_key(url), s3_url_key(&again)));
		must(url->key_len <= again.key_len + 1);
	}
	mount_options_release(&options);
	while (count > 0)
		free(words[--count]);
}

static void fuzz_text(struct str rest)
{
	struct mount_options options;
	char *text = text_of(rest), why[ACCOUNT_WHY_MAX] = "";

	must(mount_options_init(&options) == 0);
	check_result(&options, mount_options_text(&options, text, why), why);
	mount_options_release(&options);
	free(text);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void check_same(const struct mount_options *a, const struct mount_options *b)
{
	const struct view *v = a->view, *w = b->view;
	const struct connect_options *c = &a->connect, *d = &b->connect;

	must(v->uid == w->uid && v->gid == w->gid && v->file_mode == w->file_mode && v->ro == w->ro);
	must(v->cache_ttl_ms == w->cache_ttl_ms && v->part_size == w->part_size &&
		v->flush_after_ms == w->flush_after_ms && v->keep_open == w->keep_open && v->tags == w->tags);
	must(same_text(v->storage_class, w->storage_class) && same_text(v->staging_dir, w->staging_dir));
	must(same_text(a->log, b->log) && a->foreground == b->foreground);
	must(same_text(c->account.endpoint_url, d->account.endpoint_url));
	must(same_text(c->account.region, d->account.region));
	must(same_text(c->account.profile, d->account.profile));
	must(same_text(c->engine.ca_bundle, d->engine.ca_bundle));
	must(c->engine.workers == d->engine.workers && c->engine.timeout_ms == d->engine.timeout_ms);
	must(c->log_level == d->log_level && c->account.no_sign_request == d->account.no_sign_request);
}

static void fuzz_one(struct str rest)
{
	struct mount_options plain, through;
	char why[ACCOUNT_WHY_MAX] = "", *name = text_of(next_part(&rest, '\n')), *value = text_of(rest);
	struct buf text;

	buf_init(&text, 1 << 17);
	must(mount_options_init(&plain) == 0 && mount_options_init(&through) == 0);
	int result = mount_options_set(&plain, name, value, why);

	check_result(&plain, result, why);
	if (!strpbrk(name, ",=\\") && name[0]) {
		must(buf_addf(&text, "%s=", name) == 0);
		for (const char *at = value; *at; at++) {
			if (*at == ',' || *at == '\\')
				buf_add_char(&text, '\\');
			buf_add_char(&text, *at);
		}
		must(mount_options_text(&through, buf_text(&text), why) == result);
		check_same(&plain, &through);
	}
	mount_options_release(&plain);
	mount_options_release(&through);
	buf_release(&text);
	free(name);
	free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > 1 << 14)
		return 0;
	struct str rest = str_n((const char *)data + 1, size - 1);

	switch (data[0] % 4) {
	case 0:
	case 1:
		fuzz_words(rest, data[0] % 4);
		break;
	case 2:
		fuzz_text(rest);
		break;
	default:
		fuzz_one(rest);
	}
	return 0;
}
