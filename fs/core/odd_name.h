/*
 * odd_name: names for keys that no file name can stand for, with -o odd_keys=escape.
 *
 *   part of a key, between two "/"        is shown as
 *   a part that can be a name             itself
 *   empty, ".", "..", with a NUL, or      "%!" and the part, in which "%" is %25 and NUL is %00
 *   beginning with "%!" or "%="
 *   an object "a" beside a directory "a"  "%=a"
 *
 * An object that was met or made here as "%=a" keeps that name for as long as it is known here, also before its
 * directory is there and after that has gone: an object never has two names at a time, by which a program
 * could take it for two files.
 *
 * So "x//y" is the directory "%!" with y in it.  Each part has one name and each name one part: "%!a", which
 * would be another name of "a", is none.  A part whose name would be longer than 255 bytes has none.  Pure.
 */
#ifndef FERRYFS_FS_CORE_ODD_NAME_H
#define FERRYFS_FS_CORE_ODD_NAME_H

#include "s3/key.h"

enum odd_keys {
	ODD_KEYS_ERROR, /* not shown, and a listing that leaves some out ends with EIO for what may copy it */
	ODD_KEYS_ESCAPE, /* shown by the table above; what has no name even then as with ODD_KEYS_ERROR */
	ODD_KEYS_HIDE, /* not shown; the log has it */
};

struct odd_text {
	size_t len;
	char text[KEY_NAME_MAX + 1];
};

/* The name of a part; *ret lies in buf or is the part itself.  False: it has none. */
bool odd_name(struct str part, struct odd_text *buf, struct str *ret);
/* The name of an object that a directory of the same name hides. */
bool odd_name_beside(struct str part, struct odd_text *buf, struct str *ret);
/* The part that a name stands for; *ret lies in buf or is the name itself, and may be empty.  False: none. */
bool odd_part(struct str name, struct odd_text *buf, struct str *ret);
/* Can it only be a file, or only a directory? */
bool odd_is_file(struct str name);
bool odd_is_dir(struct str name);

#endif
