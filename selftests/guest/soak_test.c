// SPDX-License-Identifier: GPL-2.0

/*
 * Many live updates in a row, with agents that come and go: sessions and files of random
 * number, size and state, agents that are killed, reboots that are vetoed, sessions that
 * nobody claims. Each stage compares every byte of what it was handed over.
 *
 *	soak_test next SEED STAGE [base]
 *		check what was handed over, add a line about the memory of this kernel, make
 *		what the next stage expects, hold it; base: the next kernel is the base's
 *	soak_test last SEED STAGE
 *		the same without the next stage, and judge the lines, as TAP
 *
 * All of it depends on SEED and STAGE alone.
 */

#include "luo_test.h"

#include <limits.h>
#include <math.h>
#include <signal.h>
#include <sys/param.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define EXPECTED	"/state/expected"
#define MEMORY		"/state/memory"
#define MAX_AGENTS	8
#define MAX_FILES	6
#define MAX_STAGES	1024
#define MAX_ROWS	(MAX_AGENTS * MAX_FILES + 2)

enum { GLOBAL = false, SESSION = true };

/* A file that the next stage gets, or, with token -1, a session that it must not get. */
struct row {
	char session[32];
	long token;
	long size;		/* of a memfd; -1 for a test file */
	unsigned long seed;	/* of its content, or its cookie */
};

static uint64_t state_of;
static bool ours;

static unsigned int draw(void)
{
	state_of = state_of * 6364136223846793005ULL + 1442695040888963407ULL;
	return state_of >> 33;
}

static bool one_in(unsigned int n)
{
	return !(draw() % n);
}

static size_t draw_size(void)
{
	switch (draw() % 6) {
	case 0:
		return 0;
	case 1:
		return draw() % 4096;
	case 2:
		return 4096 * (draw() % 16);
	case 3:
		return draw() % (4 << 20);
	default:
		return draw() % 65536;
	}
}

static int session_event(int session, int what)
{
	return event(session, SESSION, what);
}

/* Bring a session, or one file of it, to a random state. */
static void shuffle(int session, unsigned int files)
{
	uint64_t token = files ? draw() % files : 0;

	if (files && one_in(4)) {
		must(!file_event(session, token, LIVEUPDATE_PREPARE), "prepare a file");
		if (one_in(2))
			must(!file_event(session, token, LIVEUPDATE_FREEZE), "freeze it");
		if (one_in(3))
			must(!file_event(session, token, LIVEUPDATE_CANCEL), "cancel it");
	}
	if (!one_in(3))
		return;
	must(!session_event(session, LIVEUPDATE_PREPARE), "prepare a session");
	if (one_in(2))
		must(!session_event(session, LIVEUPDATE_FREEZE), "freeze it");
	if (one_in(3))
		must(!session_event(session, LIVEUPDATE_CANCEL), "cancel it");
}

/* Preserves files and says so, then waits for its end. */
static void agent(int session, const char *name, int out, bool for_base)
{
	unsigned int n = draw() % (MAX_FILES + 1), i;
	struct row row;
	int fd;

	snprintf(row.session, sizeof(row.session), "%s", name);
	for (i = 0; i < n; i++) {
		row.token = i;
		row.seed = draw() | 1;
		row.size = ours && !for_base && one_in(4) ? -1 : (long)draw_size();
		fd = row.size < 0 ? test_file(row.seed) : memfd(row.size, row.seed);
		must(fd >= 0 && !preserve(session, fd, i), "preserve");
		if (ours && one_in(6))
			must(!unpreserve(session, i) && !preserve(session, fd, i),
			     "preserve again");
		close(fd);
		must(write(out, &row, sizeof(row)) == sizeof(row), "pipe");
	}
	if (ours)
		shuffle(session, n);
	close(out);
	pause();
	_exit(1);
}

