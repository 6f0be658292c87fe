// SPDX-License-Identifier: GPL-2.0

/*
 * The keeper of a guest: lets it live on when the kernel below is replaced.
 *
 *	luo_keeper NAME MIB -- VMM ARGUMENT...
 *
 * The same command line starts a guest of that name with so many MiB of RAM, takes over
 * one whose keeper was killed, and restores one that the previous kernel handed over: a
 * service manager only has to start it, again and again. The VMM is QEMU's; the keeper
 * adds to its arguments what concerns RAM, monitor and migration. The VMM outlives the
 * keeper, and the keeper ends with the VMM.
 *
 * Exit codes: 0 the guest has ended, 1 it cannot be kept, 2 usage.
 */

#include <errno.h>
#include <libluo.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto.h"
#include "vmm.h"

#define AGENT_MS	30000	/* until the agent must be present */
#define MIB_MAX		(1 << 24)

struct keeper {
	struct vmm vmm;
	int agent;		/* connection, -1 if there is none */
	int session;		/* -1 if there is none */
	uint32_t flags;		/* AGENT_INCOMING and others of the session */
};

__attribute__((format(printf, 2, 3)))
static void say(const struct keeper *k, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "luo_keeper: %s: ", k->vmm.name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static int fail(const struct keeper *k, const char *what, int err)
{
	say(k, "cannot %s: %s", what, vmm_error(&k->vmm, err));
	return err;
}

static struct agent_msg message(const struct keeper *k, enum agent_verb verb)
{
	struct agent_msg msg = { .verb = verb };

	snprintf(msg.name, sizeof(msg.name), "%s", k->vmm.name);
	return msg;
}

/*
 * Connect to the agent. It may not have been started yet, or be started again. With a
 * session the keeper waits as long as it takes: the session ends with its last descriptor,
 * and what replaces the kernel may be on its way.
 */
static int connect_agent(struct keeper *k)
{
	int ms;

	if (k->agent >= 0)
		close(k->agent);
	for (ms = 0; ms < AGENT_MS || k->session >= 0; ms += 10) {
		k->agent = agent_connect();
		if (k->agent != -ENOENT && k->agent != -ECONNREFUSED && k->agent != -EAGAIN)
			break;
		vmm_wait_ms(10);
	}
	return k->agent < 0 ? fail(k, "connect to the agent", k->agent) : 0;
}

static int check(struct keeper *k)
{
	return vmm_check(&k->vmm);
}

static int pause_guest(struct keeper *k)
{
	return vmm_pause(&k->vmm);
}

static int resume(struct keeper *k)
{
	return vmm_resume(&k->vmm);
}

static const struct {
	int (*run)(struct keeper *k);
	const char *what;
} orders[] = {
	[AGENT_CHECK]	= { check, "talk to its VMM" },
	[AGENT_PAUSE]	= { pause_guest, "pause the guest" },
	[AGENT_RESUME]	= { resume, "resume the guest" },
};

/*
 * Do what the agent says, and answer. Only a guest that cannot be resumed is an error: the
 * next keeper tries again.
 */
static int obey(struct keeper *k, const struct agent_msg *msg)
{
	struct agent_msg done = message(k, AGENT_DONE);

	if (msg->verb >= sizeof(orders) / sizeof(orders[0]) || !orders[msg->verb].run) {
		say(k, "ignored message %u of the agent", msg->verb);
		return 0;
	}
	done.flags = msg->verb;
	done.result = orders[msg->verb].run(k);
	if (done.result) {
		snprintf(done.text, sizeof(done.text), "cannot %s: %s",
			 orders[msg->verb].what, vmm_error(&k->vmm, done.result));
		say(k, "%s", done.text);
	}
	/* If it is gone, the next receive says so. */
	agent_send(k->agent, &done, -1);
	return msg->verb == AGENT_RESUME ? done.result : 0;
}

/* Take the session that the agent sends; orders that it sent before are obeyed first. */
static int take_session(struct keeper *k)
{
	struct agent_msg msg;
	int err, fd;

	for (;;) {
		err = agent_receive(k->agent, &msg, &fd);
		if (err)
			return err;
		if (msg.verb == AGENT_SESSION)
			break;
		if (fd >= 0)
			close(fd);
		err = obey(k, &msg);
		if (err)
			return err;
	}
	err = msg.result;
	if (!err && k->session < 0 && fd < 0)
		err = -EBADF;
	if (!err && k->session < 0) {
		k->session = fd;
		k->flags = msg.flags;
	} else if (fd >= 0) {
		close(fd);
	}
	return err;
}

/* Connect, say who this is, with the session if there is one, else get one. */
static int join(struct keeper *k)
{
	struct agent_msg msg;
	int err, busy = 0;

	for (;;) {
		err = connect_agent(k);
		if (err)
			return err;
		msg = message(k, AGENT_HELLO);
		msg.flags = k->flags;
		err = agent_send(k->agent, &msg, k->session);
		if (!err)
			err = take_session(k);
		/* The agent may not have seen yet that the keeper before has ended. */
		if (err != -ECONNRESET && err != -EPIPE && (err != -EBUSY || ++busy > 100))
			break;
		vmm_wait_ms(10);
	}
	return err ? fail(k, "get a session", err) : 0;
}

/* Give the session back and get another one, for the next kernel. */
static int renew(struct keeper *k)
{
	struct agent_msg msg = message(k, AGENT_RENEW);
	int err;

	close(k->session);
	k->session = -1;
	err = agent_send(k->agent, &msg, -1);
	if (!err)
		err = take_session(k);
	if (err != -EPIPE && err != -ECONNRESET)
		return err ? fail(k, "get a session", err) : 0;
	return join(k);
}

static int retrieve(struct keeper *k)
{
	int ram, state;

	/* Not there: a keeper before has finished the session, and its guest has ended. */
	ram = luo_session_retrieve_fd(k->session, VMM_TOKEN_RAM);
	if (ram < 0)
		return ram == -ENOENT ? -ENODATA : fail(k, "retrieve its RAM", ram);
	state = luo_session_retrieve_fd(k->session, VMM_TOKEN_STATE);
	if (state < 0)
		return fail(k, "retrieve the state of its devices", state);
	return vmm_use(&k->vmm, ram, state);
}

/* Preserve RAM and state while the guest runs. */
static int preserve(struct keeper *k)
{
	const struct {
		int fd;
		uint64_t token;
	} files[] = {
		{ k->vmm.ram, VMM_TOKEN_RAM },
		{ k->vmm.fd, VMM_TOKEN_STATE },
	};
	int i, err;

	for (i = 0; i < 2; i++) {
		err = luo_session_preserve_fd(k->session, files[i].fd, files[i].token);
		/* A keeper before has, with the same files: see start(). */
		if (err && err != -EEXIST)
			return fail(k, i ? "preserve the state of its devices" :
				    "preserve its RAM", err);
	}
	return 0;
}

/* Start a guest. A session that was not just created may hold the memfds of another VMM. */
static int start(struct keeper *k)
{
	int err = k->flags & AGENT_NEW ? 0 : renew(k);

	if (!err)
		err = vmm_create(&k->vmm);
	if (!err)
		err = vmm_start(&k->vmm, false);
	return err ? fail(k, "start the VMM", err) : 0;
}

/* Restore the guest of the previous kernel, or what another keeper began of it. */
static int restore(struct keeper *k, bool adopted)
{
	struct vmm *v = &k->vmm;
	int err = 0;

	if (!adopted) {
		err = retrieve(k);
		if (!err && v->state->phase != VMM_SAVED)
			err = -ENODATA;
		if (!err)
			err = vmm_start(v, true);
	}
	if (!err)
		err = vmm_load(v);
	if (err == -ENODATA)
		say(k, "the guest is lost: it ran while the kernel was replaced, or has ended since");
	return err;
}

/* Finish the session of the previous kernel. */
static int finish(struct keeper *k)
{
	int err = luo_session_finish(k->session);

	/* EINVAL: a keeper before has. */
	if (err && err != -EINVAL)
		return fail(k, "finish the session of the previous kernel", err);
	return renew(k);
}

/* From whatever there is to a guest that runs and is preserved. */
static int begin(struct keeper *k)
{
	struct vmm *v = &k->vmm;
	int err = vmm_adopt(v);
	bool adopted = !err;

	if (err && err != -ENOENT)
		return fail(k, "take over its VMM", err);
	err = 0;
	if (k->flags & AGENT_INCOMING) {
		err = restore(k, adopted);
		adopted = !err;
		if (err == -ENODATA)
			err = vmm_discard(v);
		if (err)
			return fail(k, "restore the guest", err);
		err = finish(k);
	}
	if (!err && !adopted)
		err = start(k);
	return err ? err : preserve(k);
}

/* Until the guest ends. */
static int keep(struct keeper *k)
{
	struct agent_msg msg, bye = message(k, AGENT_BYE);
	int err, fd;

	for (;;) {
		struct pollfd p[] = {
			{ .fd = k->agent, .events = POLLIN },
			{ .fd = k->vmm.pidfd, .events = POLLIN },
			{ .fd = k->vmm.qmp.sock, .events = POLLIN },
		};

		if (poll(p, 3, -1) < 0) {
			if (errno == EINTR)
				continue;
			return fail(k, "wait", -errno);
		}
		if (p[1].revents) {
			say(k, "the VMM has ended");
			agent_send(k->agent, &bye, -1);
			return 0;
		}
		/* One that dies hangs up first; its process is what counts. */
		if (p[2].revents & (POLLHUP | POLLERR))
			vmm_wait_ms(10);
		else if (p[2].revents)
			qmp_drain(&k->vmm.qmp);
		if (!p[0].revents)
			continue;
		err = agent_receive(k->agent, &msg, &fd);
		if (err) {
			err = join(k);
			if (err)
				return err;
			continue;
		}
		if (fd >= 0)
			close(fd);
		err = obey(k, &msg);
		if (err)
			return err;
	}
}

static int usage(void)
{
	fprintf(stderr, "usage: luo_keeper NAME MIB -- VMM ARGUMENT...\n"
		"  NAME: of the guest, 1 to %d bytes without '/' and control characters, not 'luotrace'\n"
		"        or '%s'; MIB: of RAM, 1 to %d\n",
		AGENT_NAME - 1, AGENT_SESSION_NAME, MIB_MAX);
	return 2;
}

/* It becomes that of a session, and part of the name of a file. */
static bool is_name(const char *name)
{
	size_t i, len = strlen(name);

	if (!len || len >= AGENT_NAME || !strcmp(name, "luotrace") ||
	    !strcmp(name, AGENT_SESSION_NAME))
		return false;
	for (i = 0; i < len; i++)
		if (name[i] == '/' || (unsigned char)name[i] < ' ' || name[i] == 0x7f)
			return false;
	return true;
}

int main(int argc, char **argv)
{
	struct keeper k = {
		.vmm = { .ram = -1, .fd = -1, .lock = -1, .pidfd = -1, .qmp.sock = -1 },
		.agent = -1, .session = -1,
	};
	char *end;

	if (argc < 5 || strcmp(argv[3], "--") || !is_name(argv[1]))
		return usage();
	k.vmm.name = argv[1];
	k.vmm.args = argv + 4;
	k.vmm.bytes = strtoull(argv[2], &end, 10);
	if (*end || !k.vmm.bytes || k.vmm.bytes > MIB_MAX)
		return usage();
	k.vmm.bytes <<= 20;
	return join(&k) || begin(&k) || keep(&k) ? 1 : 0;
}
