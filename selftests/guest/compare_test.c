// SPDX-License-Identifier: GPL-2.0

/*
 * How long the calls of an agent take, on any LUO: with the ioctls of the base's header
 * and memfds, and with the state machines if this LUO has them. Prints a line of JSON for
 * each step: how many objects exist, how many calls were timed, ns of all of them.
 *
 *	compare_test out N	sessions and files that come and go
 *	compare_test hold N	sessions and files for the next kernel, held
 *	compare_test in N	retrieve them there
 *	compare_test hold-gib	1 GiB of memfds instead
 *	compare_test in-gib
 *
 * With the name of a step as the last argument its functions are counted, see
 * selftests/bench/functions, and so are its calls.
 *
 * The first calls of a step are not timed: emulation translates the code then. Steps in
 * brackets have nothing to do with LUO: that they cost more among more objects is an
 * effect of the CPU's caches.
 */

#include "luo_test.h"

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>

#define WARM		32
#define ENOUGH		1000	/* calls to time where a step can be repeated */
#define GIB_FILES	8
#define GIB_SIZE	(128UL << 20)

/* What a step took so far. */
struct step {
	const char *name;
	uint64_t ns, calls, since;
};

static struct step counted = { "" };

static bool is_counted(const struct step *step)
{
	return !strcmp(step->name, counted.name);
}

static void begin(struct step *step)
{
	if (is_counted(step))
		count_functions();
	step->since = now_ns();
}

static void end(struct step *step, int calls)
{
	step->ns += now_ns() - step->since;
	step->calls += calls;
	if (is_counted(step)) {
		count_functions();
		counted.calls += calls;
	}
}

static void report(struct step *steps, int nr, const char *among)
{
	int i;

	for (i = 0; i < nr; i++) {
		if (steps[i].calls)
			printf("{\"step\": \"%s\", \"among\": \"%s\", \"calls\": %llu, \"ns\": %llu}\n",
			       steps[i].name, among,
			       (unsigned long long)steps[i].calls,
			       (unsigned long long)steps[i].ns);
	}
	fflush(stdout);
}

/* Mark in the trace what the following allocations are for. */
static void mark(const char *what)
{
	int fd = open("/sys/kernel/tracing/trace_marker", O_WRONLY);

	must(fd >= 0 && write(fd, what, strlen(what)) > 0, "trace_marker");
	close(fd);
}

static int make(int dev, const char *kind, int i)
{
	char name[NAME_LEN];
	int fd;

	snprintf(name, sizeof(name), "%s-%d", kind, i);
	fd = create(dev, name);
	must(fd >= 0, "create");
	return fd;
}

static int take(int dev, const char *kind, int i)
{
	char name[NAME_LEN];
	int fd;

	snprintf(name, sizeof(name), "%s-%d", kind, i);
	fd = claim(dev, name);
	must(fd >= 0, "claim");
	return fd;
}

