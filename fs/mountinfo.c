#include "fs/mountinfo.h"

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

struct line {
	dev_t dev;
	char *point, *type, *source;
};

/* "36 35 98:0 /root /point options [tag ...] - type source super-options"; cuts text up. */
static bool parse_line(char *text, struct line *ret)
{
	unsigned major_number, minor_number;
	char *fields[5], *save, *mark = strstr(text, " - ");

	if (!mark)
		return false;
	*mark = '\0';
	for (unsigned i = 0; i < 5; i++) {
		fields[i] = strtok_r(i ? NULL : text, " ", &save);
		if (!fields[i])
			return false;
	}
	if (sscanf(fields[2], "%u:%u", &major_number, &minor_number) != 2)
		return false;
	ret->dev = makedev(major_number, minor_number);
	ret->point = fields[4];
	ret->type = strtok_r(mark + 3, " \n", &save);
	ret->source = strtok_r(NULL, " \n", &save);
	if (!ret->type || !ret->source)
		return false;
	unescape(ret->point);
	unescape(ret->source);
	return true;
}

/* Calls visit for each mount until it returns true; was it? */
static bool each_mount(bool (*visit)(const struct line *line, void *user), void *user)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *text = NULL;
	size_t size = 0;
	bool found = false;

	if (!file)
		return false;
	while (!found && getline(&text, &size, file) > 0) {
		struct line line;

		if (parse_line(text, &line))
			found = visit(&line, user);
	}
	free(text);
	fclose(file);
	return found;
}

struct finding {
	const char *path;
	dev_t dev;
	bool found;
	struct mountinfo *ret;
};

static bool visit_path(const struct line *line, void *user)
{
	struct finding *finding = user;

	if (strcmp(line->point, finding->path) != 0)
		return false;
	finding->found = true;
	finding->ret->dev = line->dev;
	finding->ret->ferryfs = strcmp(line->type, MOUNTINFO_FSTYPE) == 0;
	snprintf(finding->ret->source, sizeof(finding->ret->source), "%s", line->source);
	return false; /* the last one is on top */
}

static bool visit_dev(const struct line *line, void *user)
{
	const struct finding *finding = user;

	return line->dev == finding->dev && strcmp(line->type, MOUNTINFO_FSTYPE) == 0;
}

int mountinfo_find(const char *path, struct mountinfo *ret)
{
	struct finding finding = {.path = path, .ret = ret};

	each_mount(visit_path, &finding);
	return finding.found ? 0 : -ENOENT;
}

bool mountinfo_is_ferryfs(dev_t dev)
{
	struct finding finding = {.dev = dev};

	return each_mount(visit_dev, &finding);
}
