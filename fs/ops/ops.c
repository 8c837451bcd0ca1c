#include "fs/ops/ops.h"

const struct fuse_lowlevel_ops ops_table = {
	.init = op_init,

	/* attributes */
	.getattr = op_getattr,
	.setattr = op_setattr,
	.statfs = op_statfs,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getxattr = op_getxattr,
	.listxattr = op_listxattr,
	.setxattr = op_setxattr,
	.removexattr = op_removexattr,

	/* directories */
	.lookup = op_lookup,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.readdirplus = op_readdirplus,
	.releasedir = op_releasedir,
	.fsyncdir = op_fsyncdir,

	/* names */
	.mkdir = op_mkdir,
	.rmdir = op_rmdir,
	.unlink = op_unlink,
	.symlink = op_symlink,
	.link = op_link,
	.mknod = op_mknod,
	.rename = op_rename,

	/* content */
	.open = op_open,
	.create = op_create,
	.read = op_read,
	.write_buf = op_write_buf,
	.copy_file_range = op_copy_file_range,
	.flush = op_flush,
	.fsync = op_fsync,
	.release = op_release,
	.fallocate = op_fallocate,
	.lseek = op_lseek,
};
