/* SPDX-License-Identifier: GPL-2.0 */

/*
 * What the rows of the table of errors are made with: sessions, arguments that are right
 * but for what a row changes, and calls that wait.
 */

#ifndef ERRNO_TEST_H
#define ERRNO_TEST_H

#include "table_test.h"

#include "luo_fail.h"

#include <signal.h>

enum { GLOBAL = false, SESSION = true };

/* Tokens of the incoming sessions "in" and that of the device; 1 is a file as any. */
#define FAILS	2
#define WAITS	3
#define STAYS	4
#define NO_MEMORY	5
/* A workload that is marked as paused */
#define PAUSED	"errno-test"
#define SLOW_US	15000000	/* in which all calls that wait are made */

/* What calls are made on; each row has its own, unless it stays. */
struct context {
	int dev, out, in, file, mark, nth;
	bool stays;
	pid_t slow, rebooter;
};

/* A row that is walked. */
struct row {
	const struct error_row *row;
	const struct call_row *call;	/* NULL if it is no ioctl */
	struct context *c;
	int fd;
};

/*
 * How to get an errno: of which call, or of every one with this row; and when. If it is one
 * of allocations that fail, @undo is for the call that succeeds in the end, NULL if the
 * first failure is final; @prepare is not to fail.
 */
struct act {
	const char *call, *what, *mode;
	int (*run)(const struct row *r);
	void (*undo)(const struct row *r, int ret);
	void (*prepare)(const struct row *r);
};

/* The structure of any call. */
struct args {
	_Alignas(8) uint8_t bytes[256];
};

static inline const struct call_row *find_call(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(call_rows); i++)
		if (!strcmp(call_rows[i].name, name))
			return &call_rows[i];
	return NULL;
}

static inline void put32(struct args *a, size_t at, uint32_t value)
{
	memcpy(a->bytes + at, &value, sizeof(value));
}

static inline void put64(struct args *a, size_t at, uint64_t value)
{
	memcpy(a->bytes + at, &value, sizeof(value));
}

/* Of all structures: descriptor or event at 4, name or token at 8. */
static inline struct args args_of(const struct row *r)
{
	struct args a = {};
	const char *name = r->call->name;

	put32(&a, 0, r->call->size);
	if (!strcmp(name, "CREATE_SESSION"))
		set_name(a.bytes + 8, "new");
	else if (!strcmp(name, "RETRIEVE_SESSION"))
		set_name(a.bytes + 8, "in");
	else if (r->call->size >= 16)
		put64(&a, 8, 1);
	if (!strcmp(name, "PRESERVE_FD") || !strcmp(name, "FD_PRESERVE"))
		put32(&a, 4, r->c->file);
	if (!strcmp(name, "FD_GET_STATE"))
		put32(&a, 16, 1);
	return a;
}

static inline int with_event(const struct row *r, uint32_t event)
{
	struct args a = args_of(r);

	put32(&a, 4, event);
	return call(r->fd, r->call->cmd, &a);
}

static inline int with_token(const struct row *r, uint64_t token)
{
	struct args a = args_of(r);

	put64(&a, 8, token);
	return call(r->fd, r->call->cmd, &a);
}

static inline int with_fd(const struct row *r, int fd, uint64_t token)
{
	struct args a = args_of(r);

	put32(&a, 4, fd);
	put64(&a, 8, token);
	return call(r->fd, r->call->cmd, &a);
}

static inline int with_name(const struct row *r, const char *name)
{
	struct args a = args_of(r);

	memset(a.bytes + 8, 0, NAME_LEN);
	set_name(a.bytes + 8, name);
	return call(r->fd, r->call->cmd, &a);
}

/* A structure of zeros of this size, one byte of which is not. */
static inline int with_size(const struct row *r, uint32_t size, size_t dirty)
{
	struct args a = {};

	if (dirty)
		a.bytes[dirty] = 1;
	put32(&a, 0, size);
	return call(r->fd, r->call->cmd, &a);
}

/* Run in a child, with or without CAP_SYS_ADMIN; @run returns a negative errno. */
static inline int in_child(int (*run)(const struct row *r), const struct row *r,
			   bool capable)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (!capable)
			drop_capability();
		_exit(-run(r));
	}
	waitpid(pid, &status, 0);
	return -WEXITSTATUS(status);
}

