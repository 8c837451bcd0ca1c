/* What the two files of multipart operations share. */
#ifndef S3D_MULTIPART_H
#define S3D_MULTIPART_H

#include "tests/s3d/request.h"

/* AWS: part numbers 1 to 10,000; all but the last of at least 5 MiB. */
#define PART_NUMBER_MAX 10000
#define PART_SIZE_MIN ((uint64_t)5 << 20)

/* The upload this request names; NULL after filling in NoSuchUpload. */
struct upload *multipart_find(struct req *req);

#endif
