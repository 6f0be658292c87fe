// SPDX-License-Identifier: GPL-2.0

/*
 * Pauses a guest and saves the state of its devices, and the reverse: by QEMU's migration
 * into a file and out of a memfd, which leaves out RAM that is shared.
 *
 * The keeper can be killed between any two lines. The phase in the memfd is written so that
 * the next keeper does not let a guest run whose saved state may still be loaded, loads no
 * state twice, and leaves no guest paused.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libluo.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm.h"

#define ORDER_MS	40000	/* for one of the functions below; the agent waits longer */
#define STATUS		32
#define URI		64
#define FILE_MAJOR	10	/* of the QEMU that needs the name of a file */

static int get_status(struct vmm *v, int id, char *status)
{
	json_t *answer;
	const char *text;
	int err = qmp_answer(&v->qmp, id, &answer);

	if (err)
		return err;
	text = json_string_value(json_object_get(answer, "status"));
	snprintf(status, STATUS, "%s", text ? text : "");
	json_decref(answer);
	return 0;
}

/* Of "query-status" or "query-migrate"; empty if there was no migration */
static int query(struct vmm *v, const char *command, char *status)
{
	return get_status(v, qmp_send(&v->qmp, command, NULL, -1), status);
}

static int set_capabilities(struct vmm *v)
{
	return qmp_call(&v->qmp, "migrate-set-capabilities",
			json_pack("{s[{ss, sb}, {ss, sb}]}", "capabilities",
				  "capability", "x-ignore-shared", "state", 1,
				  "capability", "events", "state", 1), -1, NULL);
}

/*
 * Offer a file for the next migration, to or from a place in it. Sets its URI, and the
 * number of the set of descriptors that has it, or -1.
 */
static int offer(struct vmm *v, int fd, int at, char *uri, int *set)
{
	json_t *answer;
	int err;

	*set = -1;
	if (v->qmp.major < FILE_MAJOR) {
		snprintf(uri, URI, "fd:luo-state");
		return lseek(fd, at, SEEK_SET) < 0 ? -errno :
		       qmp_call(&v->qmp, "getfd",
				json_pack("{ss}", "fdname", "luo-state"), fd, NULL);
	}
	err = qmp_call(&v->qmp, "add-fd", NULL, fd, &answer);
	if (err)
		return err;
	*set = json_integer_value(json_object_get(answer, "fdset-id"));
	json_decref(answer);
	snprintf(uri, URI, "file:/dev/fdset/%d,offset=%d", *set, at);
	return 0;
}

static int migrate(struct vmm *v, const char *command, int fd, int at)
{
	char uri[URI];
	int set = -1, err = set_capabilities(v);

	if (!err)
		err = offer(v, fd, at, uri, &set);
	v->qmp.migrated = QMP_ACTIVE;
	if (!err)
		err = qmp_call(&v->qmp, command, json_pack("{ss}", "uri", uri), -1, NULL);
	/* The migration has a descriptor of its own. */
	if (set >= 0)
		qmp_call(&v->qmp, "remove-fd", json_pack("{si}", "fdset-id", set), -1,
			 NULL);
	return err ? err : qmp_await_migration(&v->qmp);
}

/* Load the state from the memfd, after its first page. */
static int load(struct vmm *v)
{
	/* A file of its own: another migration may be at another place of it. */
	int fd = vmm_open(getpid(), v->fd, O_RDONLY), err;

	if (fd < 0)
		return fd;
	err = migrate(v, "migrate-incoming", fd, VMM_STATE_HEAD);
	close(fd);
	return err;
}

/* Wait until a status is none of these, which pass. */
static int await_status(struct vmm *v, const char *command, const char *const passing[])
{
	char status[STATUS];
	int err, i;

	for (;;) {
		err = query(v, command, status);
		if (err)
			return err;
		for (i = 0; passing[i] && strcmp(status, passing[i]); i++)
			;
		if (!passing[i])
			return 0;
		vmm_wait_ms(1);
	}
}

/* End a migration that a killed keeper may have started. */
static int end_migration(struct vmm *v)
{
	static const char * const migrating[] = {
		"setup", "active", "device", "pre-switchover", "cancelling", NULL,
	};
	static const char * const finishing[] = { "finish-migrate", NULL };
	int err = qmp_call(&v->qmp, "migrate_cancel", NULL, -1, NULL);

	if (!err)
		err = await_status(v, "query-migrate", migrating);
	return err ? err : await_status(v, "query-status", finishing);
}

