#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include "engine/wire/mailbox.h"

static bool readable(struct mailbox *box)
{
	struct pollfd fd = {.fd = box->event, .events = POLLIN};

	return poll(&fd, 1, 0) == 1;
}

static void test_order(void **state)
{
	struct task tasks[3] = {0};
	struct mailbox box;

	assert_int_equal(mailbox_init(&box), 0);
	assert_null(mailbox_take(&box));
	tasks[0].next = &tasks[1];
	mailbox_post(&box, &tasks[0]);
	mailbox_post(&box, &tasks[2]);
	assert_ptr_equal(mailbox_take(&box), &tasks[0]);
	assert_ptr_equal(tasks[0].next, &tasks[1]);
	assert_ptr_equal(tasks[1].next, &tasks[2]);
	assert_null(tasks[2].next);
	assert_null(mailbox_take(&box));
	mailbox_release(&box);
}

static void test_woken_once(void **state)
{
	struct task tasks[2] = {0};
	struct mailbox box;

	assert_int_equal(mailbox_init(&box), 0);
	assert_false(readable(&box));
	mailbox_post(&box, NULL);
	assert_false(readable(&box));
	mailbox_post(&box, &tasks[0]);
	assert_true(readable(&box));
	mailbox_hush(&box);
	/* Not empty: no second wake-up. */
	mailbox_post(&box, &tasks[1]);
	assert_false(readable(&box));
	mailbox_take(&box);
	tasks[0].next = NULL;
	mailbox_post(&box, &tasks[0]);
	assert_true(readable(&box));
	mailbox_take(&box);
	mailbox_release(&box);
}

enum { POSTERS = 4, EACH = 20000 };

struct poster {
	struct mailbox *box;
	struct task tasks[EACH];
};

static void *post_all(void *user)
{
	struct poster *poster = user;

	for (unsigned i = 0; i < EACH; i++)
		mailbox_post(poster->box, &poster->tasks[i]);
	return NULL;
}

/* Every task comes once, each poster's in its order, and no wake-up is lost. */
static void test_many_posters(void **state)
{
	static struct poster posters[POSTERS];
	pthread_t threads[POSTERS];
	unsigned got = 0, at[POSTERS] = {0};
	struct mailbox box;

	assert_int_equal(mailbox_init(&box), 0);
	for (unsigned i = 0; i < POSTERS; i++) {
		posters[i].box = &box;
		pthread_create(&threads[i], NULL, post_all, &posters[i]);
	}
	while (got < POSTERS * EACH) {
		struct pollfd fd = {.fd = box.event, .events = POLLIN};

		assert_int_equal(poll(&fd, 1, 20000), 1);
		mailbox_hush(&box);
		for (struct task *task = mailbox_take(&box), *next; task; task = next) {
			next = task->next;
			for (unsigned i = 0; i < POSTERS; i++) {
				if (task >= posters[i].tasks && task < posters[i].tasks + EACH)
					assert_int_equal(task - posters[i].tasks, at[i]++);
			}
			got++;
		}
	}
	for (unsigned i = 0; i < POSTERS; i++)
		pthread_join(threads[i], NULL);
	mailbox_release(&box);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_woken_once),
		cmocka_unit_test(test_many_posters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