/* Returns how many rows there are. */
static int start_agents(int dev, unsigned int stage, bool for_base, struct row *rows)
{
	unsigned int n = draw() % MAX_AGENTS + 1, i;
	int count = 0, pipes[2], session;
	uint64_t seed;
	pid_t pid;

	for (i = 0; i < n; i++) {
		struct row *row = &rows[count];
		bool killed;

		snprintf(row->session, sizeof(row->session), "agent-%u-%u", stage, i);
		session = create(dev, row->session);
		must(session >= 0 && !pipe(pipes), "a session");
		seed = draw();
		killed = one_in(5);
		pid = fork();
		must(pid >= 0, "fork");
		if (!pid) {
			char name[32];

			snprintf(name, sizeof(name), "%s", row->session);
			state_of = seed;
			close(pipes[0]);
			close(dev);
			agent(session, name, pipes[1], for_base);
		}
		close(session);
		close(pipes[1]);
		while (read(pipes[0], &rows[count + 1], sizeof(*row)) == sizeof(*row))
			count++;
		close(pipes[0]);
		/* The first row says that there is the session. */
		row->token = -2;
		count++;
		if (!killed)
			continue;
		kill(pid, SIGKILL);
		must(waitpid(pid, NULL, 0) == pid, "an agent that dies");
		count = row - rows + 1;
		row->token = -1;
	}
	return count;
}

/* A reboot that a handler vetoes changes nothing. */
static void veto(int dev, bool for_base, struct row *rows, int *count)
{
	int session = create(dev, "veto"), fd = test_file(77);

	must(session >= 0 && !preserve(session, fd, 0) &&
	     !test_set(fd, LIVEUPDATE_TEST_FREEZE, EDOM, 1), "a veto");
	must(reboot_kexec() == -EDOM, "a reboot that is vetoed");
	if (for_base) {
		close(session);
		return;
	}
	rows[(*count)++] = (struct row){ "veto", -2, 0, 0 };
	rows[(*count)++] = (struct row){ "veto", 0, -1, 77 };
}

static void prepare_all(int dev)
{
	if (!one_in(3))
		return;
	must(!event(dev, GLOBAL, LIVEUPDATE_PREPARE), "prepare all");
	if (one_in(3))
		must(!event(dev, GLOBAL, LIVEUPDATE_CANCEL), "cancel all");
}

static int hold(unsigned int stage, bool for_base)
{
	static struct row rows[MAX_ROWS + MAX_AGENTS];
	int dev = open_device(), count;
	FILE *f = fopen(EXPECTED, "w");

	must(dev >= 0 && f, "device");
	count = start_agents(dev, stage, for_base, rows);
	if (ours) {
		prepare_all(dev);
		if (state(dev, GLOBAL) == LIVEUPDATE_STATE_NORMAL && one_in(3))
			veto(dev, for_base, rows, &count);
	}
	must(fwrite(rows, sizeof(rows[0]), count, f) == (size_t)count && !fclose(f),
	     EXPECTED);
	return hold_until_kexec();
}

static bool is_right(int fd, const struct row *row)
{
	if (fd < 0)
		return false;
	return row->size < 0 ? test_get(fd).cookie == row->seed :
			       memfd_intact(fd, row->size, row->seed);
}

/* One session with its rows; the first row has none of its files. */
static void check_session(int dev, const struct row *rows, int files)
{
	int session, i, fd, at = files ? draw() % files : 0;

	/* The global FINISH discards it. The base keeps it. */
	if (ours && one_in(8))
		return;
	session = claim(dev, rows->session);
	must(session >= 0, rows->session);
	if (ours && one_in(6)) {
		close(session);
		session = claim(dev, rows->session);
		must(session >= 0, "claim it again");
	}
	for (i = 0; i < files; i++, at = (at + 1) % files) {
		if (ours && one_in(10))
			continue;
		fd = retrieve(session, rows[1 + at].token);
		if (!is_right(fd, &rows[1 + at])) {
			fprintf(stderr, "soak_test: session %s token %ld of %ld bytes: %s\n",
				rows->session, rows[1 + at].token, rows[1 + at].size,
				fd < 0 ? strerror(-fd) : "another content");
			exit(1);
		}
		close(fd);
	}
	if (ours && files && one_in(4)) {
		for (i = 0; i < files; i++)
			must(!file_event(session, rows[1 + i].token, LIVEUPDATE_FINISH),
			     "finish a file");
		must(state(session, SESSION) == LIVEUPDATE_STATE_NORMAL, "a finished session");
	} else {
		must(!finish(session), "finish");
	}
	close(session);
}

static void check_all(void)
{
	static struct row rows[MAX_ROWS + MAX_AGENTS];
	FILE *f = fopen(EXPECTED, "r");
	int dev = open_device(), n, i, files;

	must(dev >= 0 && f, EXPECTED);
	n = fread(rows, sizeof(rows[0]), MAX_ROWS + MAX_AGENTS, f);
	fclose(f);
	for (i = 0; i < n; i += files + 1) {
		for (files = 0; i + files + 1 < n && rows[i + files + 1].token >= 0; files++)
			;
		if (rows[i].token == -1)
			must(claim(dev, rows[i].session) == -ENOENT, "no killed agent");
		else
			check_session(dev, &rows[i], files);
	}
	if (ours && state(dev, GLOBAL) == LIVEUPDATE_STATE_UPDATED)
		must(!event(dev, GLOBAL, LIVEUPDATE_FINISH), "finish all");
	close(dev);
}

