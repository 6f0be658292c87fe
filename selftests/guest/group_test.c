// SPDX-License-Identifier: GPL-2.0

/*
 * What an agent has the kernel keep is charged to the agent's memory cgroup. Needs
 * cgroup2 with the memory controller on at GROUPS.
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

/* Memory that nobody has, in bytes. */
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

/* The calling process goes into a new group, and may have many descriptors. */
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

/* Tells the pipe after each thousand; 0 if all went through. */
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

TEST(sessions_end_where_the_limit_of_the_group_is)
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
	/* Told that there is no memory, or killed for it. */
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

/* What one of many costs, and what the group is charged of it. */
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
	/* The first of them fill what is there already. */
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
 * What it costs is for whoever reads it: free memory moves by some MiB with what lies on
 * the lists of the CPUs. What is charged does not. The rest is nobody's: KHO's own
 * tables, and what is shared by all, such as hash buckets.
 */

TEST(an_empty_memfd_is_charged)
{
	struct cost cost = cost_of("memfds", one_memfd);

	/* Its preserved page is in it. */
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

	/* Its file and its name are some 700, which they always were. */
	EXPECT_LT(1024, cost.charged);
}

RUN_CASES_MAIN
