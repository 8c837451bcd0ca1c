/* The journal of a move: its lines, what a torn or damaged one says, its directory and its locks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "engine/journal/journal.h"
#include "engine/journal/journal_record.h"

static char base[] = "/tmp/ferryfs-test-XXXXXX";
static struct journal_dir *dir;

static const struct journal_intent intent = {
	.source = {{"http://127.0.0.1:1", 18}, {"key:id", 6}, {"from", 4}, {"a\n b/", 5}},
	.destination = {{"aws", 3}, {"anonymous", 9}, {"into", 4}, {"", 0}},
	.fresh = true,
	.machine = {"m", 1},
	.boot = {"", 0},
	.pid = 7,
	.pid_start = UINT64_MAX,
	.time = 1700000000,
};

/* A key of every kind of byte, and some that look like parts of a line. */
static struct str odd_key(unsigned which)
{
	static char all[256];
	for (unsigned i = 0; i < 256; i++)
		all[i] = (char)i;
	switch (which) {
	case 0:
		return str_n(all, sizeof(all));
	case 1:
		return STR("%00=\n00000000 D 1\n");
	case 2:
		return STR("");
	default:
		return STR("../\xff plain");
	}
}

/* ---- lines ---- */

static struct journal_line parse(const struct buf *text, char *space)
{
	struct journal_line line;
	memcpy(space, text->data, text->len);
	assert_int_equal(space[text->len - 1], '\n');
	assert_null(memchr(space, '\n', text->len - 1));
	assert_int_equal(journal_parse(space, text->len - 1, &line), 0);
	return line;
}

static void test_lines(void **state)
{
	static char space[JOURNAL_LINE_MAX];
	struct buf text;
	buf_init(&text, JOURNAL_LINE_MAX);
	for (unsigned i = 0; i < 4; i++) {
		const struct journal_line key = {
			.kind = JOURNAL_KEY,
			.index = 999,
			.text = odd_key(i),
			.etag = STR("="),
			.time = -5,
			.nsec = 999999999,
			.size = UINT64_MAX,
			.large = i % 2,
		};
		buf_clear(&text);
		assert_int_equal(journal_put(&text, &key), 0);
		struct journal_line got = parse(&text, space);
		assert_int_equal(got.kind, JOURNAL_KEY);
		assert_true(str_eq(got.text, key.text));
		assert_true(str_eq(got.etag, key.etag));
		assert_false(got.same_etag);
		assert_int_equal(got.time, -5);
		assert_int_equal(got.nsec, 999999999);
		assert_true(got.size == UINT64_MAX);
		assert_int_equal(got.index, 999);
		assert_int_equal(got.large, i % 2);
	}
	const struct journal_line copied = {.kind = JOURNAL_COPIED,
		.page = 1ull << 40,
		.index = 3,
		.same_etag = true,
		.text = STR("v 1")};
	buf_clear(&text);
	assert_int_equal(journal_put(&text, &copied), 0);
	struct journal_line got = parse(&text, space);
	assert_true(got.same_etag);
	assert_true(got.page == 1ull << 40);
	assert_true(str_eq(got.text, STR("v 1")));
	buf_clear(&text);
	assert_int_equal(journal_put_intent(&text, &intent), 0);
	got = parse(&text, space);
	assert_true(str_eq(got.intent.source.prefix, intent.source.prefix));
	assert_true(str_eq(got.intent.destination.bucket, STR("into")));
	assert_int_equal(got.intent.destination.prefix.len, 0);
	assert_true(got.intent.fresh);
	assert_true(got.intent.pid_start == UINT64_MAX);
	buf_release(&text);
}

/* No changed byte goes unnoticed, nor a line that is cut. */
static void test_damaged_lines(void **state)
{
	char space[1024];
	struct journal_line got;
	struct buf text;
	buf_init(&text, sizeof(space));
	const struct journal_line key = {
		.kind = JOURNAL_KEY, .text = STR("a b"), .etag = STR("e"), .size = 7};
	assert_int_equal(journal_put(&text, &key), 0);
	size_t len = text.len - 1;
	for (size_t i = 0; i < len; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(space, text.data, len);
			space[i] = (char)(space[i] ^ 1 << bit);
			assert_int_equal(journal_parse(space, len, &got), -EBADMSG);
		}
		memcpy(space, text.data, len);
		assert_int_equal(journal_parse(space, i, &got), -EBADMSG);
	}
	buf_release(&text);
}

/* ---- a file ---- */

