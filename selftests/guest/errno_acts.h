/* SPDX-License-Identifier: GPL-2.0 */

/* How to get each errno of the table: a function a row, or one for some alike. */

#ifndef ERRNO_ACTS_H
#define ERRNO_ACTS_H

#include "errno_marks.h"

#include <sys/resource.h>

/* Every ioctl. */

static int do_short(const struct row *r)
{
	return with_size(r, sizeof(uint32_t), 0);
}

static int do_dirty(const struct row *r)
{
	return with_size(r, 128, 127);
}

static int do_page(const struct row *r)
{
	return with_size(r, sysconf(_SC_PAGESIZE) + 1, 0);
}

static int do_other_file(const struct row *r)
{
	struct args a = args_of(r);

	return call(r->fd == r->c->dev ? r->c->out : r->c->dev, r->call->cmd, &a);
}

static int do_type(const struct row *r)
{
	struct args a = args_of(r);

	return call(r->fd, _IOWR(0xBA, _IOC_NR(r->call->cmd), int), &a);
}

static int do_unreadable(const struct row *r)
{
	return call(r->fd, r->call->cmd, NULL);
}

static int do_reserved(const struct row *r)
{
	struct args a = args_of(r);

	a.bytes[strcmp(r->row->call, "FD_GET_STATE") ? 4 : 20] = 1;
	return call(r->fd, r->call->cmd, &a);
}

static int do_response(const struct row *r)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct args *a = mmap(NULL, page, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int ret;

	must(a != MAP_FAILED, "mmap");
	*a = args_of(r);
	mprotect(a, page, PROT_READ);
	ret = call(r->fd, r->call->cmd, a);
	munmap(a, page);
	return ret;
}

static int do_call(const struct row *r)
{
	struct args a = args_of(r);

	return call(r->fd, r->call->cmd, &a);
}

static int do_no_descriptor(const struct row *r)
{
	struct rlimit old, none;
	int ret;

	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = next_fd();
	setrlimit(RLIMIT_NOFILE, &none);
	ret = do_call(r);
	setrlimit(RLIMIT_NOFILE, &old);
	return ret;
}

static int do_no_file(const struct row *r)
{
	char *old = read_all("/proc/sys/fs/file-max");
	int ret;

	/* The kernel counts files of each CPU apart, and sees the first ones late. */
	write_file("/proc/sys/fs/file-max", "0");
	ret = without_capability(do_call, r);
	write_file("/proc/sys/fs/file-max", old);
	free(old);
	return ret;
}

/* Only what makes the call runs while allocations fail. */

static int do_create_new(const struct row *r)
{
	return create(r->c->dev, "new");
}

static int do_claim_done(const struct row *r)
{
	return claim(r->c->dev, "done");
}

static void undo_close(const struct row *r, int fd)
{
	(void)r;
	close(fd);
}

static void undo_preserve(const struct row *r, int ret)
{
	(void)ret;
	must(!(r->fd == r->c->dev ? dev_unpreserve(r->fd, 1) : unpreserve(r->fd, 1)),
	     "unpreserve");
}

static int do_restore(const struct row *r)
{
	return with_token(r, NO_MEMORY);
}

/* The next descriptor is one for which the table of this process has to grow. */
static int call_in_full_table(const struct row *r)
{
	char *status = read_all("/proc/self/status"), *at = strstr(status, "FDSize:");
	int nth = open_fail_nth(), size, ret;

	must(at && sscanf(at, "FDSize: %d", &size) == 1, "FDSize");
	free(status);
	trace_again();
	while (dup(r->c->dev) < size - 1)
		;
	/* What is copied from user space is the first thing that could fail. */
	fail_nth_of(nth, 2);
	ret = do_call(r);
	must(nth_was_hit(nth), "an allocation");
	return ret;
}

static int do_no_room(const struct row *r)
{
	return in_child(call_in_full_table, r, true);
}

static int open_it(const struct row *r)
{
	(void)r;
	return open_device();
}

static void close_device(const struct row *r)
{
	close(r->c->dev);
	r->c->dev = -1;
}

static void undo_open(const struct row *r, int fd)
{
	r->c->dev = fd;
}

/* Kill a process that waits in the call; it gets EINTR, if only in the event. */
static int kill_waiting(pid_t pid)
{
	int status = 0;

	until_it_waits(pid);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? -EINTR : 0;
}

