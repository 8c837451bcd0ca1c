#include "fs/core/place.h"
#include "fs/host/path.h"
#include "fs/serve/views_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/log.h"
#include "fs/serve/hub_journal.h"

int views_new(const struct views_options *options, struct views **ret)
{
	struct views *views = calloc(1, sizeof(*views));

	if (!views)
		return -ENOMEM;
	views->hub = options->hub;
	views->dev = options->dev;
	views->paths = options->paths;
	views->home = strdup(options->home);
	if (!views->home) {
		free(views);
		return -ENOMEM;
	}
	*ret = views;
	return 0;
}

static void shown_free(struct shown *shown)
{
	free(shown->point);
	free(shown->nodes);
	free(shown);
}

void views_free(struct views *views)
{
	if (!views)
		return;
	for (unsigned i = 0; i < views->shown_count; i++)
		shown_free(views->shown[i]);
	for (unsigned i = 0; i < views->former_count; i++)
		shown_free(views->former[i]);
	for (unsigned i = 0; i < views->option_count; i++)
		view_unref(views->options[i]);
	for (unsigned i = 0; i < views->service_count; i++) {
		view_unref(views->services[i].base);
		account_unref(views->services[i].account);
	}
	free(views->home);
	free(views);
}

/* ---- accounts ---- */

static int add_service(struct views *views, struct account *account, char *why)
{
	struct service *service = &views->services[views->service_count];
	int error;

	if (views->service_count == VIEWS_ACCOUNTS_MAX) {
		snprintf(why, ACCOUNT_WHY_MAX,
			"more than %d accounts since this hub started; it starts anew when nothing is "
			"mounted",
			VIEWS_ACCOUNTS_MAX);
		return -E2BIG;
	}
	*service = (struct service){.account = account_ref(account)};
	error = view_new(&service->base);
	if (error == 0) {
		service->base->account = account_ref(account);
		service->base->hidden = service->base->closed = true;
		error = views_node_service(views, service);
	}
	if (error < 0) {
		view_unref(service->base);
		account_unref(account);
		snprintf(why, ACCOUNT_WHY_MAX, "the account: %s", strerror(-error));
		return error;
	}
	views->service_count++;
	return 0;
}

/* The known account that this one opens again, now with the credentials of this one; or this account
 * itself. */
static int find_service(
	struct views *views, const struct account_resolved *resolved, struct service **ret, char *why)
{
	struct account *account;
	int error = account_from_resolved(resolved, &account);

	if (error < 0) {
		snprintf(why, ACCOUNT_WHY_MAX, "memory is short");
		return error;
	}
	for (unsigned i = 0; i < views->service_count; i++) {
		struct service *service = &views->services[i];

		if (account_is_like(service->account, account)) {
			error = account_adopt(service->account, account);
			account_unref(account);
			if (error == 0)
				*ret = service;
			return error;
		}
	}
	error = add_service(views, account, why);
	account_unref(account);
	if (error == 0)
		*ret = &views->services[views->service_count - 1];
	return error;
}

/* ---- options ---- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_looks(const struct view *a, const struct view *b)
{
	return a->uid == b->uid && a->gid == b->gid && a->file_mode == b->file_mode &&
	       a->dir_mode == b->dir_mode && a->attrs_meta == b->attrs_meta &&
	       a->attrs_eperm == b->attrs_eperm && a->odd_keys == b->odd_keys;
}

static bool same_options(const struct view *a, const struct view *b)
{
	return a->account == b->account && same_text(a->source, b->source) && same_looks(a, b) &&
	       a->closed == b->closed && a->cache_ttl_ms == b->cache_ttl_ms && a->copy_ack == b->copy_ack &&
	       a->recognise == b->recognise && a->tags == b->tags && a->flush_after_ms == b->flush_after_ms &&
	       a->keep_open == b->keep_open && same_text(a->storage_class, b->storage_class) &&
	       headers_equal(&a->headers, &b->headers) && a->part_size == b->part_size &&
	       a->part_threshold == b->part_threshold;
}

/* The known view with these options; where there is none, takes `view`, by a ref. */
static int find_options(struct views *views, struct view *view, struct view **ret, char *why)
{
	for (unsigned i = 0; i < views->option_count; i++)
		if (same_options(views->options[i], view)) {
			*ret = views->options[i];
			return 0;
		}
	if (views->option_count == VIEWS_OPTIONS_MAX) {
		snprintf(why, ACCOUNT_WHY_MAX,
			"more than %d different views since this hub started; it starts anew when nothing is "
			"mounted",
			VIEWS_OPTIONS_MAX);
		return -E2BIG;
	}
	views->options[views->option_count++] = *ret = view_ref(view);
	return 0;
}