static void add_page(struct journal *journal, unsigned first, unsigned count)
{
	struct buf lines;
	int64_t page = -1;
	buf_init(&lines, 1 << 20);
	for (unsigned i = 0; i < count; i++) {
		const struct journal_line key = {.kind = JOURNAL_KEY,
			.index = 2 * i,
			.text = odd_key(i),
			.etag = STR("e"),
			.time = 100 + first,
			.large = i == 1};
		assert_int_equal(journal_put(&lines, &key), 0);
	}
	assert_int_equal(journal_page(journal, buf_str(&lines), count, 50, &page), 0);
	assert_int_equal(page, first);
	buf_release(&lines);
}

static int answer(struct journal *journal, struct journal_line line)
{
	struct buf text;
	buf_init(&text, JOURNAL_LINE_MAX);
	assert_int_equal(journal_put(&text, &line), 0);
	int err = journal_answers(journal, (int64_t)line.page, buf_str(&text), line.kind == JOURNAL_COPIED);
	buf_release(&text);
	return err;
}

/* Two pages whose answers are mixed; of the first one is copied, one refused, one has an upload, one nothing.
 */
static void fill(struct journal *journal)
{
	add_page(journal, 0, 4);
	add_page(journal, 1, 2);
	answer(journal,
		(struct journal_line){.kind = JOURNAL_COPIED, .page = 1, .index = 2, .etag = STR("x-2")});
	answer(journal, (struct journal_line){
				.kind = JOURNAL_COPIED, .same_etag = true, .text = STR("v"), .time = 77});
	answer(journal, (struct journal_line){.kind = JOURNAL_UPLOAD, .index = 2, .text = STR("up")});
	answer(journal, (struct journal_line){.kind = JOURNAL_COPIED, .page = 1, .same_etag = true});
	answer(journal, (struct journal_line){.kind = JOURNAL_EXPECT, .index = 2, .etag = STR("y-2")});
	answer(journal, (struct journal_line){.kind = JOURNAL_REFUSED, .index = 4});
}

static struct record_entry next_entry(struct str *page)
{
	struct record_entry entry;
	assert_int_equal(record_get(page, &entry), 0);
	assert_true(str_has_prefix(entry.key, intent.source.prefix));
	return entry;
}

static void check_unknown(struct journal *journal)
{
	struct buf page;
	buf_init(&page, RECORD_PAGE_MAX);
	journal_rewind(journal);
	assert_int_equal(journal_next(journal, true, &page), 0);
	struct str at = buf_str(&page);
	struct record_entry entry = next_entry(&at);
	assert_true(str_eq(str_skip(entry.key, 5), odd_key(0)));
	assert_false(entry.unknown);
	assert_true(str_eq(entry.copy_etag, STR("e")));
	assert_true(str_eq(entry.copy_version, STR("v")));
	assert_int_equal(entry.copy_mtime, 77);
	entry = next_entry(&at);
	assert_true(entry.unknown && entry.large);
	assert_true(str_eq(entry.upload, STR("up")));
	assert_true(str_eq(entry.copy_etag, STR("y-2")));
	assert_int_equal(entry.copy_mtime, 50);
	entry = next_entry(&at);
	assert_true(entry.unknown && !entry.large);
	assert_true(str_eq(str_skip(entry.key, 5), odd_key(3)));
	assert_true(str_eq(entry.copy_etag, STR("e")));
	assert_int_equal(at.len, 0);
	assert_int_equal(journal_next(journal, true, &page), 0);
	at = buf_str(&page);
	next_entry(&at);
	entry = next_entry(&at);
	assert_true(str_eq(entry.copy_etag, STR("x-2")));
	assert_int_equal(at.len, 0);
	assert_int_equal(journal_next(journal, true, &page), -ENODATA);
	journal_rewind(journal);
	assert_int_equal(journal_next(journal, false, &page), 0);
	at = buf_str(&page);
	next_entry(&at);
	assert_int_equal(at.len, 0);
	buf_release(&page);
}

static void only_name(char *ret)
{
	char **names = NULL;
	assert_int_equal(journal_dir_names(dir, &names), 0);
	assert_non_null(names[0]);
	assert_null(names[1]);
	strcpy(ret, names[0]);
	journal_names_free(names);
}

static void assert_none(void)
{
	char **names = NULL;
	assert_int_equal(journal_dir_names(dir, &names), 0);
	assert_null(names[0]);
	journal_names_free(names);
}

