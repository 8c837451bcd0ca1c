#include "engine/object/twins.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "engine/base/clock.h"

enum {
	ROUNDS_MAX = 3, /* rounds of looking, while another client changes the object */
	PROBE_BYTES = 16, /* of chance in the probe's name */
	PROBE_KEY_MAX = 64,
};

/* ---- the pairs that are known ---- */

struct known_twins {
	uint64_t serials[2]; /* of the accounts */
	char buckets[2][BUCKET_MAX + 1];
	enum twins_verdict verdict; /* UNKNOWN: free */
	uint64_t until_ms;
};

static pthread_mutex_t known_lock = PTHREAD_MUTEX_INITIALIZER; /* a leaf */
static struct known_twins known_pairs[TWINS_KNOWN_MAX]; /* protected by known_lock, as is known_next */
static unsigned known_next;

static bool is_name(const struct known_twins *known, unsigned at, const struct twins_name *name)
{
	return known->serials[at] == account_serial(name->account) &&
	       str_eq(str_of(known->buckets[at]), name->bucket);
}

/* known_lock held. */
static struct known_twins *find_known(const struct twins_name *a, const struct twins_name *b)
{
	for (unsigned i = 0; i < TWINS_KNOWN_MAX; i++) {
		struct known_twins *known = &known_pairs[i];

		if (known->verdict != TWINS_UNKNOWN &&
			((is_name(known, 0, a) && is_name(known, 1, b)) ||
				(is_name(known, 0, b) && is_name(known, 1, a))))
			return known;
	}
	return NULL;
}

enum twins_verdict twins_known(const struct twins_name *a, const struct twins_name *b)
{
	enum twins_verdict verdict = TWINS_UNKNOWN;

	if (str_eq(a->bucket, b->bucket) &&
		(a->account == b->account || account_same_service(a->account, b->account)))
		return TWINS_YES;
	pthread_mutex_lock(&known_lock);
	const struct known_twins *known = find_known(a, b);

	if (known && known->until_ms > clock_ms())
		verdict = known->verdict;
	pthread_mutex_unlock(&known_lock);
	return verdict;
}

void twins_learn(const struct twins_name *a, const struct twins_name *b, enum twins_verdict verdict)
{
	if (a->bucket.len > BUCKET_MAX || b->bucket.len > BUCKET_MAX)
		return;
	pthread_mutex_lock(&known_lock);
	struct known_twins *known = find_known(a, b);

	if (!known)
		known = &known_pairs[known_next++ % TWINS_KNOWN_MAX];
	known->serials[0] = account_serial(a->account);
	known->serials[1] = account_serial(b->account);
	snprintf(known->buckets[0], sizeof(known->buckets[0]), "%.*s", (int)a->bucket.len, a->bucket.data);
	snprintf(known->buckets[1], sizeof(known->buckets[1]), "%.*s", (int)b->bucket.len, b->bucket.data);
	known->verdict = verdict;
	known->until_ms = clock_ms() + TWINS_KNOWN_MS;
	pthread_mutex_unlock(&known_lock);
}

/* ---- the end ---- */

static void twins_finish(struct twins *twins)
{
	page_free(twins->page);
	twins->page = NULL;
	if (twins->verdict != TWINS_UNKNOWN)
		twins_learn(&twins->a, &twins->b, twins->verdict);
	else if (twins->error == 0)
		twins->error = -EBUSY;
	twins->on_done(twins);
}

/* Nothing was to be learnt of this request. */
static void keep_refusal(struct twins *twins, const struct call *call, const struct s3_answer *answer)
{
	twins->error = call->error;
	twins->answer = *answer;
}

static void ask(struct twins *twins, const struct twins_name *name, enum s3_op op,
	void (*on_done)(struct call *call, const struct s3_answer *answer))
{
	struct call *call = &twins->call;

	call_init(call);
	call->request.op = op;
	call->request.bucket = name->bucket;
	call->request.key = str_of(twins->probe);
	call->account = name->account;
	call->flags = twins->call_flags;
	call->on_done = on_done;
	call->user = twins;
}

/* ---- the probe ---- */