/* ---- reasons to refuse a view ---- */

static bool views_is_below(struct str key, struct str prefix)
{
	return str_has_prefix(key, prefix);
}

static bool overlap(const struct place *place, const struct s3_url *url)
{
	if (!place->bucket_len || !url->bucket[0])
		return true;
	if (!str_eq(place_bucket(place), str_of(url->bucket)))
		return false;
	return views_is_below(place_key(place), s3_url_key(url)) ||
	       views_is_below(s3_url_key(url), place_key(place));
}

static const char *difference(
	const struct shown *shown, const struct account *account, const struct view *view)
{
	const struct view *there = shown->view;

	if (there->account != account)
		return "another account (endpoint, region or access key)";
	if (there->uid != view->uid || there->gid != view->gid)
		return "another uid or gid";
	if (there->dir_mode != view->dir_mode || there->file_mode != view->file_mode)
		return "another umask, file_mode or dir_mode";
	if (there->attrs_meta != view->attrs_meta)
		return "another attrs option";
	if (there->attrs_eperm != view->attrs_eperm)
		return "another attrs_fail option";
	if (there->closed != view->closed && same_text(there->source, view->source))
		return "another allow_other option";
	return NULL;
}

static int check_overlap(
	struct views *views, const struct account *account, const struct view *view, char *why)
{
	for (unsigned i = 0; i < views->shown_count; i++) {
		const struct shown *shown = views->shown[i];
		struct place place;
		const char *what = difference(shown, account, view);

		if (!what || !account_same_service(shown->service->account, account) ||
			!views_place(views, shown, &place) || !overlap(&place, &view->url))
			continue;
		snprintf(why, ACCOUNT_WHY_MAX,
			"%.128s is shown at %.128s with %s, and a key can be only one file",
			shown->view->source, shown->point, what);
		return -EBUSY;
	}
	return 0;
}

/* Would a path that the daemon uses then lead into the daemon's own mount?  The daemon would wait for
 * itself. */
static int views_check_paths(
	struct views *views, const struct account_resolved *account, const char *point, char *why)
{
	const char *more[] = {
		account->ca_bundle, account->credentials_path, account->config_path, views->home};
	const char *below = NULL;

	for (const char *const *path = views->paths; *path && !below; path++)
		if (path_is_below(*path, point))
			below = *path;
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]) && !below; i++)
		if (more[i] && path_is_below(more[i], point))
			below = more[i];
	if (!below)
		return 0;
	snprintf(why, ACCOUNT_WHY_MAX, "%.200s is below the mount point %.200s", below, point);
	return -ELOOP;
}

static struct shown *views_find(const struct views *views, const char *point)
{
	struct shown *found = NULL;

	for (unsigned i = 0; i < views->shown_count; i++)
		if (strcmp(views->shown[i]->point, point) == 0)
			found = views->shown[i];
	return found;
}

static int views_check(struct views *views, const struct control_request *request, char *why)
{
	const struct shown *there = views_find(views, request->point);

	if (there) {
		snprintf(why, ACCOUNT_WHY_MAX, "%.200s: %.200s is already mounted there", request->point,
			there->view->source);
		return -EBUSY;
	}
	if (views->shown_count == VIEWS_SHOWN_MAX) {
		snprintf(why, ACCOUNT_WHY_MAX, "more than %d views", VIEWS_SHOWN_MAX);
		return -E2BIG;
	}
	return views_check_paths(views, &request->account, request->point, why);
}

/* ---- adding ---- */

static int name_path(const struct views *views, const struct shown *shown, struct buf *ret)
{
	hub_lock(views->hub);
	buf_add_text(ret, views->home);
	for (unsigned i = 0; i < shown->count; i++) {
		buf_add_char(ret, '/');
		buf_add(ret, shown->nodes[i]->name, shown->nodes[i]->name_len);
	}
	hub_unlock(views->hub);
	return ret->error;
}

static int views_show(struct views *views, struct shown *shown, struct buf *ret_path, char *why)
{
	int error = views_pin(views, shown, why);

	if (error < 0)
		return error;
	error = name_path(views, shown, ret_path);
	if (error < 0) {
		snprintf(why, ACCOUNT_WHY_MAX, "memory is short");
		views_unpin(views, shown);
		return error;
	}
	struct node *node = shown->nodes[shown->count - 1];

	views->shown[views->shown_count++] = shown;
	hub_lock(views->hub);
	const struct view *before = node_view(node);

	hub_unlock(views->hub);
	views_dress(views, node);
	if (!same_looks(before, shown->view) || before->closed != shown->view->closed)
		views_refresh(views, node);
	return 0;
}

