// SPDX-License-Identifier: GPL-2.0

/*
 * Sessions and files as the BPF iterators that bpftool pinned and debugfs show them,
 * against each other and against what was created.
 *
 *	inspect_test		outgoing sessions
 *	inspect_test hold	hold some for the next kernel
 *	inspect_test incoming	in the next kernel
 */

#include "luo_test.h"

#include <ctype.h>
#include <pthread.h>
#include <stdatomic.h>

#define DEBUGFS		"/sys/kernel/debug/liveupdate/sessions"
#define SESSIONS	"/sys/fs/bpf/luo_session"
#define FILES		"/sys/fs/bpf/luo_file"
#define STABLE		200	/* sessions that stay */
#define NR_FILES	50	/* files that stay */
#define READS		30	/* while others come and go */
#define MEMFD_PAGES	100
#define PAGE		4096
/* A name that looks like fields and another line. */
#define ODD		"odd =1\n\x01\xc3"


/* Read a whole file, @piece bytes at a time; to be freed. */
static char *slurp(const char *path, size_t piece)
{
	size_t used = 0, room = 1 << 22;
	char *all = malloc(room);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;

	while (fd >= 0 && n && used + piece < room) {
		n = read(fd, all + used, piece);
		if (n < 0 && errno != EAGAIN)
			break;
		used += n > 0 ? n : 0;
	}
	close(fd);
	all[n ? 0 : used] = '\0';
	return all;
}

/* The line that begins with @begin, or that has it if it begins with a space. */
static char *line_of(const char *all, const char *begin)
{
	static char line[1024];
	const char *at = all, *end;

	for (; at && *at; at = end ? end + 1 : NULL) {
		end = strchr(at, '\n');
		snprintf(line, sizeof(line), "%.*s",
			 end ? (int)(end - at) : 0, at);
		if (*begin == ' ' ? !!strstr(line, begin) :
				    !strncmp(line, begin, strlen(begin)))
			return line;
	}
	return NULL;
}

static long long field(const char *line, const char *key)
{
	const char *at = line ? strstr(line, key) : NULL;
	char *end;
	long long n;

	if (!at)
		return -1;
	n = strtoll(at + strlen(key), &end, 10);
	return end == at + strlen(key) ? -2 : n;
}

static size_t count(const char *all, const char *what)
{
	size_t n = 0;

	for (; (all = strstr(all, what)); all++)
		n++;
	return n;
}

