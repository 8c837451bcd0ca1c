#include "fs/control/control.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/object/object_option.h"
#include "fs/host/json_text.h"

static const char *const op_names[CONTROL_OP_COUNT] = {
	[CONTROL_HELLO] = "hello",
	[CONTROL_ADD] = "add",
	[CONTROL_MOUNTED] = "mounted",
	[CONTROL_SETTLE] = "settle",
	[CONTROL_STATUS] = "status",
};

static void wiping_free(void *memory)
{
	if (memory)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

void control_init(void)
{
	json_set_alloc_funcs(malloc, wiping_free);
}

/* ---- reading: the first error is kept, and nothing is read after it ---- */

struct message_fields {
	const json_t *object;
	char *why;
	int error;
	size_t known; /* how many of the object's fields were asked for */
};

static const json_t *control_get(struct message_fields *fields, const char *name)
{
	const json_t *value = json_object_get(fields->object, name);

	if (value)
		fields->known++;
	return value;
}

static void wrong(struct message_fields *fields, const char *name)
{
	if (fields->error)
		return;
	fields->error = -EINVAL;
	snprintf(fields->why, ACCOUNT_WHY_MAX, "a request without a good '%s'", name);
}

static bool get_flag(struct message_fields *fields, const char *name)
{
	const json_t *value = control_get(fields, name);

	if (value && !json_is_boolean(value))
		wrong(fields, name);
	return json_is_true(value);
}

static uint64_t get_number(struct message_fields *fields, const char *name, uint64_t max)
{
	const json_t *value = control_get(fields, name);
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < 0 || (uint64_t)number > max) {
		wrong(fields, name);
		return 0;
	}
	return (uint64_t)number;
}

/* NULL when the field is not there. */
static char *get_bytes(struct message_fields *fields, const char *name, size_t max)
{
	const json_t *value = control_get(fields, name);
	char *text = NULL;
	int error = value ? json_text_get(value, &text) : 0;

	if (error == -ENOMEM && !fields->error) {
		fields->error = error;
	} else if (error < 0 || (text && strlen(text) > max)) {
		wrong(fields, name);
		free(text);
		text = NULL;
	}
	return text;
}