static void test_journal(void **state)
{
	struct journal *journal = NULL, *other = NULL;
	char name[JOURNAL_NAME_MAX + 1];
	struct stat st;
	assert_int_equal(journal_new(dir, &intent, &journal), 0);
	assert_true(journal_empty(journal));
	fill(journal);
	check_unknown(journal);
	only_name(name);
	assert_int_equal(fstatat(AT_FDCWD, base, &st, 0), 0);
	assert_int_equal(journal_open(dir, name, &other), -EBUSY);
	journal_free(journal);
	assert_int_equal(journal_open(dir, name, &journal), 0);
	assert_false(journal_all_copied(journal));
	assert_int_equal(journal_copied(journal), 3);
	assert_int_equal(journal_keys(journal), 6);
	assert_true(journal_has_uploads(journal));
	assert_true(str_eq(journal_intent(journal)->source.prefix, intent.source.prefix));
	check_unknown(journal);
	assert_int_equal(journal_write_all_copied(journal), 0);
	assert_true(journal_all_copied(journal));
	assert_int_equal(journal_finish(journal), 0);
	assert_none();
	assert_int_equal(journal_open(dir, name, &journal), -ENOENT);
}

static char *slurp(const char *name, size_t *ret_len)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", base, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	off_t len = lseek(fd, 0, SEEK_END);
	char *text = malloc((size_t)len);
	assert_int_equal(pread(fd, text, (size_t)len, 0), len);
	close(fd);
	*ret_len = (size_t)len;
	return text;
}

static void spill(const char *name, const char *text, size_t len, mode_t mode)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", base, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	fchmod(fd, mode);
	close(fd);
}

/* Everything a cut or damaged one may say: never that all is copied, never an entry that was not there. */
static void check_part(const char *name, bool whole, size_t intent_len, size_t good)
{
	struct journal *journal = NULL;
	struct buf page;
	int err = journal_open(dir, name, &journal);
	if (good < intent_len) {
		assert_int_equal(err, -EBADMSG);
		return;
	}
	assert_int_equal(err, 0);
	assert_int_equal(journal_all_copied(journal), whole);
	assert_true(journal_copied(journal) <= 3);
	buf_init(&page, RECORD_PAGE_MAX);
	unsigned pages = 0;
	while (journal_next(journal, true, &page) == 0)
		pages++;
	assert_true(pages <= 2);
	buf_release(&page);
	journal_free(journal);
}

static void test_torn_at_every_byte(void **state)
{
	static const char name[] = "cut.journal";
	struct journal *journal = NULL;
	char made[JOURNAL_NAME_MAX + 1];
	size_t len;
	assert_int_equal(journal_new(dir, &intent, &journal), 0);
	fill(journal);
	assert_int_equal(journal_write_all_copied(journal), 0);
	only_name(made);
	journal_free(journal);
	char *text = slurp(made, &len);
	assert_int_equal(journal_dir_remove(dir, made), 0);
	size_t intent_len = (size_t)((char *)memchr(text, '\n', len) - text) + 1;
	for (size_t cut = 0; cut <= len; cut++) {
		spill(name, text, cut, 0600);
		check_part(name, cut == len, intent_len, cut);
	}
	for (size_t i = 0; i < len; i++) {
		text[i] = (char)(text[i] ^ 1);
		spill(name, text, len, 0600);
		check_part(name, false, intent_len, i);
		text[i] = (char)(text[i] ^ 1);
	}
	assert_int_equal(journal_dir_remove(dir, name), 0);
	free(text);
}

/* A disk that is full: the write fails, what is there stays readable, and the answers are known to this
 * process. */
static void test_full(void **state)
{
	struct journal *journal = NULL;
	struct rlimit before, limit;
	char name[JOURNAL_NAME_MAX + 1];
	struct buf page;
	size_t len;
	assert_int_equal(journal_new(dir, &intent, &journal), 0);
	add_page(journal, 0, 4);
	only_name(name);
	free(slurp(name, &len));
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = len + 10;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	int err = answer(journal, (struct journal_line){.kind = JOURNAL_COPIED, .same_etag = true});
	int all = journal_write_all_copied(journal);
	limit.rlim_cur = 10;
	setrlimit(RLIMIT_FSIZE, &limit);
	int begun = journal_new(dir, &intent, &(struct journal *){NULL});
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(err, -EFBIG);
	assert_int_equal(all, -EFBIG);
	assert_int_equal(begun, -EFBIG);
	assert_false(journal_all_copied(journal));
	buf_init(&page, RECORD_PAGE_MAX);
	assert_int_equal(journal_next(journal, false, &page), 0);
	struct str at = buf_str(&page);
	next_entry(&at);
	assert_int_equal(at.len, 0);
	buf_release(&page);
	free(slurp(name, &len));
	journal_free(journal);
	assert_int_equal(journal_open(dir, name, &journal), 0);
	assert_int_equal(journal_copied(journal), 0);
	assert_int_equal(journal_finish(journal), 0);
}

