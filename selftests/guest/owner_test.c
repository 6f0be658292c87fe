// SPDX-License-Identifier: GPL-2.0

/*
 * The owner that luotrace audit prints: the process that last held or used the session,
 * but none that failed to claim it or has exited.
 *
 *	owner_test hold		before a live update
 *	owner_test		after it, as TAP
 */

#include "luo_test.h"
#include "luo_json.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static const char *const names[] = { "never", "failed", "passed", "thread",
				     "unwritten", "inherited", "held" };
#define NR_NAMES	(sizeof(names) / sizeof(names[0]))
#define TOKEN		1

/* A session in luotrace audit. */
struct owner {
	int pid;	/* 0 without an owner, -1 without the session */
	int claims;
	int files, retrieved;
	char comm[32];
	char class[32];
};

static struct owner owner_of(const char *name)
{
	struct owner owner = { .pid = -1 };
	json_t *root, *s, *o;

	if (system("luotrace audit --json > /tmp/audit.json") < 0)
		return owner;
	root = json_load_file("/tmp/audit.json", 0, NULL);
	s = named(root, "sessions", name);
	if (s) {
		o = json_object_get(s, "owner");
		owner.pid = json_integer_value(json_object_get(o, "pid"));
		owner.claims = json_integer_value(json_object_get(s, "claims"));
		owner.files = number(s, "files");
		owner.retrieved = number(s, "retrieved");
		snprintf(owner.comm, sizeof(owner.comm), "%s", text(o, "comm"));
		snprintf(owner.class, sizeof(owner.class), "%s", text(s, "state"));
	}
	json_decref(root);
	return owner;
}

static void is_owned(const char *name, int pid, const char *comm, const char *class,
		     int claims, const char *why)
{
	struct owner o = owner_of(name);
	bool ok = o.pid == pid && !strcmp(o.comm, comm) &&
		  !strcmp(o.class, class) && o.claims == claims;

	if (!check(ok, "%s: %s", name, why))
		printf("# %s, pid %d, %s, %d claims; want %s, pid %d, %s, %d\n", o.comm,
		       o.pid, o.class, o.claims, comm, pid, class, claims);
}

/* A process that calls @work and ends when its parent says so. */
struct agent {
	pid_t pid;
	int up, down;
};

static struct agent agent(const char *comm, int (*work)(void *arg), void *arg)
{
	struct agent a;
	int up[2], down[2];
	char c;

	must(!pipe(up) && !pipe(down), "pipe");
	a.pid = fork();
	if (!a.pid) {
		close(up[0]);
		close(down[1]);
		prctl(PR_SET_NAME, comm);
		c = work(arg);
		if (write(up[1], &c, 1) == 1)
			_exit(read(down[0], &c, 1) < 0);
		_exit(1);
	}
	close(up[1]);
	close(down[0]);
	a.up = up[0];
	a.down = down[1];
	must(read(a.up, &c, 1) == 1 && !c, comm);
	return a;
}

static void end(struct agent *a)
{
	must(write(a->down, "", 1) == 1, "end");
	close(a->up);
	close(a->down);
	waitpid(a->pid, NULL, 0);
}

struct job {
	int dev;
	const char *name;
	int fd;
	pid_t launcher;
};

static int claims(void *arg)
{
	struct job *job = arg;

	job->fd = claim(job->dev, job->name);
	return job->fd < 0;
}

static int fails_to_claim(void *arg)
{
	struct job *job = arg;
	struct rlimit none = { .rlim_cur = next_fd() };

	none.rlim_max = none.rlim_cur;
	setrlimit(RLIMIT_NOFILE, &none);
	return claim(job->dev, job->name) != -EMFILE;
}