/* The guest does what it did before it was paused. */
static int go_on(struct vmm *v)
{
	uint32_t flags = v->state->flags;
	int err = 0;

	/* Nobody loads the saved state from here on. */
	v->state->phase = VMM_USED;
	if (flags & VMM_WAS_RUNNING)
		err = qmp_call(&v->qmp, "cont", NULL, -1, NULL);
	if (err)
		return err;
	v->state->phase = VMM_RUNS;
	/* A mark is for reports; a guest does not wait for it. */
	luo_mark(v->name, 0);
	if (flags & VMM_WAS_STOPPED)
		vmm_signal(v, SIGSTOP);
	return 0;
}

int vmm_load(struct vmm *v)
{
	static const char * const loading[] = { "inmigrate", NULL };
	char status[STATUS];
	int err;

	if (v->state->phase == VMM_RUNS)
		return 0;
	qmp_limit(&v->qmp, ORDER_MS);
	err = query(v, "query-status", status);
	if (err)
		return err;
	if (!strcmp(status, "inmigrate")) {
		if (v->state->phase != VMM_SAVED)
			return -ENODATA;
		err = load(v);
		/* A killed keeper may have started this already. */
		if (err == -EREMOTEIO)
			err = await_status(v, "query-status", loading);
	}
	return err ? err : go_on(v);
}

int vmm_check(struct vmm *v)
{
	char status[STATUS];

	/* Without a state there is no VMM yet. */
	if (!v->state || v->state->phase != VMM_RUNS)
		return -EBUSY;
	qmp_limit(&v->qmp, ORDER_MS);
	return vmm_is_stopped(v) ? 0 : query(v, "query-status", status);
}

/* Stop the virtual CPUs. Who resumes the guest has to know what it did. */
static int stop(struct vmm *v)
{
	bool stopped = vmm_is_stopped(v);
	char status[STATUS];
	int err = 0, asked, stopping;

	v->state->flags = VMM_WAS_RUNNING | (stopped ? VMM_WAS_STOPPED : 0);
	if (!stopped) {
		err = query(v, "query-status", status);
		if (err)
			return err;
		if (strcmp(status, "running"))
			v->state->flags = 0;
		v->state->phase = VMM_PAUSING;
		return qmp_call(&v->qmp, "stop", NULL, -1, NULL);
	}
	/* It finds both commands as soon as it runs. */
	v->state->phase = VMM_PAUSING;
	asked = qmp_send(&v->qmp, "query-status", NULL, -1);
	stopping = qmp_send(&v->qmp, "stop", NULL, -1);
	vmm_signal(v, SIGCONT);
	err = get_status(v, asked, status);
	if (!err && strcmp(status, "running"))
		v->state->flags = VMM_WAS_STOPPED;
	return err ? err : qmp_answer(&v->qmp, stopping, NULL);
}

/* Put the state that was saved into another file where it is preserved. */
static int put_state(struct vmm *v, int from)
{
	off_t bytes = lseek(from, 0, SEEK_END);
	void *at = mmap(NULL, bytes, PROT_READ, MAP_SHARED, from, 0);
	ssize_t n;

	if (at == MAP_FAILED)
		return -errno;
	n = bytes > VMM_STATE_SIZE ? 0 : pwrite(v->fd, at, bytes, VMM_STATE_HEAD);
	if (n >= 0 && n != bytes)
		errno = EFBIG;
	munmap(at, bytes);
	return n == bytes ? 0 : -errno;
}

/* Newer QEMUs truncate the file that they save to; a preserved one keeps its length. */
static int save(struct vmm *v)
{
	static const char * const finishing[] = { "finish-migrate", NULL };
	int file = memfd_create("luo-state", MFD_CLOEXEC), fd, err;

	if (file < 0)
		return -errno;
	fd = vmm_open(getpid(), file, O_WRONLY);
	err = fd < 0 ? fd : migrate(v, "migrate", fd, 0);
	if (!err)
		err = await_status(v, "query-status", finishing);
	if (!err)
		err = put_state(v, file);
	if (fd >= 0)
		close(fd);
	close(file);
	return err;
}

int vmm_pause(struct vmm *v)
{
	int err;

	if (!v->state)
		return -EBUSY;
	qmp_limit(&v->qmp, ORDER_MS);
	err = stop(v);
	if (err)
		return err;
	luo_mark(v->name, 1);
	err = save(v);
	if (!err)
		v->state->phase = VMM_SAVED;
	return err;
}

int vmm_resume(struct vmm *v)
{
	int err;

	if (!v->state || v->state->phase == VMM_RUNS)
		return 0;
	qmp_limit(&v->qmp, ORDER_MS);
	err = end_migration(v);
	return err ? err : vmm_load(v);
}
