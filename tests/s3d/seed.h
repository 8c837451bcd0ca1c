/* Objects made in bulk, the same for the same arguments. */
#ifndef S3D_SEED_H
#define S3D_SEED_H

#include "tests/s3d/server.h"

struct seed {
	struct span bucket, region;
	struct span prefix; /* a / is added unless it is empty or ends in one */
	uint64_t count;
	uint64_t size; /* bytes each; from SEED_SPARSE on, zeros instead of text */
	bool random; /* sizes from 0 to twice `size` */
	uint64_t dirs; /* directories a level; 0: none */
	uint64_t depth; /* levels */
	struct attrs *attrs;
};

#define SEED_SPARSE ((uint64_t)64 << 20)
#define SEED_MAX 20000000

/*
 * Creates the bucket if it is missing, and PREFIX/dir0003/dir0001/file000017.txt, ...: file numbers run
 * through, the directories are filled one after the other.  0, -EINVAL, -ENOMEM.
 */
int seed_run(struct server *server, const struct seed *seed);

#endif