static int claims_without_answer(void *arg)
{
	struct liveupdate_ioctl_retrieve_session *a;
	struct job *job = arg;

	a = mmap(NULL, sizeof(*a), PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	a->size = sizeof(*a);
	set_name(a->name, job->name);
	mprotect(a, sizeof(*a), PROT_READ);
	return call(job->dev, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, a) != -EFAULT;
}

static void failed_claims(int dev)
{
	struct job job = { .dev = dev, .name = "failed" };
	struct agent a = agent("agent-a", claims, &job), b;

	is_owned("failed", a.pid, "agent-a", "claimed", 1, "A claims it");
	end(&a);
	is_owned("failed", a.pid, "agent-a", "dropped", 1, "A closed it");
	b = agent("agent-b", fails_to_claim, &job);
	is_owned("failed", a.pid, "agent-a", "dropped", 1,
		 "B had no descriptor left, and never had it");
	end(&b);

	job.name = "never";
	b = agent("agent-b", fails_to_claim, &job);
	end(&b);
	is_owned("never", 0, "", "unclaimed", 0, "never claimed");

	job.name = "unwritten";
	b = agent("agent-b", claims_without_answer, &job);
	end(&b);
	is_owned("unwritten", 0, "", "unclaimed", 0,
		 "a claim that cannot respond has no owner");
}

/* Like a message with SCM_RIGHTS, but the test kernel has no sockets. */
static int gets(void *arg)
{
	struct job *job = arg;
	int launcher = syscall(SYS_pidfd_open, job->launcher, 0);

	job->fd = syscall(SYS_pidfd_getfd, launcher, job->fd, 0);
	return launcher < 0 || job->fd < 0;
}

static int gets_and_uses(void *arg)
{
	struct job *job = arg;

	return gets(arg) || state(job->fd, true) != LIVEUPDATE_STATE_UPDATED;
}

/* The launcher claims it, passes it on and exits. */
static struct agent pass(struct job *job, const char *comm, int (*work)(void *arg))
{
	struct agent launcher = agent("launcher", claims, job), a;

	job->launcher = launcher.pid;
	a = agent(comm, work, job);
	end(&launcher);
	return a;
}

static void passed_on(int dev)
{
	/* Both processes know the number of the descriptor. */
	struct job *job = mmap(NULL, sizeof(*job), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct agent a;

	must(job != MAP_FAILED, "mmap");
	*job = (struct job){ .dev = dev, .name = "passed" };
	a = pass(job, "vmm", gets_and_uses);
	is_owned("passed", a.pid, "vmm", "claimed", 1, "the process that used it last");
	end(&a);
	is_owned("passed", a.pid, "vmm", "dropped", 1, "the process that closed it");

	job->name = "held";
	a = pass(job, "vmm", gets);
	is_owned("held", 0, "", "claimed", 1,
		 "its claimer has exited, its holder has not used it");
	end(&a);
	is_owned("held", a.pid, "vmm", "dropped", 1, "the process that closed it");
}

static void *claim_in_thread(void *arg)
{
	prctl(PR_SET_NAME, "a-thread");
	claims(arg);
	return NULL;
}

static void threads(int dev)
{
	struct job job = { .dev = dev, .name = "thread" };
	pthread_t thread;

	must(!pthread_create(&thread, NULL, claim_in_thread, &job), "thread");
	pthread_join(thread, NULL);
	is_owned("thread", getpid(), "owner_test", "claimed", 1,
		 "the process, not its thread");
	must(!finish(job.fd), "thread");
	close(job.fd);
}

static int uses(void *arg)
{
	struct job *job = arg;

	return state(job->fd, true) != LIVEUPDATE_STATE_UPDATED;
}

static void inherited(int dev)
{
	struct job job = { .dev = dev, .name = "inherited" };
	struct agent child;

	must(!claims(&job), "inherited");
	child = agent("child", uses, &job);
	is_owned("inherited", child.pid, "child", "claimed", 1, "the child used it");
	end(&child);
	is_owned("inherited", 0, "", "claimed", 1, "the child has exited");
	must(!uses(&job), "inherited");
	is_owned("inherited", getpid(), "owner_test", "claimed", 1, "the parent again");
	prctl(PR_SET_NAME, "renamed");
	is_owned("inherited", getpid(), "renamed", "claimed", 1,
		 "by its current name");
	prctl(PR_SET_NAME, "owner_test");
	must(!finish(job.fd), "inherited");
	close(job.fd);
}

static int restores(void *arg)
{
	struct job *job = arg;

	job->fd = dev_restore(job->dev, TOKEN);
	return job->fd < 0;
}

/* The session of the device, which FD_PRESERVE has made; closes the device. */
static void of_device(int dev)
{
	struct job job = { .dev = dev };
	struct owner o;
	struct agent a;

	is_owned(LIVEUPDATE_DEVICE_SESSION, 0, "", "unclaimed", 0,
		 "nobody asked for its file");
	a = agent("agent-d", restores, &job);
	is_owned(LIVEUPDATE_DEVICE_SESSION, a.pid, "agent-d", "claimed", 1,
		 "the process that restored its file");
	o = owner_of(LIVEUPDATE_DEVICE_SESSION);
	check(o.files == 1 && o.retrieved == 1, "its file is listed as retrieved");
	end(&a);
	is_owned(LIVEUPDATE_DEVICE_SESSION, 0, "", "claimed", 1,
		 "that process has exited, and the device is open");
	close(dev);
	is_owned(LIVEUPDATE_DEVICE_SESSION, getpid(), "owner_test", "dropped", 1,
		 "the process that closed the device");
}

int main(int argc, char **argv)
{
	int dev = open_device(), s;
	size_t i;

	must(dev >= 0, DEVICE);
	if (argc == 2 && !strcmp(argv[1], "hold")) {
		for (i = 0; i < NR_NAMES; i++) {
			s = create(dev, names[i]);
			must(!preserve(s, test_file(1), 1), names[i]);
		}
		must(!dev_preserve(dev, test_file(2), TOKEN), "FD_PRESERVE");
		hold_until_kexec();
	}
	puts("KTAP version 1");
	failed_claims(dev);
	passed_on(dev);
	threads(dev);
	inherited(dev);
	of_device(dev);
	return end_tests();
}