static void on_aborted(struct call *call, const struct s3_answer *answer)
{
	/* An upload that could not be aborted costs nothing: it has no part. */
	twins_finish(call->user);
}

static void abort_probe(struct twins *twins, enum twins_verdict verdict)
{
	twins->verdict = verdict;
	ask(twins, &twins->b, S3_ABORT_UPLOAD, on_aborted);
	twins->call.request.upload_id = str_of(twins->upload_id);
	call_start(twins->worker, &twins->call);
}

static bool shows_upload(const struct twins *twins)
{
	for (unsigned i = 0; i < twins->page->count; i++) {
		const struct page_entry *entry = &twins->page->entries[i];

		if (str_eq(entry->key, str_of(twins->probe)) && str_eq(entry->etag, str_of(twins->upload_id)))
			return true;
	}
	return false;
}

static void twins_list_uploads(struct twins *twins, const struct twins_name *name);

static void twins_on_listed(struct call *call, const struct s3_answer *answer)
{
	struct twins *twins = call->user;
	bool shown = call->error == 0 && shows_upload(twins);

	if (call->error < 0) {
		keep_refusal(twins, call, answer);
		abort_probe(twins, TWINS_UNKNOWN);
	} else if (twins->listed_b) {
		abort_probe(twins, shown ? TWINS_YES : twins->page->truncated ? TWINS_UNKNOWN : TWINS_NO);
	} else if (!shown) {
		/* A service that shows no uploads tells nothing by not showing this one. */
		abort_probe(twins, TWINS_UNKNOWN);
	} else {
		twins->listed_b = true;
		twins_list_uploads(twins, &twins->a);
	}
}

static void twins_list_uploads(struct twins *twins, const struct twins_name *name)
{
	ask(twins, name, S3_LIST_UPLOADS, twins_on_listed);
	/* MinIO lists the uploads of one key only, and wants that whole. */
	twins->call.request.prefix = str_of(twins->probe);
	twins->call.sinks.page = twins->page;
	call_start(twins->worker, &twins->call);
}

static void on_created(struct call *call, const struct s3_answer *answer)
{
	struct twins *twins = call->user;

	if (call->error < 0) {
		keep_refusal(twins, call, answer);
		twins_finish(twins);
		return;
	}
	snprintf(twins->upload_id, sizeof(twins->upload_id), "%s", answer->upload_id);
	twins_list_uploads(twins, &twins->b);
}

static int name_probe(struct twins *twins)
{
	unsigned char chance[PROBE_BYTES];
	size_t len = twins->prefix.len;

	if (len > KEY_MAX - PROBE_KEY_MAX)
		len = 0;
	if (getrandom(chance, sizeof(chance), 0) != (ssize_t)sizeof(chance))
		return -EIO;
	if (len > 0)
		memcpy(twins->probe, twins->prefix.data, len);
	len += (size_t)snprintf(twins->probe + len, PROBE_KEY_MAX, ".ferryfs-name-");
	for (unsigned i = 0; i < PROBE_BYTES; i++)
		len += (size_t)snprintf(twins->probe + len, 3, "%02x", chance[i]);
	return 0;
}

static void probe(struct twins *twins)
{
	twins->error = name_probe(twins);
	if (twins->error == 0)
		twins->error = page_new(&twins->page);
	if (twins->error < 0) {
		twins_finish(twins);
		return;
	}
	ask(twins, &twins->b, S3_CREATE_UPLOAD, on_created);
	call_start(twins->worker, &twins->call);
}

/* ---- looking ---- */

/* Was the call cancelled?  Then its caller no longer wants the verdict, and the look ends. */
static bool is_cancelled(struct twins *twins, const struct call *call, const struct s3_answer *answer)
{
	if (call->error != -ECANCELED)
		return false;
	keep_refusal(twins, call, answer);
	twins_finish(twins);
	return true;
}

/* Did S3 itself say that the object is, or is not, there?  (A front without a backend answers 404, too.) */
static bool is_told(const struct call *call, const struct s3_answer *answer)
{
	return call->error == 0 || (call->error == -ENOENT && answer->request_id[0]);
}

