/*
 * json_text: texts that may hold any byte (paths, addresses), as JSON strings.
 *
 * JSON holds Unicode only; a path holds any byte but NUL.  So '%', control bytes and bytes outside ASCII are written as
 * %XX.  Pure; any thread.
 */
#ifndef FERRYFS_FS_HOST_JSON_TEXT_H
#define FERRYFS_FS_HOST_JSON_TEXT_H

#include <jansson.h>

enum { JSON_TEXT_MAX = 192 << 10 }; /* bytes of the written text */

/* The text as a JSON string; NULL: no memory, or too long. */
json_t *json_text_new(const char *text);
/* The text of such a string; *ret is the caller's.  -EINVAL for a value that is no string, or holds a NUL byte; -ENOMEM.
 */
int json_text_get(const json_t *value, char **ret);

#endif
