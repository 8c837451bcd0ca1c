/*
 * upload_internal: shared by upload.c and upload_parts.c.  Worker thread only.
 */
#ifndef FERRYFS_ENGINE_OBJECT_UPLOAD_INTERNAL_H
#define FERRYFS_ENGINE_OBJECT_UPLOAD_INTERNAL_H

#include "engine/object/upload.h"
#include "s3/parts.h"

void upload_finish(struct upload *upload, int error, const struct s3_answer *answer);
/* Lends the digests of its body to a request. */
static inline void upload_sums_set(struct s3_request *request, const struct body_sums *sums)
{
	request->body_sha256 = str_of(sums->sha256);
	request->body_md5 = sums->md5[0] ? str_of(sums->md5) : STR_NONE;
	request->sum_sha256 = !sums->md5[0];
}

/* upload_parts.c; ends with upload_finish, never from inside. */
void upload_parts_start(struct upload *upload);

#endif
