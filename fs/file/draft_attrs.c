/*
 * Mode, owner and times of a draft, where metadata keeps them (-o attrs=meta).
 *
 *   content       the attributes of its object
 *   uploaded      an existing file's mode and owner, or those that the file was made with; the attributes set
 *                 since; the time of the last write, unless a time was set after it
 *   COPY          the attributes in the source's metadata (S3 copies them), and the attributes set since
 *
 * Attributes that are set while S3 does not have the content yet are sent with it, and cost no request of
 * their own.  The call that sets them is answered at once: the close (or fsync) that stores the content
 * reports their failure as well.
 */
#include <errno.h>
#include <stdlib.h>

#include "fs/file/draft_internal.h"

static const struct attrs *source_attrs(const struct draft *draft)
{
	const struct node *source = draft->source.node;
	const struct node_attr *attr = &source->attr;

	if (!node_keeps_attrs(source) || source->draft || !attr->etag ||
		strcmp(attr->etag, draft->source.etag) != 0)
		return NULL;
	return attr->attrs;
}

void draft_attrs(const struct node *node, struct attrs *ret)
{
	const struct draft *draft = node->draft;
	const struct attrs *stored = draft->content == DRAFT_COPY ? source_attrs(draft) : node->attr.attrs;

	*ret = stored ? *stored : (struct attrs){0};
	if (draft->dirty && draft->content != DRAFT_COPY) {
		ret->has &= ATTRS_MODE | ATTRS_UID | ATTRS_GID;
		if (draft->attrs)
			attrs_merge(ret, &draft->attrs->made);
	}
	if (!(ret->has & ATTRS_MTIME)) {
		ret->mtime = draft->mtime;
		ret->has |= ATTRS_MTIME;
	}
	if (draft->attrs)
		attrs_merge(ret, &draft->attrs->set);
}

static int draft_attrs_want(struct draft *draft)
{
	if (!draft->attrs)
		draft->attrs = calloc(1, sizeof(*draft->attrs));
	return draft->attrs ? 0 : -ENOMEM;
}

int draft_set_attrs(struct draft *draft, const struct attrs *change)
{
	int error = draft_attrs_want(draft);

	if (error == 0)
		attrs_merge(&draft->attrs->set, change);
	return error;
}

int draft_made_by(struct draft *draft, const struct attrs *made)
{
	int error = draft_attrs_want(draft);

	if (error == 0)
		draft->attrs->made = *made;
	return error;
}

void draft_written(struct draft *draft)
{
	if (draft->attrs)
		draft->attrs->set.has &= ~(unsigned)(ATTRS_MTIME | ATTRS_CTIME);
}

int draft_store_attrs(const struct node *node, struct store_attrs **ret)
{
	const struct draft *draft = node->draft;
	struct store_attrs *attrs;

	*ret = NULL;
	if (!node_keeps_attrs(node))
		return 0;
	attrs = calloc(1, sizeof(*attrs));
	if (!attrs)
		return -ENOMEM;
	if (draft->attrs)
		attrs->set = draft->attrs->set;
	if (draft->content == DRAFT_COPY) {
		const struct attrs *source = source_attrs(draft);

		attrs->known = source;
		if (source)
			attrs->all = *source;
		attrs->replace = attrs->set.has != 0 && !(source && attrs_cover(source, &attrs->set));
	} else {
		draft_attrs(node, &attrs->all);
		attrs->known = true;
	}
	*ret = attrs;
	return 0;
}

void draft_attrs_stored(struct node *node, const struct store_attrs *attrs)
{
	struct draft *draft = node->draft;

	if (!attrs)
		return;
	node_set_attrs(node, attrs->known ? &attrs->all : NULL);
	if (attrs->known && (attrs->all.has & ATTRS_MTIME))
		draft->mtime = attrs->all.mtime;
	free(draft->attrs);
	draft->attrs = NULL;
}