static int do_killed(const struct row *r)
{
	pid_t pid;

	block(r->c);
	pid = fork();
	if (!pid)
		_exit(do_call(r) != 0);
	return kill_waiting(pid);
}

static int do_reboot_killed(const struct row *r)
{
	pid_t pid;

	block(r->c);
	pid = r->c->rebooter;
	r->c->rebooter = 0;
	return kill_waiting(pid);
}

/* The device. */

static int do_open_alone(const struct row *r)
{
	close_device(r);
	return without_capability(open_it, r);
}

static int do_empty(const struct row *r)
{
	return with_name(r, "");
}

static int do_unterminated(const struct row *r)
{
	struct args a = args_of(r);

	memset(a.bytes + 8, 'x', NAME_LEN);
	return call(r->fd, r->call->cmd, &a);
}

static int do_same_name(const struct row *r)
{
	return with_name(r, "out");
}

static int do_other_name(const struct row *r)
{
	return with_name(r, "nobody");
}

static int do_claimed(const struct row *r)
{
	return with_name(r, "in");
}

static int while_prepared(const struct row *r)
{
	must(!event(r->c->dev, GLOBAL, LIVEUPDATE_PREPARE), "PREPARE");
	return do_call(r);
}

/* Until a handover has no room for another session, in a process whose end closes all. */
static int create_all(const struct row *r)
{
	struct rlimit many = { 1000000, 1000000 };
	char name[NAME_LEN];
	int i, ret = 0;

	must(!setrlimit(RLIMIT_NOFILE, &many), "RLIMIT_NOFILE");
	write_file(TRACEFS "tracing_on", "0");
	for (i = 0; ret >= 0; i++) {
		snprintf(name, sizeof(name), "many-%d", i);
		ret = create(r->c->dev, name);
	}
	printf("# %d sessions\n", i - 1);
	fflush(stdout);
	trace_again();
	ret = do_call(r);
	/* Not the end of all others. */
	write_file(TRACEFS "tracing_on", "0");
	return ret;
}

static int do_full(const struct row *r)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(-create_all(r));
	waitpid(pid, &status, 0);
	return -WEXITSTATUS(status);
}

/* Events. */

static int do_unknown(const struct row *r)
{
	return with_event(r, 77);
}

static int do_global_cancel(const struct row *r)
{
	return with_event(r, LIVEUPDATE_CANCEL);
}

static int do_prepare(const struct row *r)
{
	return with_event(r, LIVEUPDATE_PREPARE);
}

static int do_freeze(const struct row *r)
{
	return with_event(r, LIVEUPDATE_FREEZE);
}

static int do_event_finish(const struct row *r)
{
	return with_event(r, LIVEUPDATE_FINISH);
}

static int do_event_finish_in(const struct row *r)
{
	return event(r->c->in, SESSION, LIVEUPDATE_FINISH);
}

static int do_prepare_fails(const struct row *r)
{
	must(!test_set(r->c->file, LIVEUPDATE_TEST_PREPARE, HANDLER_ERRNO, 0), "fails");
	return do_prepare(r);
}

static int do_file_prepare_fails(const struct row *r)
{
	preserve_one(r);
	return do_prepare_fails(r);
}

static int do_file_freeze(const struct row *r)
{
	preserve_one(r);
	return do_freeze(r);
}

static int do_file_in_frozen(const struct row *r)
{
	preserve_one(r);
	must(!event(r->fd, SESSION, LIVEUPDATE_PREPARE) &&
	     !event(r->fd, SESSION, LIVEUPDATE_FREEZE), "FREEZE");
	return do_prepare(r);
}

static int do_file_finish(const struct row *r)
{
	if (r->fd == r->c->dev)
		return dev_event(r->fd, STAYS, LIVEUPDATE_FINISH);
	return file_event(r->c->in, STAYS, LIVEUPDATE_FINISH);
}

/* Files. */

static int do_in_direction(const struct row *r)
{
	struct args a = args_of(r);

	return call(r->c->in, r->call->cmd, &a);
}

static int do_out_direction(const struct row *r)
{
	struct args a = args_of(r);

	return call(r->c->out, r->call->cmd, &a);
}

static int do_bad_descriptor(const struct row *r)
{
	return with_fd(r, -1, 5);
}

static int do_path(const struct row *r)
{
	int fd = open("/", O_PATH | O_CLOEXEC), ret = with_fd(r, fd, 5);

	must(fd >= 0, "O_PATH");
	close(fd);
	return ret;
}