static void head(struct twins *twins, const struct twins_name *name,
	void (*on_done)(struct call *call, const struct s3_answer *answer))
{
	ask(twins, name, S3_HEAD_OBJECT, on_done);
	twins->call.request.key = twins->key;
	call_start(twins->worker, &twins->call);
}

#define SEE(seen, call, answer)                                                                              \
	do {                                                                                                 \
		(seen).error = (call)->error;                                                                \
		(seen).size = (answer)->size;                                                                \
		(seen).mtime = (answer)->mtime;                                                              \
		snprintf((seen).etag, sizeof((seen).etag), "%s", (answer)->etag);                            \
		snprintf((seen).version_id, sizeof((seen).version_id), "%s", (answer)->version_id);          \
	} while (0)

static bool is_seen_a(const struct twins *twins, const struct call *call, const struct s3_answer *answer)
{
	if (call->error != twins->seen_a.error)
		return false;
	return call->error < 0 ||
	       (answer->size == twins->seen_a.size && answer->mtime == twins->seen_a.mtime &&
		       strcmp(answer->etag, twins->seen_a.etag) == 0);
}

static void on_looked_b(struct call *call, const struct s3_answer *answer);

/* The two differed.  They are two if the first did not change meanwhile. */
static void on_looked_again(struct call *call, const struct s3_answer *answer)
{
	struct twins *twins = call->user;

	if (is_cancelled(twins, call, answer))
		return;
	if (is_told(call, answer) && is_seen_a(twins, call, answer)) {
		twins->verdict = TWINS_NO;
		twins_finish(twins);
	} else if (!is_told(call, answer) || ++twins->rounds >= ROUNDS_MAX) {
		probe(twins);
	} else {
		SEE(twins->seen_a, call, answer);
		head(twins, &twins->b, on_looked_b);
	}
}

static void on_looked_b(struct call *call, const struct s3_answer *answer)
{
	struct twins *twins = call->user;
	if (is_cancelled(twins, call, answer))
		return;
	bool alike = is_seen_a(twins, call, answer);

	SEE(twins->seen_b, call, answer);
	/* No two versions have one id, but "null". */
	bool versions = twins->seen_a.version_id[0] && twins->seen_b.version_id[0] &&
			strcmp(twins->seen_a.version_id, "null") != 0;

	if (is_told(call, answer) && !alike) {
		head(twins, &twins->a, on_looked_again);
	} else if (is_told(call, answer) && versions) {
		twins->verdict = strcmp(twins->seen_a.version_id, twins->seen_b.version_id) == 0 ? TWINS_YES
												 : TWINS_NO;
		twins_finish(twins);
	} else {
		probe(twins);
	}
}

static void on_looked_a(struct call *call, const struct s3_answer *answer)
{
	struct twins *twins = call->user;

	if (is_cancelled(twins, call, answer))
		return;
	SEE(twins->seen_a, call, answer);
	if (is_told(call, answer))
		head(twins, &twins->b, on_looked_b);
	else
		probe(twins);
}

static void run(struct task *task, struct worker *worker)
{
	struct twins *twins = (struct twins *)((char *)task - offsetof(struct twins, call.task));

	twins->verdict = twins_known(&twins->a, &twins->b);
	if (twins->verdict != TWINS_UNKNOWN)
		twins_finish(twins);
	else if (twins->key.len > 0)
		head(twins, &twins->a, on_looked_a);
	else
		probe(twins);
}

void twins_start(struct worker *worker, struct twins *twins)
{
	twins->worker = worker;
	call_init(&twins->call);
	twins->call.task.run = run;
	worker_post(worker, &twins->call.task);
}

/* ---- for a command's main thread ---- */

struct waiting {
	sem_t done;
};

static void on_waited(struct twins *twins)
{
	sem_post(&((struct waiting *)twins->user)->done);
}

enum twins_verdict twins_wait(struct engine *engine, struct twins *twins)
{
	struct waiting waiting;

	sem_init(&waiting.done, 0, 0);
	twins->on_done = on_waited;
	twins->user = &waiting;
	twins_start(engine_pick(engine), twins);
	while (sem_wait(&waiting.done) < 0 && errno == EINTR)
		continue;
	sem_destroy(&waiting.done);
	return twins->verdict;
}
