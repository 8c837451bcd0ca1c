#include "fs/host/mountinfo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

/* Space, tab, newline and backslash come as octal escapes of three digits. */
static void unescape(char *text)
{
	char *to = text;

	while (*text) {
		unsigned value;

		if (text[0] == '\\' && sscanf(text + 1, "%3o", &value) == 1) {
			*to++ = (char)value;
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

/* FUSE shows "user_id=N" among the super options (fuse_show_options, fs/fuse/inode.c). */
static uid_t owner_of(const char *options)
{
	static const char word[] = "user_id=";
	const char *at = options ? strstr(options, word) : NULL;

	if (!at || (at > options && at[-1] != ','))
		return (uid_t)-1;
	return (uid_t)strtoul(at + strlen(word), NULL, 10);
}

/* "36 35 98:0 /root /point options [tag ...] - type source super-options"; cuts text up. */
static bool parse_line(char *text, struct mountinfo_line *ret)
{
	unsigned major_number, minor_number;
	char *fields[5], *type, *save, *mark = strstr(text, " - ");

	if (!mark)
		return false;
	*mark = '\0';
	for (unsigned i = 0; i < 5; i++) {
		fields[i] = strtok_r(i ? NULL : text, " ", &save);
		if (!fields[i])
			return false;
	}
	ret->id = (unsigned)strtoul(fields[0], NULL, 10);
	ret->parent = (unsigned)strtoul(fields[1], NULL, 10);
	if (sscanf(fields[2], "%u:%u", &major_number, &minor_number) != 2)
		return false;
	ret->dev = makedev(major_number, minor_number);
	ret->root = fields[3];
	ret->point = fields[4];
	type = strtok_r(mark + 3, " \n", &save);
	ret->source = strtok_r(NULL, " \n", &save);
	if (!type || !ret->source)
		return false;
	ret->owner = owner_of(strtok_r(NULL, " \n", &save));
	ret->ferryfs = strcmp(type, MOUNTINFO_FSTYPE) == 0;
	unescape(ret->root);
	unescape(ret->point);
	unescape(ret->source);
	return true;
}

int mountinfo_walk_file(
	const char *path, bool (*visit)(const struct mountinfo_line *line, void *user), void *user)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;
	bool found = false;
	int error = 0;

	if (!file)
		return -errno;
	while (!found && getline(&text, &size, file) > 0) {
		struct mountinfo_line line;

		if (parse_line(text, &line))
			found = visit(&line, user);
	}
	if (!found && !feof(file))
		error = -EIO;
	free(text);
	fclose(file);
	return found ? 1 : error;
}

int mountinfo_walk(bool (*visit)(const struct mountinfo_line *line, void *user), void *user)
{
	return mountinfo_walk_file("/proc/self/mountinfo", visit, user);
}

bool mountinfo_each(bool (*visit)(const struct mountinfo_line *line, void *user), void *user)
{
	return mountinfo_walk(visit, user) == 1;
}

struct finding {
	const char *path;
	dev_t dev;
	bool found;
	struct mountinfo *ret;
};

static bool visit_path(const struct mountinfo_line *line, void *user)
{
	struct finding *finding = user;

	if (strcmp(line->point, finding->path) != 0)
		return false;
	finding->found = true;
	finding->ret->dev = line->dev;
	finding->ret->id = line->id;
	finding->ret->ferryfs = line->ferryfs;
	finding->ret->owner = line->owner;
	snprintf(finding->ret->source, sizeof(finding->ret->source), "%s", line->source);
	return false; /* the last one is on top */
}

static bool visit_dev(const struct mountinfo_line *line, void *user)
{
	const struct finding *finding = user;

	return line->dev == finding->dev && line->ferryfs;
}

int mountinfo_find(const char *path, struct mountinfo *ret)
{
	struct finding finding = {.path = path, .ret = ret};

	int error = mountinfo_walk(visit_path, &finding);

	if (finding.found)
		return 0;
	return error < 0 ? error : -ENOENT;
}

bool mountinfo_is_ferryfs(dev_t dev)
{
	struct finding finding = {.dev = dev};

	return mountinfo_each(visit_dev, &finding);
}
