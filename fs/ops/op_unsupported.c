/*
 * Files that S3 has no object for: links, devices, sockets.  mknod of a regular file is refused too:
 * open(O_CREAT) is how one is made, and the kernel sends CREATE for that.
 */
#include "fs/ops/ops.h"
#include "fs/request/reply.h"

#include <errno.h>

void op_symlink(fuse_req_t req, const char *link, fuse_ino_t parent, const char *name)
{
	hub_reply_err(req, -EPERM);
}

void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	hub_reply_err(req, -EPERM);
}

void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	hub_reply_err(req, -EPERM);
}