/* Each line of the iterators is in debugfs, where files are listed under sessions. */
static bool same_everywhere(void)
{
	char *text = slurp(DEBUGFS, PAGE), *all[2], *save, *line, *at;
	size_t lines = 0;
	bool same = true;
	int i;

	all[0] = slurp(SESSIONS, PAGE);
	all[1] = slurp(FILES, PAGE);
	for (i = 0; i < 2; i++) {
		for (line = strtok_r(all[i], "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save)) {
			at = i ? strstr(line, " token=") : line;
			lines++;
			if (at && strstr(text, at))
				continue;
			printf("# not in debugfs: %s\n", line);
			same = false;
		}
		free(all[i]);
	}
	same = same && lines && lines == count(text, "\n");
	free(text);
	return same;
}

static void what_exists_is_shown(int dev)
{
	int s = create(dev, "plain"), t = test_file(7), odd;
	long long first;
	uint64_t before;
	char *all, *line;

	preserve(s, t, 5);
	all = slurp(SESSIONS, 100);
	first = field(line_of(all, "session=plain "), " pages=");
	free(all);
	before = preserved_pages();
	preserve(s, memfd(MEMFD_PAGES * PAGE, 1), 6);
	before = preserved_pages() - before;

	check(same_everywhere(), "iterators and debugfs say the same");
	odd = create(dev, ODD);
	all = slurp(SESSIONS, 100);
	line = line_of(all, "session=plain ");
	check(line && strstr(line, " dir=out state=normal files=2 retrieved=0 failed=0 orphans=0 ") &&
	      strstr(line, " opened_ns=") && field(line, " claims=") == 1 &&
	      field(line, " owner=") == getpid() &&
	      strstr(line, " comm=inspect_test ") &&
	      field(line, " finish_ret=") == 0, "a session");
	free(all);

	all = slurp(FILES, 100);
	line = line_of(all, " token=6 ");
	check(line && strstr(line, "compatible=memfd-v2 state=preserved handler=1") &&
	      field(line, " pages=") == (long long)before &&
	      before >= MEMFD_PAGES, "a file has the pages that KHO preserved");
	free(all);
	unpreserve(s, 6);
	all = slurp(SESSIONS, 100);
	check(first > 0 &&
	      field(line_of(all, "session=plain "), " pages=") == first,
	      "an unpreserved file is not listed");
	free(all);

	/* A failure is shown until the call succeeds. */
	test_set(t, LIVEUPDATE_TEST_FREEZE, EDOM, 1);
	event(s, true, LIVEUPDATE_PREPARE);
	event(s, true, LIVEUPDATE_FREEZE);
	all = slurp(FILES, 100);
	line = line_of(all, " token=5 ");
	check(field(line, " ret=") == -EDOM && strstr(line, " op=freeze"),
	      "a file that failed to freeze");
	free(all);
	all = slurp(SESSIONS, 100);
	check(field(line_of(all, "session=plain "), " failed=") == 1,
	      "and its session");
	free(all);
	check(!event(s, true, LIVEUPDATE_PREPARE) &&
	      !event(s, true, LIVEUPDATE_FREEZE), "it freezes");
	all = slurp(SESSIONS, 100);
	line = line_of(all, "session=plain ");
	check(field(line, " failed=") == 0 && strstr(line, " state=frozen "),
	      "the session does not fail any more");
	free(all);
	all = slurp(FILES, 100);
	check(field(line_of(all, " token=5 "), " ret=") == 0, "nor does its file");
	free(all);

	all = slurp(SESSIONS, 100);
	check(line_of(all, "session=odd??1??? dir="), "a name cannot break a line");
	free(all);
	all = slurp(DEBUGFS, 100);
	check(line_of(all, "session=odd\\040\\0751\\n\\001\\303 dir="),
	      "nor in debugfs");
	free(all);
	close(s);
	close(odd);
	all = slurp(DEBUGFS, 100);
	check(!*all, "nothing is left");
	free(all);
}

static atomic_bool stop;

static void *comes_and_goes(void *data)
{
	int dev = *(int *)data, s, t = test_file(1);
	unsigned int i;
	char name[32];

	for (i = 0; !stop; i++) {
		snprintf(name, sizeof(name), "gone-%u", i);
		s = create(dev, name);
		preserve(s, t, 1);
		close(s);
	}
	return NULL;
}

static void *files_come_and_go(void *data)
{
	int s = *(int *)data, t = test_file(2);

	while (!stop) {
		preserve(s, t, 100000);
		unpreserve(s, 100000);
	}
	return NULL;
}

/* While others come and go, those that stay are shown once. */
static void what_stays_is_shown_once(int dev)
{
	static const size_t pieces[] = { 64, 500, 4096, 1 << 16 };
	bool sessions = true, files = true, text = true;
	int held[STABLE], i, r;
	pthread_t threads[2];
	char what[64], *all;

	for (i = 0; i < STABLE; i++) {
		snprintf(what, sizeof(what), "stays-%d", i);
		held[i] = create(dev, what);
	}
	for (i = 0; i < NR_FILES; i++)
		preserve(held[STABLE / 2], test_file(i + 1), i);
	pthread_create(&threads[0], NULL, comes_and_goes, &dev);
	pthread_create(&threads[1], NULL, files_come_and_go, &held[STABLE / 2]);
	for (r = 0; r < READS; r++) {
		all = slurp(SESSIONS, pieces[r % 4]);
		for (i = 0; i < STABLE; i++) {
			snprintf(what, sizeof(what), "session=stays-%d ", i);
			sessions = sessions && count(all, what) == 1;
		}
		free(all);
		all = slurp(FILES, pieces[r % 4]);
		for (i = 0; i < NR_FILES; i++) {
			snprintf(what, sizeof(what), " token=%d ", i);
			/* Those that come and go have this token, too. */
			files = files && (i == 1 || count(all, what) == 1);
		}
		free(all);
		all = slurp(DEBUGFS, pieces[r % 4]);
		text = text && count(all, "session=stays-") == STABLE;
		free(all);
	}
	stop = true;
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	check(sessions, "each session that stays once");
	check(files, "each file that stays once");
	check(text, "and in debugfs");
	for (i = 0; i < STABLE; i++)
		close(held[i]);
}

/* A handler stuck in a callback does not block readers. */
static void readers_wait_for_no_handler(int dev)
{
	struct liveupdate_test_set set = {
		.size = sizeof(set), .op = LIVEUPDATE_TEST_PREPARE,
		.delay_us = 3000000,
	};
	int s = create(dev, "slow"), t = test_file(1);
	char *all;
	int child;

	call(t, LIVEUPDATE_TEST_SET, &set);
	preserve(s, t, 1);
	child = fork();
	if (!child)
		_exit(event(s, true, LIVEUPDATE_PREPARE) ? 1 : 0);
	usleep(500000);
	all = slurp(SESSIONS, PAGE);
	/* It is not prepared yet, so this was read during the callback. */
	check(line_of(all, "session=slow dir=out state=normal "),
	      "a session whose handler is in a callback");
	free(all);
	all = slurp(FILES, PAGE);
	check(line_of(all, " token=1 compatible=liveupdate-test-v1 state=preserved "),
	      "its file");
	free(all);
	while (state(s, true) != LIVEUPDATE_STATE_PREPARED)
		usleep(100000);
	close(s);
}

static void hold(int dev)
{
	int s = create(dev, "taken"), t = test_file(3);

	preserve(s, memfd(MEMFD_PAGES * PAGE, 1), 1);
	preserve(s, t, 2);
	create(dev, "left");
	hold_until_kexec();
}

static void incoming(int dev)
{
	char *all = slurp(SESSIONS, 64), *line = line_of(all, "session=taken ");
	long long pages = field(line, " pages="), first;
	int s;

	check(line && strstr(line, " dir=in state=updated files=2 retrieved=0") &&
	      field(line, " claims=") == 0 && field(line, " open=") == 0 &&
	      pages > MEMFD_PAGES, "an unclaimed session");
	check(line_of(all, "session=left dir=in "), "one without files");
	first = field(line, " born_ns=");
	free(all);
	all = slurp(FILES, PAGE);
	check(field(line_of(all, " token=1 "), " pages=") == -2,
	      "pages of a file are unknown");
	free(all);

	s = claim(dev, "taken");
	create(dev, "out");
	close(retrieve(s, 1));
	all = slurp(SESSIONS, 64);
	line = line_of(all, "session=taken ");
	check(field(line, " retrieved=") == 1 && field(line, " claims=") == 1 &&
	      field(line, " open=") == 1 && field(line, " owner=") == getpid() &&
	      field(line, " opened_ns=") > first &&
	      field(line, " closed_ns=") == 0 && field(line, " pages=") == pages,
	      "claimed, one file retrieved");
	check(strstr(all, "session=out dir=out") > strstr(all, "session=left "),
	      "incoming ones come first");
	free(all);
	all = slurp(FILES, PAGE);
	check(field(line_of(all, " token=1 "), " pages=") >= MEMFD_PAGES,
	      "pages that it retrieved");
	free(all);
	check(same_everywhere(), "iterators and debugfs say the same");
	close(s);
	all = slurp(SESSIONS, 64);
	line = line_of(all, "session=taken ");
	check(field(line, " open=") == 0 && field(line, " closed_ns=") > 0,
	      "closed");
	free(all);
	s = claim(dev, "taken");
	finish(s);
	all = slurp(SESSIONS, 64);
	check(!line_of(all, "session=taken "), "a finished one is gone");
	free(all);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int dev = open_device();

	if (!strcmp(what, "hold"))
		hold(dev);
	puts("KTAP version 1");
	if (!strcmp(what, "incoming")) {
		incoming(dev);
	} else {
		what_exists_is_shown(dev);
		what_stays_is_shown_once(dev);
		readers_wait_for_no_handler(dev);
	}
	return end_tests();
}
