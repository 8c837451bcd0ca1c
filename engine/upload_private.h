/*
 * upload_private: what upload.c and upload_parts.c share.  Worker thread only.
 */
#ifndef FERRYFS_ENGINE_UPLOAD_PRIVATE_H
#define FERRYFS_ENGINE_UPLOAD_PRIVATE_H

#include "engine/upload.h"
#include "s3/parts.h"

void upload_finish(struct upload *upload, int error, const struct s3_answer *answer);
/* The digest ("SHA256", "MD5") of a range of the file, in hex; ret has room for SHA256_HEX + 1.  -EIO when it
 * is shorter. */
int upload_digest(int fd, uint64_t start, uint64_t length, const char *name, char *ret);

/* upload_parts.c; ends with upload_finish, never from inside. */
void upload_parts_start(struct upload *upload);

#endif