static unsigned long meminfo(const char *key)
{
	char line[128];
	unsigned long kb = 0;
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, key, strlen(key)))
			kb = strtoul(line + strlen(key), NULL, 10);
	}
	fclose(f);
	return kb;
}

/* What was freed is free only after a while: the best of some readings. */
static void add_memory(unsigned int stage)
{
	unsigned long slab = ULONG_MAX, available = 0;
	FILE *f = fopen(MEMORY, "a");
	int i;

	must(!!f, MEMORY);
	for (i = 0; i < 2; i++) {
		must(!system("sync; echo 3 > /proc/sys/vm/drop_caches; sleep 0.2"), "sync");
		slab = MIN(slab, meminfo("Slab:"));
		available = MAX(available, meminfo("MemAvailable:"));
	}
	fprintf(f, "%d %u %lu %lu %lu\n", ours, stage, slab, available,
		(unsigned long)preserved_pages());
	must(!fclose(f), MEMORY);
}

/* Least squares: by how much @y grows with each @x, and the error of that. */
static double slope(const double *x, const double *y, int n, double *error)
{
	double mx = 0, my = 0, sxx = 0, sxy = 0, rest = 0, b;
	int i;

	for (i = 0; i < n; i++) {
		mx += x[i] / n;
		my += y[i] / n;
	}
	for (i = 0; i < n; i++) {
		sxx += (x[i] - mx) * (x[i] - mx);
		sxy += (x[i] - mx) * (y[i] - my);
	}
	b = sxy / sxx;
	for (i = 0; i < n; i++)
		rest += pow(y[i] - my - b * (x[i] - mx), 2);
	*error = n > 2 ? sqrt(rest / (n - 2) / sxx) : INFINITY;
	return b;
}

/* KiB an update: less than a page is no leak of pages. */
#define LEAK	4.0

static void judge_slope(const char *what, const double *x, const double *y, int n,
			int sign, bool ours_too)
{
	double error, b = slope(x, y, n, &error);

	/* By chance once in some hundred times. */
	check(sign * b - 3 * error < LEAK, "%s %s by %+.2f +- %.2f KiB an update, in %d",
	      ours_too ? "here" : "in the base's kernel:", what, b, error, n);
}

static int judge(void)
{
	static double x[2][MAX_STAGES], slab[2][MAX_STAGES], available[2][MAX_STAGES];
	unsigned long a, b, pages, first = 0;
	unsigned int stage, updates = 0;
	FILE *f = fopen(MEMORY, "r");
	int n[2] = {}, kind;
	bool same = true;

	must(!!f, MEMORY);
	while (fscanf(f, "%d %u %lu %lu %lu", &kind, &stage, &a, &b, &pages) == 5) {
		updates = stage;
		/* The first kernels settle. */
		if (stage < 3 || n[kind] == MAX_STAGES)
			continue;
		x[kind][n[kind]] = stage;
		slab[kind][n[kind]] = a;
		available[kind][n[kind]++] = b;
		first = first ?: pages;
		same &= !kind || pages == first;
	}
	fclose(f);
	check(updates > 2, "%u live updates, every byte as it was", updates);
	check(same, "each kernel of this LUO preserves the same number of pages by itself");
	for (kind = 1; kind >= 0; kind--) {
		if (n[kind] < 3)
			continue;
		judge_slope("slab grows", x[kind], slab[kind], n[kind], 1, kind);
		judge_slope("available memory grows", x[kind], available[kind], n[kind], -1,
			    kind);
	}
	return end_tests();
}

int main(int argc, char **argv)
{
	bool last = argc == 4 && !strcmp(argv[1], "last");
	unsigned int stage;

	if (!last && (argc < 4 || strcmp(argv[1], "next")))
		return 2;
	stage = strtoul(argv[3], NULL, 0);
	state_of = strtoull(argv[2], NULL, 0) * 1000003 + stage;
	ours = !access("/sys/kernel/liveupdate/state", F_OK);
	if (stage)
		check_all();
	add_memory(stage);
	return last ? judge() : hold(stage, argc > 4 && !strcmp(argv[4], "base"));
}
