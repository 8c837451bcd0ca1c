/* Turns a request's reply into a response of libmicrohttpd, with what its verdict does to it. */
#ifndef S3D_SEND_H
#define S3D_SEND_H

#include "tests/s3d/request.h"

#include <microhttpd.h>

/* Queues the reply (which gives its text and body away); MHD_NO closes the connection. */
enum MHD_Result send_reply(struct req *req);

#endif
