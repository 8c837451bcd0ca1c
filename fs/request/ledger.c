#include "fs/request/ledger.h"

#include <errno.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <fuse_lowlevel.h>

#include "engine/base/log.h"

struct ledger {
	pthread_mutex_t lock;
	struct ledger_entry *entries; /* in no order */
	size_t count, room;
	bool given_up; /* an entry is missing */
};

static struct ledger *watching_ledger; /* constant while the session runs */

struct ledger *ledger_new(void)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));

	if (ledger)
		pthread_mutex_init(&ledger->lock, NULL);
	return ledger;
}

void ledger_free(struct ledger *ledger)
{
	if (!ledger)
		return;
	pthread_mutex_destroy(&ledger->lock);
	free(ledger->entries);
	free(ledger);
}

static bool ledger_wants_answer(uint32_t opcode)
{
	return opcode != FUSE_FORGET && opcode != FUSE_BATCH_FORGET && opcode != FUSE_INTERRUPT &&
	       opcode != FUSE_NOTIFY_REPLY;
}

/* ledger->lock held. */
static bool ledger_make_room(struct ledger *ledger)
{
	size_t room = ledger->room ? ledger->room * 2 : 64;
	struct ledger_entry *entries;

	if (ledger->count < ledger->room)
		return true;
	entries = reallocarray(ledger->entries, room, sizeof(*entries));
	if (!entries)
		return false;
	ledger->entries = entries;
	ledger->room = room;
	return true;
}

void ledger_took(struct ledger *ledger, const void *message, size_t len)
{
	struct fuse_in_header in;

	if (len < sizeof(in))
		return;
	memcpy(&in, message, sizeof(in));
	if (!ledger_wants_answer(in.opcode))
		return;
	pthread_mutex_lock(&ledger->lock);
	if (ledger_make_room(ledger))
		ledger->entries[ledger->count++] =
			(struct ledger_entry){.unique = in.unique, .opcode = in.opcode};
	else
		ledger->given_up = true;
	pthread_mutex_unlock(&ledger->lock);
}

bool ledger_answer(struct ledger *ledger, const void *message, size_t len)
{
	struct fuse_out_header out;

	if (len < sizeof(out))
		return false;
	memcpy(&out, message, sizeof(out));
	if (out.unique == 0)
		return true; /* a notice */
	pthread_mutex_lock(&ledger->lock);
	size_t at = ledger->count;

	while (at > 0 && ledger->entries[at - 1].unique != out.unique)
		at--;
	/* An interrupt may be answered EAGAIN; its number is odd. */
	bool found = at > 0 || ledger->given_up || (out.unique & 1);

	if (at > 0)
		ledger->entries[at - 1] = ledger->entries[--ledger->count];
	pthread_mutex_unlock(&ledger->lock);
	return found;
}

size_t ledger_left(struct ledger *ledger, struct ledger_entry *ret)
{
	pthread_mutex_lock(&ledger->lock);
	size_t count = ledger->given_up ? 0 : ledger->count;

	if (count > 0)
		*ret = ledger->entries[0];
	pthread_mutex_unlock(&ledger->lock);
	return count;
}

/* ---- a session ---- */

static void ledger_check_answer(const void *message, size_t len)
{
	struct fuse_out_header out = {0};

	if (ledger_answer(watching_ledger, message, len))
		return;
	memcpy(&out, message, len < sizeof(out) ? len : sizeof(out));
	log_text(LOG_LEVEL_ERROR, "ledger: request %llu of the kernel is answered twice",
		(unsigned long long)out.unique);
	abort();
}

static ssize_t ledger_read(int fd, void *buf, size_t len, void *userdata)
{
	ssize_t got = read(fd, buf, len);

	if (got > 0)
		ledger_took(watching_ledger, buf, (size_t)got);
	return got;
}

static ssize_t ledger_writev(int fd, struct iovec *iov, int count, void *userdata)
{
	/* libfuse gives the header as a piece of its own. */
	ledger_check_answer(iov[0].iov_base, iov[0].iov_len);
	return writev(fd, iov, count);
}

/* The pipe holds a whole answer.  Only its bytes can be looked at, so they are written rather than spliced. */
static ssize_t ledger_splice_send(
	int from, off_t *from_off, int to, off_t *to_off, size_t len, unsigned flags, void *userdata)
{
	char *bytes = malloc(len);
	ssize_t moved = -1;

	if (!bytes) {
		errno = ENOMEM;
		return -1;
	}
	moved = read(from, bytes, len);
	if (moved > 0) {
		ledger_check_answer(bytes, (size_t)moved);
		moved = write(to, bytes, (size_t)moved);
	}
	int error = errno;

	free(bytes);
	errno = error;
	return moved;
}

int ledger_watch(struct ledger *ledger, struct fuse_session *session)
{
	const struct fuse_custom_io io = {
		.read = ledger_read, .writev = ledger_writev, .splice_send = ledger_splice_send};

	watching_ledger = ledger;
	return fuse_session_custom_io(session, &io, fuse_session_fd(session));
}

void ledger_close(struct ledger *ledger)
{
	struct ledger_entry entry;
	size_t left = ledger_left(ledger, &entry);

	if (left == 0)
		return;
	log_text(LOG_LEVEL_ERROR,
		"ledger: %zu requests of the kernel have no answer at the end: one is %llu, opcode %u", left,
		(unsigned long long)entry.unique, entry.opcode);
	abort();
}
