/* The views as the kernel has them mounted. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "fs/serve/hub_status.h"
#include "fs/host/mountinfo.h"
#include "fs/serve/views_internal.h"

/* A number that is used again is another mount's, at another place; a mount that was moved keeps its number.
 */
static struct shown *match(struct views *views, const struct mountinfo_line *line)
{
	for (unsigned i = 0; i < views->shown_count; i++) {
		struct shown *shown = views->shown[i];

		if (!shown->seen &&
			(shown->mounted ? shown->mount == line->id : strcmp(shown->point, line->point) == 0))
			return shown;
	}
	return NULL;
}

static void follow(struct shown *shown, const struct mountinfo_line *line)
{
	shown->seen = true;
	shown->mount = line->id;
	if (!shown->mounted)
		log_text(LOG_LEVEL_INFO, "mounted %s on %s", shown->view->source, shown->point);
	shown->mounted = true;
	if (strcmp(shown->point, line->point) != 0) {
		char *point = strdup(line->point);

		if (point) {
			free(shown->point);
			shown->point = point;
		}
	}
}

static bool views_mounts_visit(const struct mountinfo_line *line, void *user)
{
	struct views *views = user;

	if (line->dev != views->dev || !line->ferryfs || strcmp(line->point, views->home) == 0)
		return false;
	struct shown *shown = match(views, line);

	if (shown)
		follow(shown, line);
	else
		views->others++;
	return false;
}

void views_sync(struct views *views)
{
	for (unsigned i = 0; i < views->shown_count; i++)
		views->shown[i]->seen = false;
	views->others = 0;
	/* If the list could not be read, all mounts count as still there; the control thread looks again. */
	views->unread = mountinfo_walk(views_mounts_visit, views) < 0;
	if (views->unread)
		return;
	for (unsigned i = views->shown_count; i-- > 0;) {
		struct shown *shown = views->shown[i];

		if (shown->mounted && !shown->seen) {
			log_text(LOG_LEVEL_INFO, "unmounted %s from %s", shown->view->source, shown->point);
			views_remove(views, shown);
		}
	}
	views_drop_former(views, NULL, NULL);
}

/* ---- taking the mounts away ---- */

enum { DETACH_MAX = 1024 };

struct detaching {
	struct views *views;
	char *point;
	unsigned parents[DETACH_MAX]; /* mounts of ours */
	unsigned parent_count;
};

/* The first mount that is not inside another one of ours: to look up the path of an inner one the kernel
 * would ask us, and we do not answer any more.  An inner mount goes with its outer one. */
static bool find_outer(const struct mountinfo_line *line, void *user)
{
	struct detaching *detaching = user;
	bool inside = false;

	if (line->dev != detaching->views->dev || !line->ferryfs ||
		strcmp(line->point, detaching->views->home) == 0)
		return false;
	for (unsigned i = 0; i < detaching->parent_count; i++)
		inside |= detaching->parents[i] == line->parent;
	if (detaching->parent_count < DETACH_MAX)
		detaching->parents[detaching->parent_count++] = line->id;
	if (inside)
		return false;
	detaching->point = strdup(line->point);
	return true;
}

void views_detach(struct views *views)
{
	for (unsigned i = 0; i < DETACH_MAX; i++) {
		struct detaching detaching = {.views = views};

		mountinfo_each(find_outer, &detaching);
		if (!detaching.point)
			break;
		bool gone = umount2(detaching.point, MNT_DETACH | UMOUNT_NOFOLLOW) == 0;

		if (!gone)
			log_text(LOG_LEVEL_ERROR, "cannot unmount %s: %s", detaching.point, strerror(errno));
		free(detaching.point);
		if (!gone)
			break;
	}
	views_detach_home(views);
}

void views_detach_home(struct views *views)
{
	struct mountinfo info;
	int error = mountinfo_find(views->home, &info);

	/* A list that can't be read does not make it stay: no other program mounts on a name that we made. */
	if (error == 0 ? info.dev == views->dev : error != -ENOENT)
		umount2(views->home, MNT_DETACH | UMOUNT_NOFOLLOW);
	rmdir(views->home);
}

/* ---- status ---- */

static json_t *views_mounts_one(const struct shown *shown)
{
	json_t *object = control_view(shown->view, shown->point, shown->nodes[0]->name, shown->ro);

	if (json_object_set_new(object, "allow_other", json_boolean(!shown->view->closed)) ||
		json_object_set_new(object, "mounted", json_boolean(shown->mounted))) {
		json_decref(object);
		object = NULL;
	}
	return object;
}

json_t *views_status(const struct views *views, const char *point)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < views->shown_count; i++)
		if (!point || strcmp(views->shown[i]->point, point) == 0)
			json_array_append_new(array, views_mounts_one(views->shown[i]));
	return array;
}
