/* The command line of s3d. */
#ifndef S3D_OPTIONS_H
#define S3D_OPTIONS_H

#include "tests/s3d/http.h"
#include "tests/s3d/server.h"

struct options {
	struct http_options http; /* cert and key: texts of the files, owned */
	char *port_file; /* NULL: none */
	bool with_parent;
};

/*
 * Fills both; buckets and seeds are made at once.  Prints what is wrong and exits (2), as it does after
 * --help (0). options_release() afterwards.
 */
void options_parse(int argc, char **argv, struct server *server, struct options *options);
void options_release(struct options *options);

#endif
