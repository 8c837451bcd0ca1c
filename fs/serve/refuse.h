/*
 * refuse: answers for requests of the kernel that no thread will serve any more.
 */
#ifndef FERRYFS_FS_SERVE_REFUSE_H
#define FERRYFS_FS_SERVE_REFUSE_H

/* Waits at most limit_ms for a request on a FUSE descriptor and answers it with EIO.  Any thread, while no
 * other one reads. */
void refuse_one(int fd, unsigned limit_ms);

#endif