static int do_no_handler(const struct row *r)
{
	return with_fd(r, 0, 5);
}

static int do_same_token(const struct row *r)
{
	preserve_one(r);
	return with_fd(r, test_file(2), 1);
}

static int do_preserved(const struct row *r)
{
	preserve_one(r);
	return with_fd(r, r->c->file, 2);
}

static int do_session_prepared(const struct row *r)
{
	preserve_one(r);
	must(!event(r->c->dev, GLOBAL, LIVEUPDATE_PREPARE), "PREPARE");
	return strstr(r->row->call, "UNPRESERVE") ? with_token(r, 1) :
						   with_fd(r, test_file(2), 1);
}

static int do_preserve_fails(const struct row *r)
{
	int t = test_file(2);

	must(!test_set(t, LIVEUPDATE_TEST_PRESERVE, HANDLER_ERRNO, 0), "fails");
	return with_fd(r, t, 5);
}

static int do_device_name(const struct row *r)
{
	int s = create(r->c->dev, DEVICE_NAME), ret = with_fd(r, test_file(2), 5);

	close(s);
	return ret;
}

static int do_apart(const struct row *r)
{
	preserve_one(r);
	must(!(r->fd == r->c->dev ? dev_event(r->fd, 1, LIVEUPDATE_PREPARE) :
				    file_event(r->fd, 1, LIVEUPDATE_PREPARE)), "PREPARE");
	return with_token(r, 1);
}

static int do_no_token(const struct row *r)
{
	return with_token(r, 77);
}

static int do_no_token_out(const struct row *r)
{
	preserve_one(r);
	return with_token(r, 77);
}

static int do_waiting(const struct row *r)
{
	return with_token(r, WAITS);
}

static int do_retrieve_fails(const struct row *r)
{
	return with_token(r, FAILS);
}

static int do_claimed_by_name(const struct row *r)
{
	int s = claim(r->c->dev, DEVICE_NAME), ret;

	must(s >= 0, DEVICE_NAME);
	ret = strstr(r->row->call, "EVENT") ? with_event(r, LIVEUPDATE_FINISH) : do_call(r);
	close(s);
	return ret;
}

static int do_direction_2(const struct row *r)
{
	struct liveupdate_ioctl_fd_get_state a = {
		.size = sizeof(a), .token = 1, .incoming = 2,
	};

	return call(r->fd, r->call->cmd, &a);
}

static int do_finished(const struct row *r)
{
	int s = claim(r->c->dev, "done"), ret;

	/* The first time it cannot finish. */
	must(s >= 0 && (!finish(s) || !finish(s)), "done");
	trace_again();
	ret = finish(s);
	close(s);
	return ret;
}

static int do_finish_in(const struct row *r)
{
	return finish(r->c->in);
}

/* reboot(2). */

static int do_reboot_fails(const struct row *r)
{
	preserve_one(r);
	must(!test_set(r->c->file, LIVEUPDATE_TEST_FREEZE, HANDLER_ERRNO, 0), "fails");
	trace_again();
	return reboot_kexec();
}