static void get_into(struct message_fields *fields, const char *name, char *to, size_t size)
{
	char *text = get_bytes(fields, name, size - 1);

	if (text)
		strcpy(to, text);
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static void read_credentials(struct message_fields *fields, struct credentials *credentials)
{
	const json_t *token = control_get(fields, "token");

	if (get_flag(fields, "anonymous")) {
		*credentials = (struct credentials){.anonymous = true};
		return;
	}
	const char *key = json_string_value(control_get(fields, "access_key"));
	const char *secret = json_string_value(control_get(fields, "secret"));

	if (!key || !secret ||
		credentials_set(credentials, str_of(key), str_of(secret), str_of(json_string_value(token))) <
			0)
		wrong(fields, "access_key");
	credentials->expires = (int64_t)get_number(fields, "expires", INT64_MAX);
}

static bool region_ok(const char *region)
{
	return region[0] &&
	       strspn(region, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
		       strlen(region);
}

static void read_account(struct message_fields *fields, struct account_resolved *account)
{
	char *endpoint = get_bytes(fields, "endpoint", 2 * ENDPOINT_HOST_MAX + 32);

	if (!endpoint || endpoint_parse(endpoint, &account->endpoint) < 0)
		wrong(fields, "endpoint");
	free(endpoint);
	account->endpoint.addressing =
		(enum endpoint_addressing)get_number(fields, "addressing", ADDRESSING_VIRTUAL);
	account->by_region = get_flag(fields, "by_region");
	account->endpoint.variants =
		(unsigned)get_number(fields, "variants", ENDPOINT_FIPS | ENDPOINT_DUALSTACK);
	account->request_payer = get_flag(fields, "request_payer");
	account->from_environment = get_flag(fields, "from_environment");
	account->profile_named = get_flag(fields, "profile_named");
	account->no_sign_request = get_flag(fields, "no_sign_request");
	get_into(fields, "region", account->region, sizeof(account->region));
	if (!region_ok(account->region))
		wrong(fields, "region");
	get_into(fields, "profile", account->profile, sizeof(account->profile));
	account->ca_bundle = get_bytes(fields, "ca_bundle", CONTROL_PATH_MAX);
	account->credentials_path = get_bytes(fields, "credentials_path", CONTROL_PATH_MAX);
	account->config_path = get_bytes(fields, "config_path", CONTROL_PATH_MAX);
	read_credentials(fields, &account->credentials);
}

/* Makes the source's text anew, equal to the source that findmnt shows. */
static int control_set_source(struct view *view)
{
	const struct s3_url *url = &view->url;
	int len = (int)url->key_len;

	if (len > 0 && url->key[len - 1] == '/')
		len--;
	if (asprintf(&view->source, "s3://%s%s%.*s", url->bucket, len ? "/" : "", len, url->key) < 0) {
		view->source = NULL;
		return -ENOMEM;
	}
	return 0;
}

static void control_read_headers(struct message_fields *fields, struct headers *headers)
{
	const char *name;

	for (unsigned at = 0; !fields->error && (name = object_option_next_header(&at));) {
		char *value = get_bytes(fields, name, CONTROL_PATH_MAX);

		if (value && !object_option_header_ok(name, str_of(value)))
			wrong(fields, name);
		else if (value)
			fields->error = headers_set(headers, str_of(name), str_of(value));
		free(value);
	}
}

static void read_view(struct message_fields *fields, struct view *view)
{
	char *url = get_bytes(fields, "url", KEY_MAX + BUCKET_MAX + 16);

	if (!url || s3_url_parse(url, &view->url) < 0 ||
		(view->url.key_len > 0 && view->url.key[view->url.key_len - 1] != '/'))
		wrong(fields, "url");
	free(url);
	view->ro = get_flag(fields, "ro");
	view->allow_other = get_flag(fields, "allow_other");
	view->attrs_meta = get_flag(fields, "attrs_meta");
	view->attrs_eperm = get_flag(fields, "attrs_eperm");
	view->recognise = get_flag(fields, "recognise");
	view->uid = (uid_t)get_number(fields, "uid", UINT32_MAX);
	view->gid = (gid_t)get_number(fields, "gid", UINT32_MAX);
	view->file_mode = (mode_t)get_number(fields, "file_mode", 0777);
	view->dir_mode = (mode_t)get_number(fields, "dir_mode", 0777);
	view->cache_ttl_ms = (unsigned)get_number(fields, "cache_ttl_ms", UINT32_MAX);
	view->copy_ack = (enum copy_ack)get_number(fields, "copy_ack", COPY_ACK_CLOSE);
	view->odd_keys = (enum odd_keys)get_number(fields, "odd_keys", ODD_KEYS_HIDE);
	view->tags = (enum copy_tags)get_number(fields, "tags", COPY_TAGS_REQUIRED);
	view->flush_after_ms = (unsigned)get_number(fields, "flush_after_ms", UINT32_MAX);
	view->keep_open = get_number(fields, "keep_open", INT64_MAX);
	view->part_size = get_number(fields, "part_size", INT64_MAX);
	view->part_threshold = get_number(fields, "part_threshold", INT64_MAX);
	view->storage_class = get_bytes(fields, "storage_class", STORAGE_CLASS_MAX);
	control_read_headers(fields, &view->headers);
	if (!fields->error)
		fields->error = control_set_source(view);
}

/* Refuses a client that asks for an option unknown here. */
static void check_known(struct message_fields *fields)
{
	if (fields->error || fields->known == json_object_size(fields->object))
		return;
	fields->error = -EPROTONOSUPPORT;
	snprintf(fields->why, ACCOUNT_WHY_MAX,
		CONTROL_OTHER_VERSION "%d of the control protocol, which lacks an option that is asked for",
		CONTROL_ADD_VERSION);
}

static void read_add(struct control_request *ret, struct message_fields *fields)
{
	struct message_fields of_view = {.object = control_get(fields, "view"), .why = fields->why};
	struct message_fields of_account = {.object = control_get(fields, "account"), .why = fields->why};

	ret->namespace = get_number(fields, "namespace", INT64_MAX);
	ret->no_verify_tls = get_flag(fields, "no_verify_tls");
	get_into(fields, "bucket_region", ret->bucket_region, sizeof(ret->bucket_region));
	if (ret->bucket_region[0] && !region_ok(ret->bucket_region))
		wrong(fields, "bucket_region");
	if (!fields->error)
		fields->error = view_new(&ret->view);
	if (!fields->error) {
		read_view(&of_view, ret->view);
		check_known(&of_view);
		fields->error = of_view.error;
	}
	if (!fields->error) {
		read_account(&of_account, &ret->account);
		check_known(&of_account);
		fields->error = of_account.error;
	}
}

static int find_op(const json_t *object, enum control_op *ret)
{
	const char *name = json_string_value(json_object_get(object, "op"));

	for (unsigned op = 0; name && op < CONTROL_OP_COUNT; op++)
		if (strcmp(name, op_names[op]) == 0) {
			*ret = (enum control_op)op;
			return 0;
		}
	return -EINVAL;
}

/* Every component is one that a listing can have, so that a mount point is compared as text. */
static bool path_ok(const char *path)
{
	return path[0] == '/' && !strstr(path, "//") && !strstr(path, "/./") && !strstr(path, "/../");
}

int control_version(enum control_op op)
{
	return op == CONTROL_ADD ? CONTROL_ADD_VERSION : CONTROL_VERSION;
}

static int read_request(const json_t *object, struct control_request *ret, char *why)
{
	struct message_fields fields = {.object = object, .why = why, .known = 2};
	bool named = find_op(object, &ret->op) == 0;
	int version = named ? control_version(ret->op) : CONTROL_VERSION;

	if (json_integer_value(json_object_get(object, "ferryfs")) != version) {
		snprintf(why, ACCOUNT_WHY_MAX, CONTROL_OTHER_VERSION "%d of the control protocol", version);
		return -EPROTONOSUPPORT;
	}
	if (!named)
		wrong(&fields, "op");
	ret->point = get_bytes(&fields, "point", CONTROL_PATH_MAX);
	bool wanted = ret->op == CONTROL_ADD || ret->op == CONTROL_MOUNTED || ret->op == CONTROL_SETTLE;

	if (ret->point ? !path_ok(ret->point) : wanted)
		wrong(&fields, "point");
	if (!fields.error && ret->op == CONTROL_ADD) {
		read_add(ret, &fields);
		check_known(&fields);
	}
	if (fields.error == -ENOMEM)
		snprintf(why, ACCOUNT_WHY_MAX, "memory is short");
	return fields.error;
}

int control_parse(const char *line, size_t len, struct control_request *ret, char *why)
{
	json_error_t trouble;
	json_t *object;
	int error;

	*ret = (struct control_request){0};
	object = len < CONTROL_LINE_MAX ? json_loadb(line, len, JSON_REJECT_DUPLICATES, &trouble) : NULL;
	if (!json_is_object(object)) {
		snprintf(why, ACCOUNT_WHY_MAX, "not a request of ferryfs");
		error = -EINVAL;
	} else {
		error = read_request(object, ret, why);
	}
	json_decref(object);
	return error;
}

void control_request_release(struct control_request *request)
{
	free(request->point);
	view_unref(request->view);
	account_resolved_release(&request->account);
	*request = (struct control_request){0};
}

/* ---- writing ---- */

static int put_bytes(json_t *object, const char *name, const char *text)
{
	return text ? json_object_set_new(object, name, json_text_new(text)) : 0;
}

static int put_headers(json_t *object, const struct headers *headers)
{
	struct str name, value;
	size_t at = 0;
	int error = 0;

	while (error == 0 && headers_next(headers, &at, &name, &value))
		error = put_bytes(object, name.data, value.data);
	return error;
}

static json_t *view_object(const struct view *view)
{
	json_t *object = json_pack(
		"{s:b, s:b, s:b, s:b, s:b, s:I, s:I, s:i, s:i, s:I, s:i, s:i, s:I, s:I, s:I, s:I}", "ro",
		view->ro, "allow_other", view->allow_other, "attrs_meta", view->attrs_meta, "attrs_eperm",
		view->attrs_eperm, "recognise", view->recognise, "uid", (json_int_t)view->uid, "gid",
		(json_int_t)view->gid, "file_mode", (int)view->file_mode, "dir_mode", (int)view->dir_mode,
		"cache_ttl_ms", (json_int_t)view->cache_ttl_ms, "copy_ack", (int)view->copy_ack, "tags",
		(int)view->tags, "part_size", (json_int_t)view->part_size, "part_threshold",
		(json_int_t)view->part_threshold, "flush_after_ms", (json_int_t)view->flush_after_ms,
		"keep_open", (json_int_t)view->keep_open);
	char url[KEY_MAX + BUCKET_MAX + 16];

	if (object && json_object_set_new(object, "odd_keys", json_integer((int)view->odd_keys)) < 0) {
		json_decref(object);
		return NULL;
	}
	snprintf(url, sizeof(url), "s3://%s%s%s", view->url.bucket, view->url.key_len ? "/" : "",
		view->url.key);
	if (object && put_bytes(object, "url", url) == 0 &&
		put_bytes(object, "storage_class", view->storage_class) == 0 &&
		put_headers(object, &view->headers) == 0)
		return object;
	json_decref(object);
	return NULL;
}

static int put_credentials(json_t *object, const struct credentials *credentials)
{
	if (credentials->anonymous)
		return json_object_set_new(object, "anonymous", json_true());
	return json_object_set_new(object, "access_key", json_string(credentials->access_key)) ||
	       json_object_set_new(object, "secret", json_string(credentials->secret)) ||
	       json_object_set_new(object, "token", json_string(credentials->token)) ||
	       json_object_set_new(object, "expires", json_integer(credentials->expires));
}

static json_t *account_object(const struct account_resolved *account)
{
	struct buf url;
	json_t *object = json_pack("{s:i, s:i, s:b, s:b, s:b, s:b, s:b, s:s}", "addressing",
		(int)account->endpoint.addressing, "variants", (int)account->endpoint.variants, "by_region",
		account->by_region, "request_payer", account->request_payer, "from_environment",
		account->from_environment, "profile_named", account->profile_named, "no_sign_request",
		account->no_sign_request, "region", account->region);

	buf_init(&url, 4096);
	endpoint_url(&account->endpoint, &url);
	bool good = object && !url.error && put_bytes(object, "endpoint", buf_text(&url)) == 0 &&
		    put_bytes(object, "profile", account->profile) == 0 &&
		    put_bytes(object, "ca_bundle", account->ca_bundle) == 0 &&
		    put_bytes(object, "credentials_path", account->credentials_path) == 0 &&
		    put_bytes(object, "config_path", account->config_path) == 0 &&
		    put_credentials(object, &account->credentials) == 0;

	buf_release(&url);
	if (good)
		return object;
	json_decref(object);
	return NULL;
}

int control_format(const struct control_request *request, struct buf *ret)
{
	json_t *object =
		json_pack("{s:i, s:s}", "ferryfs", control_version(request->op), "op", op_names[request->op]);
	int error = object && put_bytes(object, "point", request->point) == 0 ? 0 : -ENOMEM;

	if (error == 0 && request->op == CONTROL_ADD &&
		(json_object_set_new(object, "namespace", json_integer((json_int_t)request->namespace)) ||
			json_object_set_new(object, "no_verify_tls", json_boolean(request->no_verify_tls)) ||
			put_bytes(object, "bucket_region", request->bucket_region) ||
			json_object_set_new(object, "view", view_object(request->view)) ||
			json_object_set_new(object, "account", account_object(&request->account))))
		error = -ENOMEM;
	char *line = error == 0 ? json_dumps(object, JSON_COMPACT) : NULL;

	if (error == 0 && !line)
		error = -ENOMEM;
	if (error == 0)
		error = buf_add_text(ret, line);
	if (error == 0)
		error = buf_add_char(ret, '\n');
	wiping_free(line);
	json_decref(object);
	return error;
}
