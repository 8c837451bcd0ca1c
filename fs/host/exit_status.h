/*
 * exit_status: what a command or a daemon of ferryfs exits with.
 */
#ifndef FERRYFS_FS_HOST_EXIT_STATUS_H
#define FERRYFS_FS_HOST_EXIT_STATUS_H

enum {
	EXIT_OK = 0,
	EXIT_SOME = 1, /* something failed, and a sentence on stderr says what */
	EXIT_USAGE = 2, /* the command's words are wrong; nothing was begun */
	EXIT_INTERRUPTED = 130, /* 128 + SIGINT, as a shell says it */
};

#endif