/* Without a call: for every call. The first line that fits is taken. */
static const struct act acts[] = {
	{ NULL, "short", "in", do_short },
	{ NULL, "dirty", "in", do_dirty },
	{ NULL, "page", "in", do_page },
	{ NULL, "file", "in", do_other_file },
	{ NULL, "type", "in", do_type },
	{ NULL, "unreadable", "in", do_unreadable },
	{ NULL, "reserved", "in", do_reserved },
	{ NULL, "response", "in", do_response },
	{ NULL, "descriptors", "in", do_no_descriptor },
	{ NULL, "files", "in", do_no_file },
	{ "open", "memory", "out", open_it, undo_open, close_device },
	{ "mark", "memory", "out", do_mark_no_memory, undo_mark },
	{ "CREATE_SESSION", "memory", "out", do_create_new, undo_close },
	{ "RETRIEVE_SESSION", "memory", "in", do_claim_done, undo_close },
	{ "PRESERVE_FD", "memory", "out", do_call, undo_preserve },
	{ "FD_PRESERVE", "memory", "out", do_call, undo_preserve },
	{ NULL, "memory", "in", do_restore },
	{ NULL, "room", "in", do_no_room },
	{ "reboot", "killed", "in", do_reboot_killed },
	{ NULL, "killed", "in", do_killed },
	{ "mark", "frozen", "frozen", do_mark_frozen },
	{ NULL, "frozen", "frozen", do_call },
	{ "open", "capability", "out", do_open_alone },
	{ "open", "open", "out", open_it },
	{ NULL, "empty", "in", do_empty },
	{ NULL, "unterminated", "in", do_unterminated },
	{ "CREATE_SESSION", "name", "out", do_same_name },
	{ "mark", "full", "out", do_mark_full },
	{ NULL, "full", "out", do_full },
	{ NULL, "prepared", "out", while_prepared },
	{ "RETRIEVE_SESSION", "name", "in", do_other_name },
	{ "RETRIEVE_SESSION", "claimed", "in", do_claimed },
	{ NULL, "unknown", "out", do_unknown },
	{ "SET_EVENT", "state", "out", do_global_cancel },
	{ "SET_EVENT", "updated", "in", do_prepare },
	{ "SET_EVENT", "finish", "in", do_event_finish },
	{ "SET_EVENT", "handler", "out", do_file_prepare_fails },
	{ "session SET_EVENT", "state", "out", do_freeze },
	{ "session SET_EVENT", "finish", "in", do_event_finish_in },
	{ "session SET_EVENT", "handler", "out", do_file_prepare_fails },
	{ "FD_SET_EVENT", "none", "out", do_prepare },
	{ "FD_SET_EVENT", "token", "out", do_no_token_out },
	{ "FD_SET_EVENT", "state", "out", do_file_freeze },
	{ "FD_SET_EVENT", "finish", "in", do_file_finish },
	{ "FD_SET_EVENT", "handler", "out", do_file_prepare_fails },
	{ "session FD_SET_EVENT", "token", "out", do_no_token_out },
	{ "session FD_SET_EVENT", "state", "out", do_file_freeze },
	{ "session FD_SET_EVENT", "session", "out", do_file_in_frozen },
	{ "session FD_SET_EVENT", "finish", "in", do_file_finish },
	{ "session FD_SET_EVENT", "handler", "out", do_file_prepare_fails },
	{ "PRESERVE_FD", "direction", "in", do_in_direction },
	{ "UNPRESERVE_FD", "direction", "in", do_in_direction },
	{ "RETRIEVE_FD", "direction", "in", do_out_direction },
	{ "FINISH", "direction", "in", do_out_direction },
	{ NULL, "descriptor", "out", do_bad_descriptor },
	{ NULL, "path", "out", do_path },
	{ NULL, "no-handler", "out", do_no_handler },
	{ "PRESERVE_FD", "token", "out", do_same_token },
	{ "FD_PRESERVE", "token", "out", do_same_token },
	{ NULL, "preserved", "out", do_preserved },
	{ NULL, "session", "out", do_session_prepared },
	{ "PRESERVE_FD", "handler", "out", do_preserve_fails },
	{ "FD_PRESERVE", "handler", "out", do_preserve_fails },
	{ "FD_PRESERVE", "name", "out", do_device_name },
	{ "UNPRESERVE_FD", "token", "out", do_no_token_out },
	{ "FD_UNPRESERVE", "token", "out", do_no_token_out },
	{ "FD_UNPRESERVE", "none", "out", do_call },
	{ NULL, "apart", "out", do_apart },
	{ NULL, "waiting", "in", do_waiting },
	{ "RETRIEVE_FD", "token", "in", do_no_token },
	{ "FD_RESTORE", "token", "in", do_no_token },
	{ "RETRIEVE_FD", "handler", "in", do_retrieve_fails },
	{ "FD_RESTORE", "handler", "in", do_retrieve_fails },
	{ NULL, "again", "in", do_retrieve_fails },
	{ "FD_RESTORE", "none", "out", do_call },
	{ NULL, "claimed", "in", do_claimed_by_name },
	{ "FD_GET_STATE", "direction", "out", do_direction_2 },
	{ "FD_GET_STATE", "token", "out", do_no_token_out },
	{ "session FD_GET_STATE", "token", "out", do_no_token_out },
	{ "FINISH", "finished", "in", do_finished },
	{ "FINISH", "finish", "in", do_finish_in },
	{ "reboot", "handler", "out", do_reboot_fails },
	{ "mark", "word", "out", do_mark_word },
	{ "mark", "name", "out", do_mark_name },
	{ "mark", "long", "out", do_mark_long },
	{ "mark", "resumed-full", "in", do_mark_resumed_full },
	{ "mark", "unpaused", "out", do_mark_unpaused },
};

#endif
