#include "fs/host/caller_mounts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <cmocka.h>

/* words separated by spaces; each becomes one NUL-terminated word of a command line. */
static bool plain(enum caller_tool tool, const char *words, bool *recursive)
{
	char line[512];
	size_t len = strlen(words);

	memcpy(line, words, len + 1);
	for (size_t i = 0; i < len; i++)
		if (line[i] == ' ')
			line[i] = '\0';
	struct caller_words parts = {0};
	bool harmless = caller_options_plain(tool, str_n(line, len + 1), &parts);

	*recursive = parts.recursive;
	return harmless;
}

static void test_options_that_never_skip(void **state)
{
	static const char *const cp[] = {"cp -r a b", "cp -a a b", "cp -rv -t d a b", "cp -rvtd a",
		"cp a -R b", "cp --recursive --verbose a b", "cp -r --preserve=mode a b",
		"cp --archive a --target-directory=d", "cp -r -- a -n", "cp -t -n -r a"};
	bool recursive;

	for (unsigned i = 0; i < sizeof(cp) / sizeof(*cp); i++) {
		assert_true(plain(CALLER_CP, cp[i], &recursive));
		assert_true(recursive);
	}
	assert_true(plain(CALLER_CP, "cp a b", &recursive));
	assert_false(recursive);
	assert_true(plain(CALLER_MV, "mv -fv a b", &recursive));
	assert_true(plain(CALLER_RM, "rm -rf a", &recursive));
	assert_true(recursive);
}

static void test_options_that_skip(void **state)
{
	static const char *const cp[] = {"cp -rn a b", "cp -rvn a b", "cp -r --no-clob a b",
		"cp -r --no-clobber a b", "cp -ru a b", "cp -r --update a b", "cp -ri a b", "cp -rx a b",
		"cp -r --recurs a b", "cp a b -n", "cp -r --upd a b", "cp -rl a b", "cp -rs a b",
		"cp -r --backup a b", "cp -r --attributes-only a b", "cp -t d -n a"};
	bool recursive;

	for (unsigned i = 0; i < sizeof(cp) / sizeof(*cp); i++)
		assert_false(plain(CALLER_CP, cp[i], &recursive));
	assert_false(plain(CALLER_MV, "mv -n a b", &recursive));
	assert_false(plain(CALLER_MV, "mv -r a b", &recursive));
	assert_false(plain(CALLER_RM, "rm -ri a", &recursive));
	assert_false(plain(CALLER_RM, "rm -r --one-file-system a", &recursive));
	assert_false(plain(CALLER_OTHER, "find -name x", &recursive));
	struct caller_words parts;

	assert_false(caller_options_plain(CALLER_CP, str_n("cp\0-r", 5), &parts)); /* cut off */
	assert_false(caller_options_plain(CALLER_CP, str_n("", 0), &parts));
}

static void test_operands(void **state)
{
	static const struct {
		const char *words;
		enum caller_tool tool;
		unsigned count;
		const char *first, *last;
		bool forced;
	} lines[] = {
		{"cp -r a b", CALLER_CP, 1, "a", "a", false},
		{"cp -r a b c", CALLER_CP, 2, "a", "b", false},
		{"cp -rf -t d a b", CALLER_CP, 2, "a", "b", true},
		{"cp -rtd a b", CALLER_CP, 2, "a", "b", false},
		{"cp a --target-directory=d -r", CALLER_CP, 1, "a", "a", false},
		{"cp -r -- -a b", CALLER_CP, 1, "-a", "-a", false},
		{"cp -r a", CALLER_CP, 0, NULL, NULL, false},
		{"mv --force a b", CALLER_MV, 1, "a", "a", true},
		{"rm -r a", CALLER_RM, 0, NULL, NULL, false},
		{"rm -rf a", CALLER_RM, 0, NULL, NULL, true},
	};

	for (unsigned i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		char text[128];
		size_t len = strlen(lines[i].words);
		struct caller_words words;

		for (size_t at = 0; at <= len; at++)
			text[at] = lines[i].words[at] == ' ' ? '\0' : lines[i].words[at];
		assert_true(caller_options_plain(lines[i].tool, str_n(text, len + 1), &words));
		assert_int_equal(words.count, lines[i].count);
		assert_int_equal(words.forced, lines[i].forced);
		if (words.count == 0)
			continue;
		assert_string_equal(words.sources[0], lines[i].first);
		assert_string_equal(words.sources[words.count - 1], lines[i].last);
	}
}

