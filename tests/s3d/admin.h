/*
 * The unsigned back door at /_s3d/ for tests:
 *
 *   GET  stats               counters as JSON (stats.h)
 *   POST reset               zeroes them
 *   GET  fault               the faults with their hit counts, JSON
 *   POST fault               adds the faults in the body, one specification a line (fault.h)
 *   DELETE fault             clears them, ends stalled requests; answers what GET would have
 *   POST hook, DELETE hook   the same for hooks
 *   POST set?NAME=VALUE&...  switches, latency, rates, credentials (server_set)
 *   POST release             what waits for its latency goes on at once; later requests have theirs
 *   POST seed?bucket=B[&prefix=P][&count=N][&size=S][&dirs=D][&depth=K][&random=1][&region=R]
 *             [&meta=NAME:VALUE]...[&content-type=T][&storage-class=C]      makes objects (seed.h)
 *   POST sparse?bucket=B&key=K&size=S    an object of zeros that takes no memory
 *   POST overwrite?bucket=B&key=K&text=T an object, behind everybody's back
 *   POST age?bucket=B&key=K&seconds=N     as if the object had been made earlier
 *   DELETE object?bucket=B&key=K         its removal
 *   GET  object?bucket=B&key=K           all that is known of it, JSON
 *   GET  keys?bucket=B[&prefix=P]        a line for each object:
 *        key (percent-encoded) TAB size TAB etag TAB storage class TAB content type TAB SHA-256 of attributes
 *        and tags
 *   GET  uploads             open multipart uploads, JSON
 *   POST quit                stops the server
 *
 * Strings that are no UTF-8 are percent-encoded in JSON.  Errors are 400 or 404 with a line of text.
 */
#ifndef S3D_ADMIN_H
#define S3D_ADMIN_H

struct req;

void admin_run(struct req *req);

#endif
