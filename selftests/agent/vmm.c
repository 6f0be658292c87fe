// SPDX-License-Identifier: GPL-2.0

/* A VMM as a process: its memfds, how it is started, and how it is found again. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "proto.h"
#include "vmm.h"

#define VMM_MAGIC	0x736d6d76
#define VMM_VERSION	1

/* Where the VMM has what it is given; whoever adopts it finds the memfds there. */
#define AT_RAM		10
#define AT_STATE	11
#define AT_QMP		12
#define AT_LOCK		13
#define AT_COUNT	4

#define START_MS	300000	/* until a VMM is ready; many may start at once */
#define PATH		108	/* that of a local socket */

#ifndef MFD_EXEC
#define MFD_EXEC	0x10
#endif

static void vmm_path(const struct vmm *v, const char *suffix, char *path)
{
	snprintf(path, PATH, AGENT_DIR "/%.*s%s", AGENT_NAME, v->name, suffix);
}

void vmm_wait_ms(int ms)
{
	const struct timespec span = { .tv_nsec = ms * 1000000L };

	nanosleep(&span, NULL);
}

/*
 * Get the lock that a VMM has as long as it lives, from before it is started.
 *
 * Return: 0 once no VMM lives, -EWOULDBLOCK if one does, or another negative errno.
 */
static int get_lock(struct vmm *v)
{
	char path[PATH];

	vmm_path(v, VMM_LOCK, path);
	if (v->lock < 0)
		v->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (v->lock < 0 || flock(v->lock, LOCK_EX | LOCK_NB))
		return -errno;
	return 0;
}

static int map_state(struct vmm *v)
{
	void *at = mmap(NULL, VMM_STATE_HEAD, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	v->state = at;
	return 0;
}

int vmm_use(struct vmm *v, int ram, int state)
{
	struct stat st;
	int err;

	v->ram = ram;
	v->fd = state;
	if (fstat(ram, &st))
		return -errno;
	v->bytes = st.st_size;
	err = map_state(v);
	if (err)
		return err;
	return v->state->magic == VMM_MAGIC && v->state->version == VMM_VERSION ?
	       0 : -EBADMSG;
}

/* Where memfds are not executable by default a stock kernel cannot restore these. */
static int create_memfd(const char *name, uint64_t bytes)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_EXEC);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC);
	return fd < 0 || ftruncate(fd, bytes) ? -errno : fd;
}

int vmm_create(struct vmm *v)
{
	char name[AGENT_NAME + 8];
	int err;

	snprintf(name, sizeof(name), "%s.state", v->name);
	v->ram = create_memfd(v->name, v->bytes);
	v->fd = create_memfd(name, VMM_STATE_HEAD + VMM_STATE_SIZE);
	if (v->ram < 0 || v->fd < 0)
		return v->ram < 0 ? v->ram : v->fd;
	err = map_state(v);
	if (err)
		return err;
	v->state->magic = VMM_MAGIC;
	v->state->version = VMM_VERSION;
	v->state->phase = VMM_RUNS;
	return 0;
}

int vmm_open(pid_t pid, int number, int flags)
{
	char path[PATH];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, number);
	fd = open(path, flags | O_CLOEXEC);
	/* Without a descriptor it is another kind of VMM. */
	return fd >= 0 ? fd : errno == ENOENT ? -ESRCH : -errno;
}

bool vmm_is_stopped(const struct vmm *v)
{
	char path[PATH], line[512] = "", *end;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", v->qmp.pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	/* As in proc(5): the state follows the name, which can have any character. */
	end = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
	fclose(f);
	return end && end[1] == ' ' && end[2] == 'T';
}

void vmm_signal(const struct vmm *v, int signal)
{
	syscall(SYS_pidfd_send_signal, v->pidfd, signal, NULL, 0);
}

/* One that a signal has stopped cannot greet. */
static int greet(struct vmm *v)
{
	bool stopped = vmm_is_stopped(v);
	int err;

	if (stopped)
		vmm_signal(v, SIGCONT);
	err = qmp_greet(&v->qmp);
	if (stopped)
		vmm_signal(v, SIGSTOP);
	return err;
}

/* Its keeper may have been killed before it was ready for connections. */
static int connect_vmm(struct vmm *v)
{
	char path[PATH];
	int err, locked;

	vmm_path(v, ".qmp", path);
	qmp_limit(&v->qmp, START_MS);
	for (;;) {
		locked = get_lock(v);
		if (!locked)
			return -ENOENT;
		if (locked != -EWOULDBLOCK)
			return locked;
		err = qmp_connect(&v->qmp, path);
		if (err != -ENOENT && err != -ECONNREFUSED && err != -EAGAIN)
			break;
		vmm_wait_ms(1);
	}
	if (err)
		return err;
	v->pidfd = syscall(SYS_pidfd_open, v->qmp.pid, 0);
	return v->pidfd < 0 ? -errno : greet(v);
}

