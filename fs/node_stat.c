#include "fs/node.h"

#include "fs/draft.h"

/* What programs are told to read and write at once: cp takes at least 128 KiB by itself. */
enum { STAT_BLOCK = 128 << 10 };

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
		/* One link: find(1) then doesn't take the count for one of subdirectories. */
		st.st_mode = S_IFDIR | (view ? view->dir_mode : 0700);
		if (view && node->view && node->view->closed)
			st.st_mode = S_IFDIR | (0700 & view->dir_mode);
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
		/* Rounded up: cp goes looking for holes where there are fewer blocks than bytes. */
		st.st_blocks = st.st_size / 512 + (st.st_size % 512 != 0);
	}
	st.st_atim = st.st_ctim = st.st_mtim;
	*ret = st;
}