static inline int without_capability(int (*run)(const struct row *r), const struct row *r)
{
	return in_child(run, r, false);
}

/* Preserve a file where the call looks for it, as token 1. */
static inline void preserve_one(const struct row *r)
{
	bool device = r->call && starts(r->call->name, "FD_");

	must(!(device ? dev_preserve(r->c->dev, r->c->file, 1) :
			preserve(r->c->out, r->c->file, 1)), "preserve");
}

/* From here on calls wait: reboot() waits for a preserve, and they wait for it. */
static inline void block(struct context *c)
{
	struct liveupdate_test_set slow = {
		.size = sizeof(slow), .op = LIVEUPDATE_TEST_PRESERVE, .delay_us = SLOW_US,
	};
	int t = test_file(8), stop = test_file(9);

	if (c->slow)
		return;
	/* If reboot() gets that far, the live update fails. */
	must(!test_set(stop, LIVEUPDATE_TEST_FREEZE, HANDLER_ERRNO, 0) &&
	     !preserve(c->out, stop, 9) && !call(t, LIVEUPDATE_TEST_SET, &slow), "slow");
	c->slow = fork();
	if (!c->slow)
		_exit(preserve(c->out, t, 8) != 0);
	until_it_waits(c->slow);
	c->rebooter = fork();
	if (!c->rebooter)
		_exit(reboot_kexec() != 0);
	until_it_waits(c->rebooter);
	close(t);
	close(stop);
	c->stays = true;
}

static inline void close_all(struct context *c)
{
	int *fds[] = { &c->in, &c->out, &c->file, &c->dev };
	size_t i;

	if (c->dev >= 0)
		event(c->dev, GLOBAL, LIVEUPDATE_CANCEL);
	for (i = 0; i < COUNT(fds); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

static inline void unblock(struct context *c)
{
	int status;

	must(waitpid(c->slow, &status, 0) == c->slow && !status, "the slow preserve");
	c->slow = 0;
	c->stays = false;
	close_all(c);
}

static inline void begin(struct row *r)
{
	struct context *c = r->c;

	if (c->slow && strcmp(r->row->what, "killed"))
		unblock(c);
	if (!c->stays) {
		c->dev = open_device();
		c->out = create(c->dev, "out");
		c->in = claim(c->dev, "in");
		c->file = test_file(1);
		must(c->dev >= 0 && c->out >= 0 && c->file >= 0, "sessions");
	}
	r->fd = -1;
	if (!r->call)
		return;
	if (!strcmp(r->call->on, "the device"))
		r->fd = c->dev;
	else if (!strcmp(r->call->on, "an outgoing session"))
		r->fd = c->out;
	else
		r->fd = c->in >= 0 ? c->in : c->out;
}

static inline void end(struct row *r)
{
	if (!r->c->stays)
		close_all(r->c);
}

static inline void hold_files(int session)
{
	int t[] = { test_file(1), test_file(2), open(LATE_DEVICE, O_RDWR), test_file(4),
		    test_file(5) };
	int i;

	must(!test_set(t[1], LIVEUPDATE_TEST_RETRIEVE, HANDLER_ERRNO, 0) &&
	     !test_set(t[3], LIVEUPDATE_TEST_CAN_FINISH, EAGAIN, 0), "files");
	for (i = 0; i < (int)COUNT(t); i++)
		must(!preserve(session, t[i], i + 1), "preserve");
}

/* What the rows of the next kernel need; the session of the device is made by its name. */
static inline int hold_all(void)
{
	int dev, t = test_file(1), done;

	must(!load_module(LATE_MODULE, ""), LATE_MODULE);
	dev = open_device();
	hold_files(create(dev, "in"));
	hold_files(create(dev, DEVICE_NAME));
	done = create(dev, "done");
	/* A global FINISH leaves it. */
	must(!test_set(t, LIVEUPDATE_TEST_CAN_FINISH, EAGAIN, 1) && !preserve(done, t, 1),
	     "done");
	close(dev);
	return hold_until_kexec();
}

#endif
