/*
 * caller: which program asks, and whether it is one with later calls that still report earlier failures.
 *
 * Only GNU cp, mv and rm are answered before S3 has acknowledged, and only while every option of theirs is on
 * a list known never to skip a file silently: an option that makes them skip (-n, -u, -i, -x, --update, or an
 * abbreviation that might be one) breaks the reasoning by which an early answer stays truthful.
 *
 * Which program is GNU's cp?  Any program can have its name and its text, and one that ignores the error of close
 * would be believed.  So all of this has to hold, and what cannot be known is no: comm and the executable's name agree;
 * the executable is an ELF file of root's that nobody else can write, in directories of which the same is true
 * up to the process's root; it has in it the messages with which coreutils tells of a failed close and of what
 * it will not copy; and it is not uutils', which has other rules and many of the same words.
 *
 * Read from /proc/PID: stat (start time), comm, exe, cmdline, mountinfo, root, cwd.  That costs some hundred
 * microseconds and may block, so it is never done on the session's reading thread.  A value; nothing to free.
 * Any thread.
 */
#ifndef FERRYFS_FS_HOST_CALLER_H
#define FERRYFS_FS_HOST_CALLER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "s3/str.h"

enum caller_tool { CALLER_OTHER, CALLER_CP, CALLER_MV, CALLER_RM, CALLER_INSTALL };

struct caller {
	pid_t pid;
	uint64_t start; /* field 22 of /proc/PID/stat: tells a pid's next owner from this one */
	enum caller_tool tool; /* by comm and exe both, and the exe is GNU's */
	bool looks; /* a program that shows the content of a directory, or removes it, and copies nothing */
	bool plain; /* every option is on the list */
	bool recursive; /* -r, -R, -a or a long form is among them */
	bool forced; /* -f or --force is: rm asks nobody */
	/* Nothing is mounted over a directory or file of the mount `device`, where the process could meet it
	 * (fs/host/caller_mounts.h); false also where that is not known. */
	bool clear;
	dev_t device; /* as caller_read was given it */
	dev_t sources; /* of cp, mv: the device that every source operand is on; 0: several, or not known */
};

/* proc: "/proc", or a folder of the same shape in a test.  A process that cannot be seen (ended, or of a
 * namespace the daemon does not see: pid 0) is CALLER_OTHER with start 0. */
/* device: of the mount that is called; 0: not known, then each ferryfs mount counts as that one. */
void caller_read(const char *proc, pid_t pid, dev_t device, struct caller *ret);

/* Does this caller report a failed copy itself when close says so?  Others may ignore close: their
 * copy_file_range waits. */
bool caller_checks_close(const struct caller *caller);

enum { CALLER_SOURCES_MAX = 8 }; /* more operands than that are not looked at one by one */

/* A command line taken apart; the words lie in the given text. */
struct caller_words {
	bool recursive, forced;
	const char *sources[CALLER_SOURCES_MAX]; /* operands without the destination */
	unsigned count; /* of all sources, also of those that found no place */
};

const char *caller_tool_name(enum caller_tool tool); /* "cp"; "another" */

/* cmdline: the words, each followed by a NUL.  Are all options harmless for this tool?  *ret is set on true.
 */
bool caller_options_plain(enum caller_tool tool, struct str cmdline, struct caller_words *ret);

#endif
