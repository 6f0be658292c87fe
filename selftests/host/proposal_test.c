// SPDX-License-Identifier: GPL-2.0

/*
 * Source compatibility: an agent that uses only names of the proposal with sessions and
 * RESTORE_FD. It must compile, and send what this LUO expects. The numbers of the wire are
 * written by hand. Prints TAP.
 */

#include <linux/liveupdate.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "tap.h"

/* A name of the proposal means the same as ours. */
#define SAME(theirs, ours)	_Static_assert((theirs) == (ours), #theirs " is " #ours)
#define SAME_SIZE(theirs, ours)	SAME(sizeof(struct theirs), sizeof(struct ours))
#define SAME_AT(theirs, ours, m)					\
	SAME(offsetof(struct theirs, m), offsetof(struct ours, m));	\
	SAME(sizeof(((struct theirs *)0)->m), sizeof(((struct ours *)0)->m))

SAME(LIVEUPDATE_CMD_SESSION_RESTORE_FD, LIVEUPDATE_CMD_SESSION_RETRIEVE_FD);
SAME(LIVEUPDATE_SESSION_RESTORE_FD, LIVEUPDATE_SESSION_RETRIEVE_FD);
SAME(LIVEUPDATE_SESSION_RESTORE_FD,
     _IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_SESSION_RESTORE_FD));
SAME_SIZE(liveupdate_session_restore_fd, liveupdate_session_retrieve_fd);
SAME_AT(liveupdate_session_restore_fd, liveupdate_session_retrieve_fd, size);
SAME_AT(liveupdate_session_restore_fd, liveupdate_session_retrieve_fd, fd);
SAME_AT(liveupdate_session_restore_fd, liveupdate_session_retrieve_fd, token);

enum { DEVICE = 70, SESSION, RESTORED, RAM, TOKEN = 0x1234 };

/* One ioctl as the kernel sees it; a structure with a name has no token. */
struct seen {
	int fd;
	unsigned long request;
	uint32_t size, second;
	uint64_t token;
	const char *name;
};

static struct seen seen[16];
static unsigned int nr_seen;
static char names[16][64];

/* What the kernel writes to the second member: a descriptor, a state, or nothing. */
static void answer(unsigned long request, void *second)
{
	static const struct {
		unsigned long request;
		uint32_t value;
	} answers[] = {
		{ 0xba00, SESSION }, { 0xba01, SESSION }, { 0xba41, RESTORED },
		{ 0xba20, 2 }, { 0xba61, 2 },
	};
	unsigned int i;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (answers[i].request == request)
			memcpy(second, &answers[i].value, sizeof(answers[i].value));
}

/* In place of that of libc, and of the sanitizer's. */
int ioctl(int fd, unsigned long request, ...)
{
	struct seen *s = &seen[nr_seen];
	unsigned char *arg;
	va_list ap;

	va_start(ap, request);
	arg = va_arg(ap, unsigned char *);
	va_end(ap);
	if (nr_seen == sizeof(seen) / sizeof(seen[0]))
		abort();
	s->fd = fd;
	s->request = request;
	memcpy(&s->size, arg, sizeof(s->size));
	memcpy(&s->second, arg + 4, sizeof(s->second));
	if (s->size == 16)
		memcpy(&s->token, arg + 8, sizeof(s->token));
	if (s->size == 72)
		s->name = memcpy(names[nr_seen], arg + 8, sizeof(names[0]));
	nr_seen++;
	answer(request, arg + 4);
	return 0;
}

/* The agent, before the kexec and after it */

static int agent_event(int fd, unsigned long request, uint32_t event)
{
	struct liveupdate_session_set_event one = { .size = sizeof(one), .event = event };
	struct liveupdate_ioctl_set_event all = { .size = sizeof(all), .event = event };

	return request == LIVEUPDATE_IOCTL_SET_EVENT ? ioctl(fd, request, &all) :
						       ioctl(fd, request, &one);
}