static void write_file(const char *dir, const char *name, const char *text, size_t len)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	fclose(file);
}

/* A /proc of our own: process 7 with this comm, this command line and this executable. */
static void fake(char *proc, const char *comm, const char *cmdline, size_t len, const char *exe)
{
	static const char stat_text[] =
		"7 (a ) b) S 1 7 7 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 4242 1 1 1\n";
	char dir[128], path[256];

	snprintf(dir, sizeof(dir), "%s/7", proc);
	assert_int_equal(mkdir(dir, 0700), 0);
	write_file(dir, "stat", stat_text, sizeof(stat_text) - 1);
	write_file(dir, "comm", comm, strlen(comm));
	write_file(dir, "cmdline", cmdline, len);
	snprintf(path, sizeof(path), "%s/exe", dir);
	assert_int_equal(symlink(exe, path), 0);
}

static void clean(char *proc)
{
	static const char *const names[] = {"7/stat", "7/comm", "7/cmdline", "7/exe", "7", "cp"};
	char path[256];

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/%s", proc, names[i]);
		remove(path);
	}
	rmdir(proc);
}

static void test_gnu_cp_is_known(void **state)
{
	char proc[] = "/tmp/ferryfs-proc.XXXXXX";
	struct caller caller;

	assert_non_null(mkdtemp(proc));
	fake(proc, "cp\n", "cp\0-r\0a\0b", 10, "/bin/cp");
	caller_read(proc, 7, 0, &caller);
	assert_int_equal(caller.tool, CALLER_CP);
	assert_int_equal(caller.start, 4242);
	assert_true(caller.plain && caller.recursive);
	assert_true(caller_checks_close(&caller));
	clean(proc);
}

static void test_a_program_that_only_calls_itself_cp(void **state)
{
	char proc[] = "/tmp/ferryfs-proc.XXXXXX", exe[64];
	struct caller caller;

	assert_non_null(mkdtemp(proc));
	write_file(proc, "cp", "#!/bin/sh\n", 10);
	snprintf(exe, sizeof(exe), "%s/cp", proc);
	fake(proc, "cp\n", "cp\0-r\0a\0b", 10, exe);
	caller_read(proc, 7, 0, &caller);
	assert_int_equal(caller.tool, CALLER_OTHER);
	assert_false(caller_checks_close(&caller));
	clean(proc);
}

/* Each as root's, in a directory that only root writes: what the text and the file alone say. */
static void test_texts_that_are_not_enough(void **state)
{
	static const char all[] = "\177ELF GNU coreutils\0failed to close %s\0"
				  "will not overwrite just-created %s with %s\0"
				  "cannot copy a directory, %s, into itself, %s\0error reading %s\0";
	static const char some[] = "\177ELF Unlike cp of GNU coreutils it asks first";
	static const char rust[] = "\177ELF GNU coreutils\0failed to close %s\0uutils\0"
				   "will not overwrite just-created %s with %s\0"
				   "cannot copy a directory, %s, into itself, %s\0error reading %s\0";
	static const struct {
		const char *text;
		size_t len;
		mode_t file, directory;
		bool gnu;
	} programs[] = {
		{all, sizeof(all), 0755, 0755, true},
		{some, sizeof(some), 0755, 0755, false},
		{rust, sizeof(rust), 0755, 0755, false},
		{all + 1, sizeof(all) - 1, 0755, 0755, false}, /* no ELF */
		{all, sizeof(all), 0757, 0755, false},
		{all, sizeof(all), 0755, 0757, false},
		{all, sizeof(all), 0755, 01777, false},
	};

	for (unsigned i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
		char proc[] = "/run/ferryfs-proc.XXXXXX", exe[64];
		struct caller caller;

		if (getuid() != 0 || !mkdtemp(proc))
			skip();
		write_file(proc, "cp", programs[i].text, programs[i].len);
		snprintf(exe, sizeof(exe), "%s/cp", proc);
		assert_int_equal(chmod(exe, programs[i].file), 0);
		assert_int_equal(chmod(proc, programs[i].directory), 0);
		fake(proc, "cp\n", "cp\0-r\0a\0b", 10, exe);
		caller_read(proc, 7, 0, &caller);
		assert_int_equal(caller.tool, programs[i].gnu ? CALLER_CP : CALLER_OTHER);
		clean(proc);
	}
}

