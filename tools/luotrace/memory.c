// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fmt.h"
#include "memory.h"
#include "msg.h"

#define PROGRAM	"luotrace-core"

extern char **environ;

/* A core, and luotrace-core, which has it open. */
struct core {
	struct memory mem;
	int sock;
	pid_t pid;
};

static bool receive(struct core *core, void *to, size_t size)
{
	/* Even for nothing, recv() waits for something. */
	return !size || recv(core->sock, to, size, MSG_WAITALL) == (ssize_t)size;
}

/* How luotrace-core ended, for a message. */
static void explain_end(struct core *core)
{
	int status = 0;

	if (core->pid > 0)
		waitpid(core->pid, &status, 0);
	core->pid = 0;
	if (WIFSIGNALED(status))
		snprintf(core->mem.why, sizeof(core->mem.why),
			 "cannot be read: " PROGRAM " was killed by signal %d",
			 WTERMSIG(status));
	else
		snprintf(core->mem.why, sizeof(core->mem.why),
			 "cannot be read: " PROGRAM " has ended with status %d",
			 WEXITSTATUS(status));
}

/*
 * Take a reply; false, with the text of it, if no memory follows. The text can have bytes of
 * the core, which are meant for no terminal.
 */
static bool receive_reply(struct core *core)
{
	char text[sizeof(core->mem.why)];
	struct core_reply reply;

	if (!receive(core, &reply, sizeof(reply)) || reply.text >= sizeof(text) ||
	    !receive(core, text, reply.text)) {
		explain_end(core);
		return false;
	}
	text[reply.text] = '\0';
	fmt_text(core->mem.why, sizeof(core->mem.why), text);
	core->mem.page_size = reply.page_size;
	return !reply.text;
}

static bool core_read(struct memory *mem, uint64_t phys, void *to, size_t size)
{
	const struct core_request request = { .phys = phys, .size = size };
	struct core *core = (struct core *)mem;

	/* Without luotrace-core, what was said of its end holds. */
	if (!core->pid)
		return false;
	if (send(core->sock, &request, sizeof(request), MSG_NOSIGNAL) != sizeof(request)) {
		explain_end(core);
		return false;
	}
	if (!receive_reply(core))
		return false;
	if (receive(core, to, size))
		return true;
	explain_end(core);
	return false;
}

/* luotrace-core is beside luotrace when it was built, and in libexec when installed. */
static bool find_program(char *path, size_t size)
{
	static const char *const places[] = {
		"%.*s/" PROGRAM, "%.*s/../libexec/luotrace/" PROGRAM,
	};
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self));
	size_t i;

	while (len > 0 && self[len - 1] != '/')
		len--;
	for (i = 0; len > 0 && i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, size, places[i], (int)len - 1, self);
		if (!access(path, X_OK))
			return true;
	}
	msg_error("cannot find " PROGRAM ", which reads cores; its place is the directory of luotrace, or ../libexec/luotrace from there");
	return false;
}

/* Start luotrace-core with the core as its input and the socket as its output. */
static int start(struct core *core, const char *program, int file)
{
	char *argv[] = { (char *)program, NULL };
	posix_spawn_file_actions_t actions;
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return errno;
	core->sock = pair[0];
	err = posix_spawn_file_actions_init(&actions);
	if (!err) {
		err = posix_spawn_file_actions_adddup2(&actions, file, STDIN_FILENO);
		if (!err)
			err = posix_spawn_file_actions_adddup2(&actions, pair[1],
							       STDOUT_FILENO);
		if (!err)
			err = posix_spawn(&core->pid, program, &actions, NULL, argv,
					  environ);
		posix_spawn_file_actions_destroy(&actions);
	}
	close(pair[1]);
	return err;
}

static bool open_core(struct core *core, const char *path)
{
	char program[PATH_MAX + sizeof(PROGRAM) + 32];
	int file, err;

	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0) {
		msg_error("cannot read '%s': %s", path, strerror(errno));
		return false;
	}
	if (!find_program(program, sizeof(program))) {
		close(file);
		return false;
	}
	err = start(core, program, file);
	close(file);
	if (err) {
		core->pid = 0;
		msg_error("cannot run '%s': %s", program, strerror(err));
		return false;
	}
	if (receive_reply(core))
		return true;
	msg_error("'%s' %s", path, core->mem.why);
	return false;
}

struct memory *memory_open(const char *path)
{
	struct core *core = calloc(1, sizeof(*core));

	if (!core) {
		msg_error("out of memory");
		return NULL;
	}
	core->mem.read = core_read;
	core->sock = -1;
	if (open_core(core, path))
		return &core->mem;
	memory_close(&core->mem);
	return NULL;
}

void memory_close(struct memory *mem)
{
	struct core *core = (struct core *)mem;

	if (!core)
		return;
	if (core->sock >= 0)
		close(core->sock);
	if (core->pid > 0)
		waitpid(core->pid, NULL, 0);
	free(core);
}