int views_add(struct views *views, struct control_request *request, struct buf *ret_path, char *why)
{
	struct view *view = request->view;
	struct service *service = NULL;
	struct shown *shown;

	views_sync(views);
	int error = views_check(views, request, why);

	if (error == 0)
		error = find_service(views, &request->account, &service, why);
	if (!service)
		return error;
	shown = calloc(1, sizeof(*shown));
	if (!shown) {
		snprintf(why, ACCOUNT_WHY_MAX, "memory is short");
		return -ENOMEM;
	}
	if (view->url.bucket[0] && request->bucket_region[0])
		account_learn_region(
			service->account, str_of(view->url.bucket), str_of(request->bucket_region));
	shown->ro = view->ro;
	view->ro = false; /* the mount point's own, which the kernel knows */
	view->closed = !view->allow_other;
	view->account = account_ref(service->account);
	shown->service = service;
	shown->point = request->point;
	request->point = NULL;
	error = check_overlap(views, service->account, view, why);
	if (error == 0)
		views_drop_former(views, service->account, &view->url);
	if (error == 0)
		error = find_options(views, view, &shown->view, why);
	if (error == 0)
		error = views_show(views, shown, ret_path, why);
	if (error < 0)
		shown_free(shown);
	return error;
}

unsigned views_recover(struct views *views, const char *point)
{
	const struct shown *shown = views_find(views, point);

	return shown && !shown->ro ? hub_journal_begin(views->hub, shown->service->account) : 0;
}

/* No mount point leads to the view any more: its options leave its directory. */
static void undress(struct views *views, struct shown *shown)
{
	struct node *node = shown->nodes[shown->count - 1];

	hub_lock(views->hub);
	node_ref(node);
	hub_unlock(views->hub);
	views_dress(views, node);
	views_unpin(views, shown);
	hub_lock(views->hub);
	node_unref(views->hub->nodes, node);
	hub_unlock(views->hub);
	shown_free(shown);
}

static struct shown *views_take_out(struct shown **array, unsigned *count, unsigned at)
{
	struct shown *shown = array[at];

	--*count;
	memmove(array + at, array + at + 1, (*count - at) * sizeof(*array));
	return shown;
}

void views_drop_former(struct views *views, const struct account *account, const struct s3_url *url)
{
	for (unsigned i = views->former_count; i-- > 0;) {
		struct shown *shown = views->former[i];
		struct place place;

		hub_lock(views->hub);
		bool forgotten = shown->nodes[shown->count - 1]->lookups == 0;

		hub_unlock(views->hub);
		if (!forgotten && url)
			forgotten = account_same_service(shown->service->account, account) &&
				    (!views_place(views, shown, &place) || overlap(&place, url));
		if (forgotten)
			undress(views, views_take_out(views->former, &views->former_count, i));
	}
}

void views_remove(struct views *views, struct shown *shown)
{
	unsigned at = 0;

	while (views->shown[at] != shown)
		at++;
	views_take_out(views->shown, &views->shown_count, at);
	if (!shown->mounted) {
		undress(views, shown);
		return;
	}
	if (views->former_count == VIEWS_FORMER_MAX)
		undress(views, views_take_out(views->former, &views->former_count, 0));
	views->former[views->former_count++] = shown;
}

/* ---- questions ---- */

void views_asked(struct views *views, const char *point)
{
	views_sync(views);
	struct shown *shown = views_find(views, point);

	if (shown && !shown->mounted)
		views_remove(views, shown);
}

bool views_mounted(const struct views *views, const char *point)
{
	const struct shown *shown = views_find(views, point);

	return shown && shown->mounted;
}

bool views_unread(const struct views *views)
{
	return views->unread;
}

bool views_used(const struct views *views)
{
	return views->shown_count > 0 || views->others > 0;
}

bool views_settled(const struct views *views, const char *point)
{
	const struct shown *shown = views_find(views, point);
	struct place place;

	if (!shown || !views_place(views, shown, &place))
		return true;
	if (!place.bucket_len)
		return claims_count(views->hub->claims) == 0;
	return !claims_busy(
		views->hub->claims, shown->service->account, place_bucket(&place), place_key(&place), true);
}