/* ---- the directory ---- */

static void refused(const char *path, int error)
{
	struct journal_dir *got = NULL;
	char why[JOURNAL_WHY_MAX] = "";
	assert_int_equal(journal_dir_open(path, false, &got, why), error);
	assert_null(got);
	assert_true(why[0] != '\0');
}

static void test_directory(void **state)
{
	struct journal_dir *got = NULL;
	char path[256], other[256], why[JOURNAL_WHY_MAX];
	refused("relative", -EINVAL);
	snprintf(path, sizeof(path), "%s/none/none", base);
	refused(path, -ENOENT);
	assert_int_equal(journal_dir_open(path, true, &got, why), 0);
	journal_dir_free(got);
	snprintf(other, sizeof(other), "%s/link", base);
	assert_int_equal(symlink(path, other), 0);
	refused(other, -ENOTDIR);
	unlink(other);
	assert_int_equal(chmod(path, 0750), 0);
	refused(path, -EPERM);
	assert_int_equal(chmod(path, 0700), 0);
	snprintf(other, sizeof(other), "%s/none", base);
	assert_int_equal(chmod(other, 0777), 0);
	refused(path, -EPERM);
	rmdir(path);
	rmdir(other);
	if (geteuid() == 0) {
		assert_int_equal(mkdir(path, 0700) < 0 && mkdir(other, 0700) < 0, 0);
		snprintf(other, sizeof(other), "%s/none", base);
		assert_int_equal(chown(other, 65534, 65534), 0);
		refused(other, -EPERM);
		rmdir(other);
	}
}

/* What others may have written is no order of ours. */
static void test_forged(void **state)
{
	struct journal *journal = NULL;
	char path[256], link_path[256];
	struct buf text;
	buf_init(&text, JOURNAL_LINE_MAX);
	assert_int_equal(journal_put_intent(&text, &intent), 0);
	spill("open.journal", text.data, text.len, 0640);
	assert_int_equal(journal_open(dir, "open.journal", &journal), -EPERM);
	spill("open.journal", text.data, text.len, 0600);
	snprintf(path, sizeof(path), "%s/open.journal", base);
	snprintf(link_path, sizeof(link_path), "%s/link.journal", base);
	assert_int_equal(symlink(path, link_path), 0);
	assert_int_equal(journal_open(dir, "link.journal", &journal), -ELOOP);
	unlink(link_path);
	assert_int_equal(link(path, link_path), 0);
	assert_int_equal(journal_open(dir, "open.journal", &journal), -EPERM);
	unlink(link_path);
	assert_int_equal(journal_open(dir, "../open.journal", &journal), -EINVAL);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 65534, 65534), 0);
		assert_int_equal(journal_open(dir, "open.journal", &journal), -EPERM);
	}
	unlink(path);
	buf_release(&text);
}

/* One that was never begun goes; one that is being begun stays. */
static void test_abandoned(void **state)
{
	char name[JOURNAL_NAME_MAX + 1];
	int fd;
	spill("1.new", "", 0, 0600);
	assert_int_equal(journal_dir_create(dir, &fd, name), 0);
	assert_none();
	assert_int_equal(journal_dir_remove(dir, "1.new"), -ENOENT);
	assert_int_equal(journal_dir_publish(dir, name), 0);
	char found[JOURNAL_NAME_MAX + 1];
	only_name(found);
	assert_string_equal(found, name);
	assert_int_equal(journal_dir_remove(dir, name), 0);
	close(fd);
}

static void test_self(void **state)
{
	struct journal_self self;
	journal_self(&self);
	assert_true(self.machine[0] != '\0');
	assert_int_equal(self.pid, getpid());
	assert_true(self.start > 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_damaged_lines),
		cmocka_unit_test(test_journal),
		cmocka_unit_test(test_torn_at_every_byte),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_directory),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_abandoned),
		cmocka_unit_test(test_self),
	};
	char why[JOURNAL_WHY_MAX];
	if (mkdtemp(base) == NULL || journal_dir_open(base, false, &dir, why) != 0)
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	journal_dir_free(dir);
	rmdir(base);
	return failed;
}
