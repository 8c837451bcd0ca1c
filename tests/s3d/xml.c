#include "tests/s3d/xml.h"
#include "tests/s3d/attrs.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdio.h>
#include <stdlib.h>

#define PARTS_MAX 10000
#define TAGS_MAX 10

static int parse(struct span text, const char *root, xmlDoc **ret)
{
	xmlDoc *doc;

	if (!text.n || text.n > INT32_MAX)
		return -EINVAL;
	doc = xmlReadMemory(
		text.p, (int)text.n, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (!doc)
		return -EINVAL;
	if (doc->intSubset || !xmlDocGetRootElement(doc) ||
		strcmp((const char *)xmlDocGetRootElement(doc)->name, root) != 0) {
		xmlFreeDoc(doc);
		return -EINVAL;
	}
	*ret = doc;
	return 0;
}

static bool is(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

/* Text of the child element; NULL when there is none.  xmlFree() it. */
static char *child_text(const xmlNode *node, const char *name)
{
	for (const xmlNode *child = node->children; child; child = child->next)
		if (is(child, name))
			return (char *)xmlNodeGetContent(child);
	return NULL;
}

int xml_location(struct span text, struct buf *region)
{
	xmlDoc *doc;
	char *value;
	int r = parse(text, "CreateBucketConfiguration", &doc);

	if (r < 0)
		return r;
	value = child_text(xmlDocGetRootElement(doc), "LocationConstraint");
	if (value)
		buf_str(region, value);
	xmlFree(value);
	xmlFreeDoc(doc);
	return region->failed ? -ENOMEM : 0;
}

static int read_tags(const xmlNode *set, struct buf *blob)
{
	size_t count = 0;

	for (const xmlNode *tag = set->children; tag; tag = tag->next) {
		char *key, *value;

		if (!is(tag, "Tag"))
			continue;
		key = child_text(tag, "Key");
		value = child_text(tag, "Value");
		if (key && *key && value && ++count <= TAGS_MAX)
			attrs_add(blob, span_of(key), span_of(value));
		else
			count = TAGS_MAX + 1;
		xmlFree(key);
		xmlFree(value);
		if (count > TAGS_MAX)
			return -EINVAL;
	}
	return blob->failed ? -ENOMEM : 0;
}

int xml_tagging(struct span text, struct buf *blob)
{
	xmlDoc *doc;
	int r = parse(text, "Tagging", &doc);

	if (r < 0)
		return r;
	r = -EINVAL;
	for (const xmlNode *set = xmlDocGetRootElement(doc)->children; set; set = set->next)
		if (is(set, "TagSet"))
			r = read_tags(set, blob);
	xmlFreeDoc(doc);
	return r;
}

static size_t count_children(const xmlNode *node, const char *name)
{
	size_t n = 0;

	for (const xmlNode *child = node->children; child; child = child->next)
		n += is(child, name);
	return n;
}

static int read_delete(const xmlNode *root, struct delete_list *list)
{
	for (const xmlNode *node = root->children; node; node = node->next) {
		if (is(node, "Quiet")) {
			char *text = (char *)xmlNodeGetContent(node);

			list->quiet = text && strcmp(text, "true") == 0;
			xmlFree(text);
		}
		if (is(node, "Object")) {
			struct delete_key *key = &list->keys[list->count++];

			key->key = child_text(node, "Key");
			key->etag = child_text(node, "ETag");
			key->version = child_text(node, "VersionId");
			if (!key->key || !*key->key)
				return -EINVAL;
		}
	}
	return list->count ? 0 : -EINVAL;
}

int xml_delete(struct span text, size_t max, struct delete_list *list)
{
	xmlNode *root;
	xmlDoc *doc;
	size_t count;
	int r = parse(text, "Delete", &doc);

	if (r < 0)
		return r;
	root = xmlDocGetRootElement(doc);
	count = count_children(root, "Object");
	r = -E2BIG;
	if (count > max)
		goto out;
	r = -ENOMEM;
	list->keys = calloc(count ? count : 1, sizeof(*list->keys));
	if (list->keys)
		r = read_delete(root, list);
out:
	xmlFreeDoc(doc);
	return r;
}

void delete_list_release(struct delete_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		xmlFree(list->keys[i].key);
		xmlFree(list->keys[i].etag);
		xmlFree(list->keys[i].version);
	}
	free(list->keys);
	*list = (struct delete_list){0};
}

static int read_part(const xmlNode *node, struct complete_part *part)
{
	char *number = child_text(node, "PartNumber"), *etag = child_text(node, "ETag"), *from = etag;
	int r = -EINVAL;

	if (number && etag) {
		size_t n;

		while (*from == '"')
			from++;
		n = strcspn(from, "\"");
		part->number = (unsigned)strtoul(number, NULL, 10);
		snprintf(part->etag, sizeof(part->etag), "%.*s", (int)n, from);
		r = 0;
	}
	xmlFree(number);
	xmlFree(etag);
	return r;
}

int xml_complete(struct span text, struct complete_part **ret, size_t *ret_count)
{
	struct complete_part *parts = NULL;
	xmlDoc *doc;
	size_t count, at = 0;
	int r = parse(text, "CompleteMultipartUpload", &doc);

	if (r < 0)
		return r;
	count = count_children(xmlDocGetRootElement(doc), "Part");
	r = -EINVAL;
	if (!count || count > PARTS_MAX)
		goto out;
	r = -ENOMEM;
	parts = calloc(count, sizeof(*parts));
	if (!parts)
		goto out;
	r = 0;
	for (const xmlNode *node = xmlDocGetRootElement(doc)->children; node && r == 0; node = node->next)
		if (is(node, "Part"))
			r = read_part(node, &parts[at++]);
	if (r < 0)
		goto out;
	*ret = parts;
	*ret_count = count;
	parts = NULL;
out:
	free(parts);
	xmlFreeDoc(doc);
	return r;
}