int vmm_adopt(struct vmm *v)
{
	int err = connect_vmm(v), ram, state;

	if (err || v->ram >= 0)
		return err;
	ram = vmm_open(v->qmp.pid, AT_RAM, O_RDWR);
	state = vmm_open(v->qmp.pid, AT_STATE, O_RDWR);
	if (ram < 0 || state < 0)
		return ram < 0 ? ram : state;
	return vmm_use(v, ram, state);
}

/* In the child: put descriptors where the VMM expects them. */
static int place(const int fds[], int n, int at)
{
	int high[AT_COUNT], i;

	/* None of the wanted numbers may be in use by one of the others. */
	for (i = 0; i < n; i++) {
		high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, at + n);
		if (high[i] < 0)
			return -errno;
	}
	for (i = 0; i < n; i++)
		if (dup2(high[i], at + i) < 0)
			return -errno;
	return 0;
}

static int listen_at(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(at.sun_path, path);
	if (sock < 0 || bind(sock, (struct sockaddr *)&at, sizeof(at)) ||
	    listen(sock, SOMAXCONN))
		return -errno;
	return sock;
}

/* The command line: what was given, and what a keeper needs. */
static char **command_line(const struct vmm *v, bool incoming)
{
	static char ram[128], mem[32], qmp[128];
	static char *more[] = {
		"-object", ram, "-machine", "memory-backend=luo-ram", "-m", mem,
		"-chardev", qmp, "-mon", "chardev=luo-keeper,mode=control",
		"-incoming", "defer", NULL,
	};
	size_t given = 0, n = sizeof(more) / sizeof(more[0]);
	char **args;

	snprintf(ram, sizeof(ram),
		 "memory-backend-file,id=luo-ram,size=%llu,share=on,mem-path=/proc/self/fd/%d",
		 (unsigned long long)v->bytes, AT_RAM);
	snprintf(mem, sizeof(mem), "%lluM", (unsigned long long)v->bytes >> 20);
	snprintf(qmp, sizeof(qmp), "socket,id=luo-keeper,fd=%d,server=on,wait=off", AT_QMP);
	while (v->args[given])
		given++;
	args = calloc(given + n, sizeof(*args));
	if (!args)
		return NULL;
	memcpy(args, v->args, given * sizeof(*args));
	memcpy(args + given, more, n * sizeof(*args));
	if (!incoming)
		args[given + n - 3] = NULL;
	return args;
}

/* In the child */
static void run(const struct vmm *v, bool incoming, const char *path)
{
	char **args = command_line(v, incoming);
	/* The one who listens is known to who connects: this must be the VMM. */
	const int fds[AT_COUNT] = { v->ram, v->fd, listen_at(path), v->lock };

	/* It outlives its keeper. */
	setsid();
	if (!args || fds[2] < 0 || place(fds, AT_COUNT, AT_RAM)) {
		fprintf(stderr, "luo_keeper: %s: cannot set up the VMM\n", v->name);
		_exit(127);
	}
	execvp(args[0], args);
	fprintf(stderr, "luo_keeper: %s: cannot run '%s': %s\n", v->name, args[0],
		strerror(errno));
	_exit(127);
}

int vmm_start(struct vmm *v, bool incoming)
{
	char path[PATH];
	pid_t pid;

	vmm_path(v, ".qmp", path);
	unlink(path);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		run(v, incoming, path);
	/* From here the lock is the VMM's alone. */
	close(v->lock);
	v->lock = -1;
	return connect_vmm(v);
}

int vmm_discard(struct vmm *v)
{
	struct pollfd p = { .fd = v->pidfd, .events = POLLIN };

	if (v->pidfd >= 0) {
		vmm_signal(v, SIGKILL);
		poll(&p, 1, -1);
		close(v->pidfd);
		v->pidfd = -1;
	}
	qmp_close(&v->qmp);
	if (v->state)
		munmap((void *)v->state, VMM_STATE_HEAD);
	v->state = NULL;
	close(v->ram);
	close(v->fd);
	v->ram = v->fd = -1;
	return get_lock(v);
}

const char *vmm_error(const struct vmm *v, int err)
{
	return err == -EREMOTEIO && *v->qmp.error ? v->qmp.error : strerror(-err);
}