static void test_comm_and_exe_differ(void **state)
{
	char proc[] = "/tmp/ferryfs-proc.XXXXXX";
	struct caller caller;

	assert_non_null(mkdtemp(proc));
	fake(proc, "cp\n", "cp\0-r\0a\0b", 10, "/bin/mv");
	caller_read(proc, 7, 0, &caller);
	assert_int_equal(caller.tool, CALLER_OTHER);
	clean(proc);
}

static const char at_root[] = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n";
static const char ours[] = "2 1 0:50 / /m rw - fuse.ferryfs s3://b rw\n";
static const char other[] = "3 1 0:51 / /o rw - fuse.ferryfs s3://c rw\n";
static const char over_ours[] = "4 2 0:9 / /m/d rw - tmpfs none rw\n";
static const char over_other[] = "5 3 0:9 / /o/d rw - tmpfs none rw\n";
static const char ours_over_other[] = "6 3 0:50 / /o/d rw - fuse.ferryfs s3://b rw\n";
static const char other_over_ours[] = "7 2 0:51 / /m/d rw - fuse.ferryfs s3://c rw\n";

static void test_only_mounts_over_ours_count(void **state)
{
	static const struct {
		const char *lines[4];
		unsigned minor;
		bool clear;
	} views[] = {
		{{at_root, ours, other}, 50, true},
		{{at_root, ours, other, over_ours}, 50, false},
		{{at_root, ours, other, over_other}, 50, true},
		{{at_root, ours, other, over_other}, 51, false},
		{{at_root, ours, other, ours_over_other}, 50, true},
		{{at_root, ours, other, other_over_ours}, 50, false},
		{{at_root, ours, other, other_over_ours}, 51, true},
		/* Which is ours is not known. */
		{{at_root, ours, other, over_other}, 0, false},
		{{at_root, ours, other}, 0, true},
	};
	char proc[] = "/tmp/ferryfs-proc.XXXXXX", dir[64], path[96], text[512];
	static const char *const names[] = {"mountinfo", "root", "cwd"};

	assert_non_null(mkdtemp(proc));
	snprintf(dir, sizeof(dir), "%s/7", proc);
	assert_int_equal(mkdir(dir, 0700), 0);
	for (unsigned i = 1; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		assert_int_equal(symlink("/", path), 0);
	}
	for (unsigned i = 0; i < sizeof(views) / sizeof(*views); i++) {
		size_t len = 0;

		for (unsigned line = 0; line < 4 && views[i].lines[line]; line++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", views[i].lines[line]);
		write_file(dir, "mountinfo", text, len);
		dev_t device = views[i].minor ? makedev(0, views[i].minor) : 0;

		assert_int_equal(caller_mounts_clear(proc, 7, device), views[i].clear);
	}
	for (unsigned i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		remove(path);
	}
	rmdir(dir);
	rmdir(proc);
}

static void test_nobody(void **state)
{
	struct caller caller;

	caller_read("/proc", 0, 0, &caller);
	assert_int_equal(caller.tool, CALLER_OTHER);
	assert_int_equal(caller.start, 0);
	caller_read("/proc", getpid(), 0, &caller);
	assert_int_equal(caller.tool, CALLER_OTHER);
	assert_int_not_equal(caller.start, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_that_never_skip),
		cmocka_unit_test(test_options_that_skip),
		cmocka_unit_test(test_gnu_cp_is_known),
		cmocka_unit_test(test_a_program_that_only_calls_itself_cp),
		cmocka_unit_test(test_operands),
		cmocka_unit_test(test_texts_that_are_not_enough),
		cmocka_unit_test(test_comm_and_exe_differ),
		cmocka_unit_test(test_only_mounts_over_ours_count),
		cmocka_unit_test(test_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
