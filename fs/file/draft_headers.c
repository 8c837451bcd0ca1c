#include <errno.h>
#include <string.h>

#include "fs/core/place.h"
#include "fs/file/content_type.h"
#include "fs/file/draft_internal.h"

/* Metadata about the old content: rclone's and s3fs's times, rclone's and s3cmd's checksums.  These tools
 * would take the edited object for damaged, or for unchanged. */
static const char *const stale[] = {
	"x-amz-meta-mtime", "x-amz-meta-md5chksum", "x-amz-meta-s3cmd-attrs", "x-amz-meta-sha256"};

int draft_kept_headers(struct headers *headers, const char *storage_class)
{
	int error = 0;

	for (size_t i = 0; i < sizeof(stale) / sizeof(stale[0]) && error == 0; i++)
		error = headers_set(headers, str_of(stale[i]), STR_NONE);
	/* A directory bucket sets EXPRESS_ONEZONE by itself, and accepts it from no client. */
	if (error == 0 && storage_class[0] && strcmp(storage_class, "STANDARD") != 0 &&
		strcmp(storage_class, "EXPRESS_ONEZONE") != 0)
		error = headers_set(headers, STR("x-amz-storage-class"), str_of(storage_class));
	return error;
}

int draft_upload_headers(
	struct headers *headers, const struct place *place, bool keeps, const struct store_attrs *attrs)
{
	int error = keeps ? 0 : draft_new_headers(headers, place);

	if (error == 0)
		error = view_add_headers(place->view, headers);
	if (error == 0 && attrs)
		error = headers_set(headers, STR("x-amz-meta-ctime"), STR_NONE);
	if (error == 0 && attrs)
		error = attrs_write(&attrs->all, S_IFREG, headers);
	return error;
}

int draft_new_headers(struct headers *headers, const struct place *place)
{
	const struct view *view = place->view;
	const char *type = content_type_of(place_key(place));
	int error = headers_add(headers, STR("content-type"), str_of(type));

	if (error == 0 && view->storage_class)
		error = headers_add(headers, STR("x-amz-storage-class"), str_of(view->storage_class));
	return error;
}
