// SPDX-License-Identifier: GPL-2.0

/*
 * What the kernel allocates for an agent is charged to the agent's memory cgroup. Needs
 * cgroup2 with the memory controller enabled at GROUPS.
 */

#include "luo_test.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define GROUPS		"/sys/fs/cgroup/"
#define LIMIT		(48UL << 20)
#define SESSIONS	30000
#define FEW		4000

static void put(const char *group, const char *file, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), GROUPS "%s/%s", group, file);
	fd = open(path, O_WRONLY);
	must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text),
	     path);
	close(fd);
}

static unsigned long get(const char *group, const char *file)
{
	char path[128], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), GROUPS "%s/%s", group, file);
	fd = open(path, O_RDONLY);
	must(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0, path);
	close(fd);
	return strtoul(text, NULL, 10);
}

/* Free memory in bytes. */
static unsigned long mem_free(void)
{
	unsigned long kb = 0;
	char line[128];
	FILE *f = fopen("/proc/meminfo", "r");

	must(f, "/proc/meminfo");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "MemFree: %lu", &kb) == 1)
			break;
	}
	fclose(f);
	return kb << 10;
}

/* Move the calling process into a new group and raise its limit of descriptors. */
static void enter(const char *group, const char *limit)
{
	const struct rlimit many = { 2 * SESSIONS, 2 * SESSIONS };
	char path[128];

	snprintf(path, sizeof(path), GROUPS "%s", group);
	must(!mkdir(path, 0755), path);
	put(group, "memory.max", limit);
	put(group, "cgroup.procs", "0");
	must(!setrlimit(RLIMIT_NOFILE, &many), "RLIMIT_NOFILE");
}

static int create_number(int dev, int i)
{
	char name[NAME_LEN];

	snprintf(name, sizeof(name), "session-%d", i);
	return create(dev, name);
}

/* Writes to the pipe after each thousand; 0 if all succeeded. */
static int create_many(int tell)
{
	int dev, i, ret;

	enter("few", "50331648");
	dev = open_device();
	if (dev < 0)
		return 2;
	for (i = 0; i < SESSIONS; i++) {
		ret = create_number(dev, i);
		if (ret < 0)
			return ret == -ENOMEM ? 1 : 2;
		if (i % 1000 == 999 && write(tell, &i, sizeof(i)) != sizeof(i))
			return 2;
	}
	return 0;
}

TEST(sessions_are_limited_by_the_group)
{
	int tell[2], status, i, last = 0;
	pid_t pid;

	ASSERT_EQ(0, pipe(tell));
	pid = fork();
	if (!pid)
		_exit(create_many(tell[1]));
	close(tell[1]);
	while (read(tell[0], &i, sizeof(i)) == sizeof(i))
		last = i + 1;
	waitpid(pid, &status, 0);
	printf("# %d sessions in a group of %lu MiB, then status %#x; peak %lu KiB\n",
	       last, LIMIT >> 20, status, get("few", "memory.peak") >> 10);
	/* It gets ENOMEM, or the OOM killer kills it. */
	EXPECT_TRUE((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ||
		    (WIFEXITED(status) && WEXITSTATUS(status) == 1));
	EXPECT_LT(1000, last);
	EXPECT_GT(SESSIONS, last);
}

struct cost {
	unsigned long used;	/* bytes */
	unsigned long charged;
};

static int one_memfd(int dev, int session, int i)
{
	int fd = memfd(0, 0), ret;

	(void)dev;
	ret = fd < 0 ? fd : preserve(session, fd, i);
	close(fd);
	return ret;
}

static int one_test_file(int dev, int session, int i)
{
	int fd = test_file(1), ret;

	(void)dev;
	ret = fd < 0 ? fd : preserve(session, fd, i);
	close(fd);
	return ret;
}

static int one_session(int dev, int session, int i)
{
	(void)session;
	return create_number(dev, i);
}

/* What one of many objects costs, and how much of it is charged to the group. */
static int measure(const char *group, int (*one)(int dev, int session, int i),
		   struct cost *cost)
{
	unsigned long used, charged;
	int dev, session, i;

	enter(group, "max");
	dev = open_device();
	session = dev < 0 ? dev : create(dev, "measured");
	if (session < 0)
		return 1;
	/* The first of them fill slabs that are already allocated. */
	for (i = 0; i < FEW / 4; i++) {
		if (one(dev, session, i) < 0)
			return 1;
	}
	used = mem_free();
	charged = get(group, "memory.current");
	for (; i < FEW / 4 + FEW; i++) {
		if (one(dev, session, i) < 0)
			return 1;
	}
	cost->used = (used - mem_free()) / FEW;
	cost->charged = (get(group, "memory.current") - charged) / FEW;
	return 0;
}

static struct cost cost_of(const char *group,
			   int (*one)(int dev, int session, int i))
{
	struct cost *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0), cost;
	pid_t pid = fork();
	int status;

	must(shared != MAP_FAILED && pid >= 0, group);
	if (!pid)
		_exit(measure(group, one, shared));
	waitpid(pid, &status, 0);
	must(!status, group);
	cost = *shared;
	munmap(shared, sizeof(*shared));
	printf("# %s: %lu bytes each, %lu of them charged\n", group, cost.used,
	       cost.charged);
	return cost;
}

/*
 * The cost is only printed: free memory varies by some MiB with the CPUs' lists of pages.
 * What is charged does not vary. The rest is charged to no group: KHO's own tables, and
 * what all share, such as hash buckets.
 */

TEST(an_empty_memfd_is_charged)
{
	struct cost cost = cost_of("memfds", one_memfd);

	/* This includes its preserved page. */
	EXPECT_LT(4096 + 1024, cost.charged);
}

TEST(a_test_file_is_charged)
{
	struct cost cost = cost_of("files", one_test_file);

	EXPECT_LT(4096 + 1024, cost.charged);
}

TEST(a_session_is_charged)
{
	struct cost cost = cost_of("sessions", one_session);

	/* Its file and its name take some 700 of these bytes. */
	EXPECT_LT(1024, cost.charged);
}

RUN_CASES_MAIN
