/*
 * place: where a node is in S3.
 */
#ifndef FERRYFS_FS_CORE_PLACE_H
#define FERRYFS_FS_CORE_PLACE_H

#include "fs/core/node.h"

/* Where a node is in S3, copied out so that it can be used without the lock. */
struct place {
	struct view *view; /* lent while the node lives */
	struct account *account; /* lent likewise */
	size_t bucket_len, key_len;
	char bucket[BUCKET_MAX + 1];
	char key[KEY_MAX + 2]; /* a directory's ends in "/"; "" for a bucket's root */
};

/* -ENAMETOOLONG when the key would pass KEY_MAX; -EPERM for nodes above buckets. */
int node_place(const struct node *node, struct place *ret);
/* The place of a child of this name that need not exist; as_dir appends "/". */
int node_child_place(const struct node *parent, struct str name, bool as_dir, struct place *ret);

/* Puts a copy of `now` at *at (NULL at first; owned, for free()) that takes no more memory than its key
 * needs, a fifth of a struct place: thousands of requests keep two each.  Sets *ret_changed when there was
 * none, or one of another key or bucket; -ENOMEM leaves what there was. */
int place_keep(struct place **at, const struct place *now, bool *ret_changed);

static inline struct str place_bucket(const struct place *place)
{
	return str_n(place->bucket, place->bucket_len);
}

static inline struct str place_key(const struct place *place)
{
	return str_n(place->key, place->key_len);
}

/* Are both the same key of the same bucket's name?  Accounts are not compared: those of one node's two places are one. */
static inline bool place_same_key(const struct place *a, const struct place *b)
{
	return str_eq(place_key(a), place_key(b)) && str_eq(place_bucket(a), place_bucket(b));
}

#endif
