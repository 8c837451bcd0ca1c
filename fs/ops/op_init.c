#include "fs/ops/ops.h"

enum {
	INIT_MAX_WRITE = 1 << 20, /* libfuse's own limit: 256 pages */
	INIT_MAX_READAHEAD = 1 << 20,
	/* Parked reads and opens hold up all others once they are this many (measured with the default of
	 * 12), so far above the number in flight at once.  An unprivileged mount is held to
	 * fs.fuse.max_user_bgreq by the kernel. */
	INIT_BACKGROUND = 16384,
};

void op_init(void *userdata, struct fuse_conn_info *conn)
{
	const unsigned wanted = FUSE_CAP_READDIRPLUS | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_ASYNC_READ |
				FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_AUTO_INVAL_DATA |
				FUSE_CAP_HANDLE_KILLPRIV | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE;
	/* Always readdirplus: cp -r and ls -l need the attributes of every entry.  Requests are read, not
	 * spliced: most are smaller than a page, and a splice costs them two more system calls.  No
	 * write-back cache: the order of writes and copies is ours to know. */
	const unsigned unwanted = FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_SPLICE_READ |
				  FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_POSIX_ACL | FUSE_CAP_POSIX_LOCKS |
				  FUSE_CAP_FLOCK_LOCKS | FUSE_CAP_EXPLICIT_INVAL_DATA |
				  FUSE_CAP_NO_OPEN_SUPPORT | FUSE_CAP_NO_OPENDIR_SUPPORT;

	conn->want = (conn->want | (conn->capable & wanted)) & ~unwanted;
	conn->max_write = INIT_MAX_WRITE;
	if (conn->max_readahead > INIT_MAX_READAHEAD)
		conn->max_readahead = INIT_MAX_READAHEAD;
	conn->max_background = INIT_BACKGROUND;
	conn->congestion_threshold = INIT_BACKGROUND / 4 * 3;
	conn->time_gran = 1;
}