static int agent_save(int device, int ram)
{
	struct liveupdate_ioctl_create_session create = { .size = sizeof(create) };
	struct liveupdate_session_preserve_fd preserve = { .size = sizeof(preserve) };
	struct liveupdate_session_unpreserve_fd unpreserve = {
		.size = sizeof(unpreserve), .reserved = 0, .token = TOKEN,
	};

	strcpy((char *)create.name, "vm");
	if (ioctl(device, LIVEUPDATE_IOCTL_CREATE_SESSION, &create))
		return -1;
	preserve.fd = ram;
	preserve.token = TOKEN;
	if (ioctl(create.fd, LIVEUPDATE_SESSION_PRESERVE_FD, &preserve) ||
	    ioctl(create.fd, LIVEUPDATE_SESSION_UNPRESERVE_FD, &unpreserve))
		return -1;
	if (ioctl(create.fd, LIVEUPDATE_SESSION_PRESERVE_FD, &preserve) ||
	    agent_event(create.fd, LIVEUPDATE_SESSION_SET_EVENT, LIVEUPDATE_PREPARE) ||
	    agent_event(device, LIVEUPDATE_IOCTL_SET_EVENT, LIVEUPDATE_CANCEL))
		return -1;
	return create.fd;
}

static int agent_restore(int device)
{
	struct liveupdate_ioctl_retrieve_session retrieve = { .size = sizeof(retrieve) };
	struct liveupdate_session_restore_fd restore = { .size = sizeof(restore) };

	strcpy((char *)retrieve.name, "vm");
	if (ioctl(device, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &retrieve))
		return -1;
	restore.token = TOKEN;
	if (ioctl(retrieve.fd, LIVEUPDATE_SESSION_RESTORE_FD, &restore) ||
	    agent_event(retrieve.fd, LIVEUPDATE_SESSION_SET_EVENT, LIVEUPDATE_FINISH))
		return -1;
	return restore.fd;
}

static enum liveupdate_state agent_state(int fd, unsigned long request)
{
	struct liveupdate_session_get_state one = { .size = sizeof(one) };
	struct liveupdate_ioctl_get_state all = { .size = sizeof(all) };

	if (request == LIVEUPDATE_IOCTL_GET_STATE)
		return ioctl(fd, request, &all) ? -1U : all.state;
	return ioctl(fd, request, &one) ? -1U : one.state;
}

static const struct seen want[] = {
	{ DEVICE, 0xba00, 72, 0, 0, "vm" },
	{ SESSION, 0xba40, 16, RAM, TOKEN, NULL },
	{ SESSION, 0xba60, 16, 0, TOKEN, NULL },
	{ SESSION, 0xba40, 16, RAM, TOKEN, NULL },
	{ SESSION, 0xba62, 8, 0, 0, NULL },
	{ DEVICE, 0xba21, 8, 3, 0, NULL },
	{ DEVICE, 0xba01, 72, 0, 0, "vm" },
	{ SESSION, 0xba41, 16, 0, TOKEN, NULL },
	{ SESSION, 0xba62, 8, 2, 0, NULL },
	{ DEVICE, 0xba20, 8, 0, 0, NULL },
	{ SESSION, 0xba61, 8, 0, 0, NULL },
};

#define NR_WANT	(sizeof(want) / sizeof(want[0]))

static void check_seen(const struct seen *is, const struct seen *as)
{
	if (!check(is->fd == as->fd && is->request == as->request && is->size == as->size &&
		   is->second == as->second && is->token == as->token &&
		   !is->name == !as->name && (!as->name || !strcmp(is->name, as->name)),
		   "call %d is 0x%lx", (int)(as - want), as->request))
		printf("# fd %d, 0x%lx, %u bytes, %u, token %#lx, name '%s'\n", is->fd,
		       is->request, is->size, is->second, (unsigned long)is->token,
		       is->name ?: "");
}

int main(void)
{
	unsigned int i;

	puts("TAP version 13");
	check(agent_save(DEVICE, RAM) == SESSION, "the agent saves");
	check(agent_restore(DEVICE) == RESTORED, "the agent gets its file back");
	check(agent_state(DEVICE, LIVEUPDATE_IOCTL_GET_STATE) == LIVEUPDATE_STATE_FROZEN,
	      "the agent reads the global state");
	check(agent_state(SESSION, LIVEUPDATE_SESSION_GET_STATE) == LIVEUPDATE_STATE_FROZEN,
	      "the agent reads the state of its session");
	check(nr_seen == NR_WANT, "the agent calls %u times", (unsigned int)NR_WANT);
	for (i = 0; i < NR_WANT && i < nr_seen; i++)
		check_seen(&seen[i], &want[i]);
	return end_tests();
}
