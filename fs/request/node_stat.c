#include "fs/request/node_stat.h"

#include "fs/file/draft.h"

/* The size (st_blksize) that programs are told to read and write at once: cp takes at least 128 KiB by
 * itself. */
enum { STAT_BLOCK = 128 << 10 };

void node_made_by(const struct node *parent, uid_t uid, gid_t gid, mode_t mode, struct attrs *ret)
{
	struct stat st;

	node_stat(parent, &st);
	*ret = (struct attrs){
		.has = ATTRS_MODE | ATTRS_UID | ATTRS_GID, .mode = mode & ALLPERMS, .uid = uid, .gid = gid};
	/* As on any file system: the new entry inherits the group, and a new directory also inherits the
	 * set-group-ID bit. */
	if (st.st_mode & S_ISGID) {
		ret->gid = st.st_gid;
		if (S_ISDIR(mode))
			ret->mode |= S_ISGID;
	}
}

static void show_kept(const struct node *node, struct stat *st)
{
	struct attrs attrs;

	if (node->draft) {
		draft_attrs(node, &attrs);
		attrs_show(&attrs, st);
	} else if (node->attr.attrs) {
		attrs_show(node->attr.attrs, st);
	}
}

void node_stat(const struct node *node, struct stat *ret)
{
	const struct view *view = node_view(node);
	struct stat st = {.st_ino = node->ino, .st_blksize = STAT_BLOCK, .st_nlink = 1};

	st.st_mtim.tv_sec = node->attr.mtime;
	st.st_mtim.tv_nsec = node->attr.mtime_nsec;
	if (view) {
		st.st_uid = view->uid;
		st.st_gid = view->gid;
	}
	if (node_is_dir(node)) {
		/* One link: find(1) then does not take the count for the number of subdirectories. */
		st.st_mode = S_IFDIR | (view ? view->dir_mode : 0700);
		if (node->attr.mtime == 0 && view)
			st.st_mtim.tv_sec = view->since;
	} else {
		st.st_mode = S_IFREG | (view ? view->file_mode : 0644);
		st.st_size = (off_t)node->attr.size;
		if (node->draft) {
			st.st_size = (off_t)draft_size(node->draft);
			st.st_mtim = draft_mtime(node->draft);
		}
		if (node->gone)
			st.st_nlink = 0;
		/* Rounded up: cp searches a file for holes if its blocks cover fewer bytes than its size. */
		st.st_blocks = st.st_size / 512 + (st.st_size % 512 != 0);
	}
	st.st_atim = st.st_ctim = st.st_mtim;
	if (node->view && node->view->closed)
		st.st_mode = S_IFDIR | (0700 & node->view->dir_mode); /* regardless of its marker's mode */
	else if (node_keeps_attrs(node))
		show_kept(node, &st);
	*ret = st;
}