static int make_memfd(size_t size)
{
	int fd = memfd_create("compare", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t at;

	must(fd >= 0 && !ftruncate(fd, size), "memfd");
	for (at = 0; at < size; at += 4096)
		must(pwrite(fd, "x", 1, at) == 1, "memfd");
	return fd;
}

static void fill(int session, int n, size_t size, struct step *kept)
{
	int i, fd;

	for (i = 0; i < n; i++) {
		fd = make_memfd(size);
		begin(kept);
		must(!preserve(session, fd, i), "preserve");
		end(kept, 1);
		close(fd);
	}
}

/* Files sessions of n files each, so that enough calls can be timed. */
static int sets(int n)
{
	return (ENOUGH + n - 1) / n;
}

/* Something that comes and goes as a file descriptor. */
struct handle {
	struct step create, ask, close;
	int (*make)(int dev, int i);
	bool (*answers)(int fd);
};

static int make_session(int dev, int i)
{
	return make(dev, "s", i);
}

static bool has_name(int fd)
{
	struct liveupdate_session_get_name name = { .size = sizeof(name) };

	return !call(fd, LIVEUPDATE_SESSION_GET_NAME, &name);
}

static int make_eventfd(int dev, int i)
{
	(void)dev;
	(void)i;
	return eventfd(0, EFD_CLOEXEC);
}

static bool has_flags(int fd)
{
	return fcntl(fd, F_GETFL) >= 0;
}

static int make_small_memfd(int dev, int i)
{
	(void)dev;
	(void)i;
	return make_memfd(4096);
}

static bool has_page(int fd)
{
	char c;

	return pread(fd, &c, 1, 0) == 1;
}

static const struct handle sessions = {
	{ "create session" }, { "GET_NAME" }, { "close session" },
	make_session, has_name
};

static const struct handle eventfds = {
	{ "(eventfd: create)" }, { "(eventfd: fcntl)" }, { "(eventfd: close)" },
	make_eventfd, has_flags
};

/* The cost of a preserved file without LUO. */
static const struct handle memfds = {
	{ "(memfd: create, fill)" }, { "(memfd: read)" }, { "(memfd: close)" },
	make_small_memfd, has_page
};

static void out_handles(const struct handle *of, int dev, int n, bool timed,
			const char *among)
{
	struct step steps[] = { of->create, of->ask, of->close };
	int *fds = calloc(n, sizeof(*fds)), i, round;
	int asks = n > ENOUGH ? n : ENOUGH;

	for (round = 0; round < sets(n); round++) {
		begin(&steps[0]);
		for (i = 0; i < n; i++) {
			fds[i] = of->make(dev, i);
			must(fds[i] >= 0, of->create.name);
		}
		end(&steps[0], n);
		begin(&steps[1]);
		for (i = 0; i < asks; i++)
			must(of->answers(fds[i % n]), of->ask.name);
		end(&steps[1], asks);
		begin(&steps[2]);
		for (i = n - 1; i >= 0; i--)
			close(fds[i]);
		end(&steps[2], n);
	}
	if (timed)
		report(steps, 3, among);
	free(fds);
}

/* Only where a session has a state. */
static void move(int session, unsigned int what, struct step *step, int files)
{
	begin(step);
	must(!event(session, true, what), step->name);
	end(step, files);
}

static void out_files(int dev, int n, bool timed, const char *among)
{
	enum { PRESERVE, PREPARE, FREEZE, CANCEL, UNPRESERVE, NR };
	struct step steps[NR] = { { "preserve file" }, { "prepare file" },
				  { "freeze file" }, { "cancel file" },
				  { "unpreserve file" } };
	int i, one;

	for (i = 0; i < sets(n); i++) {
		one = make(dev, "f", 0);
		fill(one, n, 4096, &steps[PRESERVE]);
		if (state(one, true) >= 0) {
			move(one, LIVEUPDATE_PREPARE, &steps[PREPARE], n);
			move(one, LIVEUPDATE_FREEZE, &steps[FREEZE], n);
			move(one, LIVEUPDATE_CANCEL, &steps[CANCEL], n);
		}
		begin(&steps[UNPRESERVE]);
		close(one);
		end(&steps[UNPRESERVE], n);
	}
	if (timed)
		report(steps, NR, among);
}

static void out(int dev, int n, const char *among)
{
	out_handles(&eventfds, dev, WARM, false, among);
	out_handles(&eventfds, dev, n, true, among);
	out_handles(&sessions, dev, WARM, false, among);
	out_handles(&sessions, dev, n, true, among);
	out_handles(&memfds, dev, WARM, false, among);
	out_handles(&memfds, dev, n, true, among);
	out_files(dev, WARM, false, among);
	out_files(dev, n, true, among);
}

/* As an agent does before it reboots, if LUO has a global state. */
static void prepare(int dev, const char *among)
{
	struct step step = { "PREPARE, before reboot()" };

	if (state(dev, false) < 0)
		return;
	begin(&step);
	must(!event(dev, false, LIVEUPDATE_PREPARE), "PREPARE");
	end(&step, 1);
	report(&step, 1, among);
}

static void hold(int dev, int n, const char *among)
{
	struct step untimed = { among };
	int i;

	for (i = 0; i < WARM; i++)
		make(dev, "ws", i);
	fill(make(dev, "wf", 0), WARM, 4096, &untimed);
	mark("sessions");
	for (i = 0; i < n; i++)
		make(dev, "s", i);
	mark("files");
	for (i = 0; i < sets(n); i++)
		fill(make(dev, "f", i), n, 4096, &untimed);
	mark("end");
	prepare(dev, among);
}

static void in_sessions(int dev, const char *kind, int n, bool timed,
			const char *among)
{
	enum { CLAIM, FINISH, CLOSE, NR };
	struct step steps[NR] = { { "claim session" }, { "finish session" },
				  { "close finished session" } };
	int *s = calloc(n, sizeof(*s)), i;

	begin(&steps[CLAIM]);
	for (i = 0; i < n; i++)
		s[i] = take(dev, kind, i);
	end(&steps[CLAIM], n);
	begin(&steps[FINISH]);
	for (i = n - 1; i >= 0; i--)
		must(!finish(s[i]), "finish");
	end(&steps[FINISH], n);
	begin(&steps[CLOSE]);
	for (i = n - 1; i >= 0; i--)
		close(s[i]);
	end(&steps[CLOSE], n);
	if (timed)
		report(steps, NR, among);
	free(s);
}

static void in_files(int dev, const char *kind, int nr, int n, bool timed,
		     const char *among)
{
	enum { RETRIEVE, FINISH, NR };
	struct step steps[NR] = { { "retrieve file" }, { "finish file" } };
	int i, j, fd, one;

	for (i = 0; i < nr; i++) {
		one = take(dev, kind, i);
		for (j = 0; j < n; j++) {
			begin(&steps[RETRIEVE]);
			fd = retrieve(one, j);
			end(&steps[RETRIEVE], 1);
			must(fd >= 0, "retrieve");
			close(fd);
		}
		begin(&steps[FINISH]);
		must(!finish(one), "finish");
		end(&steps[FINISH], n);
		close(one);
	}
	if (timed)
		report(steps, NR, among);
}

static void in(int dev, int n, const char *among)
{
	in_sessions(dev, "ws", WARM, false, among);
	in_sessions(dev, "s", n, true, among);
	in_files(dev, "wf", 1, WARM, false, among);
	in_files(dev, "f", sets(n), n, true, among);
}

static void hold_gib(int dev, int n, const char *among)
{
	struct step preserve = { "preserve file" };

	(void)n;
	fill(make(dev, "gib", 0), GIB_FILES, GIB_SIZE, &preserve);
	report(&preserve, 1, among);
	prepare(dev, among);
}

static void in_gib(int dev, int n, const char *among)
{
	(void)n;
	in_files(dev, "gib", 1, GIB_FILES, true, among);
}

static const struct {
	const char *name;
	void (*run)(int dev, int n, const char *among);
	bool holds, opens;
} modes[] = {
	{ "out", out },
	{ "hold", hold, .holds = true },
	{ "in", in, .opens = true },
	{ "hold-gib", hold_gib, .holds = true },
	{ "in-gib", in_gib, .opens = true },
};

int main(int argc, char **argv)
{
	struct rlimit many = { 200000, 200000 };
	struct step first = { "first open" };
	size_t i;
	int dev;

	must((argc == 3 || argc == 4) && !setrlimit(RLIMIT_NOFILE, &many), "usage");
	if (argc == 4)
		counted.name = argv[3];
	begin(&first);
	dev = open_device();
	end(&first, 1);
	must(dev >= 0, DEVICE);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(argv[1], modes[i].name))
			continue;
		if (modes[i].opens)
			report(&first, 1, argv[2]);
		modes[i].run(dev, atoi(argv[2]), argv[2]);
		counted.name = "counted";
		report(&counted, 1, argv[2]);
		if (!modes[i].holds)
			return 0;
		hold_until_kexec();
	}
	must(false, argv[1]);
}
