// SPDX-License-Identifier: GPL-2.0

/*
 * Random calls of /dev/liveupdate and of sessions, by several threads and processes, guided
 * by the coverage of kernel/liveupdate. What goes wrong is in the kernel log; besides, an
 * input must leave nothing preserved when its processes are gone.
 *
 *	fuzz_ioctl run SECONDS SEED CORPUS [POINTS SEEN]
 *	fuzz_ioctl replay CORPUS	each input of a corpus once
 *	fuzz_ioctl hold			sessions for the next stage
 *
 * CORPUS is read and written: inputs that run something new are added. POINTS has all
 * addresses that KCOV can give, SEEN those that were run, and is written, too; without them
 * nothing is new.
 */

#include "luo_test.h"
#include "fuzz_ops.h"

#include <sys/prctl.h>

#define MAX_INPUTS	4096
#define NR_THREADS	3
#define BATCH		16	/* inputs of one process */
#define BATCH_LIMIT_MS	30000

struct input {
	uint32_t nr;
	struct op ops[MAX_OPS];
};

/* Shared with the process that runs inputs. */
static struct shared {
	struct cover cover;
	unsigned long calls;
	unsigned int behaved;
	unsigned int nr;
	unsigned int done;
	struct input inputs[BATCH];
	uint8_t is_new[BATCH];
} *shared;

static struct input corpus[MAX_INPUTS];
static unsigned int nr_inputs;
static uint64_t seed;

static uint32_t draw(void)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return seed >> 33;
}

static void corpus_read(const char *path)
{
	FILE *f = fopen(path, "r");
	struct input *in;

	while (f && nr_inputs < MAX_INPUTS) {
		in = &corpus[nr_inputs];
		if (fread(&in->nr, sizeof(in->nr), 1, f) != 1)
			break;
		must(in->nr && in->nr <= MAX_OPS &&
		     fread(in->ops, sizeof(in->ops[0]), in->nr, f) == in->nr, path);
		nr_inputs++;
	}
	if (f)
		fclose(f);
}

static void corpus_write(const char *path)
{
	FILE *f = fopen(path, "w");
	unsigned int i;

	must(f, path);
	for (i = 0; i < nr_inputs; i++) {
		fwrite(&corpus[i].nr, sizeof(corpus[i].nr), 1, f);
		fwrite(corpus[i].ops, sizeof(corpus[i].ops[0]), corpus[i].nr, f);
	}
	must(!fclose(f), path);
}

static struct op draw_op(void)
{
	return (struct op) {
		.code = draw(), .a = draw(), .b = draw(), .c = draw(),
		.value = draw() >> draw() % 32,
	};
}

static void mutate_one(struct input *in)
{
	unsigned int at = in->nr ? draw() % in->nr : 0, n;
	const struct input *other;

	switch (draw() % 6) {
	case 0:	/* change a byte */
		if (in->nr)
			((uint8_t *)&in->ops[at])[draw() % sizeof(struct op)] = draw();
		break;
	case 1:	/* remove an operation */
		if (in->nr > 1)
			memmove(&in->ops[at], &in->ops[at + 1],
				(--in->nr - at) * sizeof(struct op));
		break;
	case 2:	/* repeat one, or move it */
		if (in->nr)
			in->ops[draw() % in->nr] = in->ops[at];
		break;
	case 3:	/* the end of another input */
		if (!nr_inputs)
			break;
		other = &corpus[draw() % nr_inputs];
		n = draw() % other->nr + 1;
		if (at + n > MAX_OPS)
			n = MAX_OPS - at;
		memcpy(&in->ops[at], &other->ops[other->nr - n], n * sizeof(struct op));
		in->nr = at + n;
		break;
	default:	/* one more operation */
		if (in->nr == MAX_OPS)
			break;
		memmove(&in->ops[at + 1], &in->ops[at], (in->nr - at) * sizeof(struct op));
		in->ops[at] = draw_op();
		in->nr++;
	}
}

static void make_input(struct input *in)
{
	unsigned int i, n;

	if (!nr_inputs || !(draw() % 8)) {
		in->nr = draw() % MAX_OPS + 1;
		for (i = 0; i < in->nr; i++)
			in->ops[i] = draw_op();
		return;
	}
	*in = corpus[draw() % nr_inputs];
	for (n = draw() % 6 + 1; n; n--)
		mutate_one(in);
	if (!in->nr)
		in->ops[in->nr++] = draw_op();
}

static pthread_barrier_t barrier;

static void begin_input(void)
{
	unsigned int i;

	io.dev = open(DEVICE, O_RDWR | O_CLOEXEC);
	for (i = 0; i < NR_SLOTS; i++) {
		io.session[i] = -1;
		io.file[i] = open(TEST_DEVICE, O_RDWR | O_CLOEXEC);
	}
	must(!socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, io.pair), "sockets");
}

static void end_input(void)
{
	unsigned int i;

	for (i = 0; i < NR_SLOTS; i++) {
		close(io.session[i]);
		close(io.file[i]);
	}
	close(io.pair[0]);
	close(io.pair[1]);
	event(io.dev, false, LIVEUPDATE_CANCEL);
	close(io.dev);
	shared->done++;
}

/* The code of an operation also says which thread has it. */
static void run_ops(const struct input *in, unsigned int number, struct kcov *kcov,
		    uint8_t *is_new)
{
	unsigned int i;

	for (i = 0; i < in->nr; i++) {
		if (in->ops[i].code / NR_CODES % NR_THREADS != number)
			continue;
		fuzz_do(&in->ops[i]);
		if (kcov_collect(kcov, &shared->cover))
			*is_new = 1;
	}
	fail_nth = 0;
}

static void *run_thread(void *data)
{
	unsigned int number = (uintptr_t)data, i;
	struct kcov kcov;

	kcov_begin(&kcov);
	for (i = 0; i < shared->nr; i++) {
		if (!number)
			begin_input();
		pthread_barrier_wait(&barrier);
		run_ops(&shared->inputs[i], number, &kcov, &shared->is_new[i]);
		pthread_barrier_wait(&barrier);
		if (!number) {
			end_input();
			if (kcov_collect(&kcov, &shared->cover))
				shared->is_new[i] = 1;
		}
	}
	return NULL;
}

static void ignore(int signal)
{
	(void)signal;
}

/* In a process of its own. */
static void run_inputs(void)
{
	size_t page = sysconf(_SC_PAGESIZE);
	pthread_t ids[NR_THREADS];
	uintptr_t i;

	signal(SIGUSR1, ignore);
	io.calls = &shared->calls;
	io.behaved = &shared->behaved;
	io.page = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(io.page != MAP_FAILED && !munmap(io.page + page, page), "page");
	pthread_barrier_init(&barrier, NULL, NR_THREADS);
	for (i = 0; i < NR_THREADS; i++)
		must(!pthread_create(&ids[i], NULL, run_thread, (void *)i), "threads");
	for (i = 0; i < NR_THREADS; i++)
		pthread_join(ids[i], NULL);
	_exit(0);
}

/* What an input has told subsystems and FLB is not for the next one. */
static void reset_targets(void)
{
	struct liveupdate_test_set a = { .size = sizeof(a) };
	int fd = open(TEST_DEVICE, O_RDWR | O_CLOEXEC);

	for (a.target = LIVEUPDATE_TEST_ON_FIRST; a.target < LIVEUPDATE_TEST_NR_TARGETS;
	     a.target++)
		for (a.op = 0; a.op < LIVEUPDATE_TEST_NR_OPS; a.op++)
			call(fd, LIVEUPDATE_TEST_SET, &a);
	a.target = LIVEUPDATE_TEST_ON_FIRST;
	a.op = LIVEUPDATE_TEST_FREEZE;
	a.error = EDOM;
	must(!call(fd, LIVEUPDATE_TEST_SET, &a), "a subsystem that vetoes reboots");
	close(fd);
	shared->behaved = 0;
}

/* Waits for a process, which gets SIGKILL after some time. Whether it ended by itself. */
static bool await(pid_t pid, unsigned int limit_ms)
{
	uint64_t end = now_ns() + limit_ms * 1000000ULL;
	int status = 0;

	while (!waitpid(pid, &status, WNOHANG)) {
		if (now_ns() > end) {
			kill(pid, SIGKILL);
			must(waitpid(pid, &status, 0) == pid, "a process that ends");
			break;
		}
		usleep(500);
	}
	/* Processes that it has left behind. */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static void cancel(void)
{
	int dev = open_device();

	if (dev < 0)
		return;
	event(dev, false, LIVEUPDATE_CANCEL);
	close(dev);
}

/*
 * Whether inputs did not end by themselves, though nobody killed them. The first @known are
 * in the corpus.
 */
static bool run_batch(bool may_kill, unsigned int known)
{
	bool ended, killed = may_kill && !(draw() % 4);
	unsigned int i;
	pid_t pid;

	memset(shared->is_new, 0, sizeof(shared->is_new));
	shared->done = 0;
	pid = fork();
	must(pid >= 0, "fork");
	if (!pid)
		run_inputs();
	ended = await(pid, killed ? draw() % 200 : BATCH_LIMIT_MS);
	cancel();
	if (shared->behaved)
		reset_targets();
	for (i = known; i < shared->nr && nr_inputs < MAX_INPUTS; i++)
		if (shared->is_new[i])
			corpus[nr_inputs++] = shared->inputs[i];
	return !ended && !killed;
}

/* Processes of an input may live on for some milliseconds. */
static bool left_nothing(uint64_t before)
{
	int i;

	for (i = 0; i < 500; i++) {
		if (preserved_pages() == before)
			return true;
		cancel();
		usleep(10000);
	}
	return false;
}

/* How many inputs there are, and what went wrong; also for those of the corpus alone. */
static int judge(unsigned int inputs, unsigned int hung, uint64_t before)
{
	bool left = !left_nothing(before);

	check(inputs, "there are inputs");
	check(!hung, "each input ended within its time");
	check(!left, "no input left anything preserved");
	if (hung || left)
		printf("# %u batches did not end; %lu pages, %lu before\n", hung,
		       (unsigned long)preserved_pages(), (unsigned long)before);
	return end_tests();
}

static int run(unsigned int seconds)
{
	uint64_t end = now_ns() + seconds * 1000000000ULL, before;
	unsigned int hung = 0, inputs = 0, n, i, known, blocks = 0, first = nr_inputs;
	bool left = false;

	reset_targets();
	before = preserved_pages();
	for (n = 0; now_ns() < end && !left; n++) {
		known = inputs >= first ? 0 : first - inputs < BATCH ? first - inputs : BATCH;
		for (i = 0; i < BATCH; i++) {
			if (i < known)
				shared->inputs[i] = corpus[inputs + i];
			else
				make_input(&shared->inputs[i]);
		}
		shared->nr = BATCH;
		hung += run_batch(!known, known);
		inputs += shared->done;
		if (n % 16 == 15)
			left = !left_nothing(before);
	}
	for (i = 0; i < shared->cover.nr_points; i++)
		blocks += shared->cover.seen[i];
	printf("# %u inputs, %lu calls, %lu a second, %u of %u blocks, corpus of %u\n", inputs,
	       shared->calls, shared->calls / seconds, blocks, shared->cover.nr_points,
	       nr_inputs);
	return judge(inputs, hung, before);
}

static int replay(void)
{
	unsigned int i, hung = 0, total = nr_inputs;
	uint64_t before;

	reset_targets();
	before = preserved_pages();
	for (i = 0; i < total; i += shared->nr) {
		shared->nr = total - i < BATCH ? total - i : BATCH;
		memcpy(shared->inputs, &corpus[i], shared->nr * sizeof(corpus[0]));
		hung += run_batch(false, shared->nr);
	}
	printf("# %u inputs, %lu calls\n", total, shared->calls);
	return judge(total, hung, before);
}

/* Sessions of all states, with files of all kinds, some of them single ones. */
static int hold(void)
{
	static const int ways[] = { LIVEUPDATE_PREPARE, LIVEUPDATE_FREEZE };
	int dev = open_device(), s, f, i, j, w;
	struct liveupdate_session_fd_set_event e = { .size = sizeof(e) };
	struct liveupdate_test_set veto = {
		.size = sizeof(veto), .op = LIVEUPDATE_TEST_FREEZE,
		.target = LIVEUPDATE_TEST_ON_FIRST,
	};
	char name[16];

	must(!call(test_file(1), LIVEUPDATE_TEST_SET, &veto), "no veto");
	load_module(LATE_MODULE, "");
	for (i = 0; i < HELD; i++) {
		snprintf(name, sizeof(name), "held-%d", i);
		s = create(dev, name);
		must(s >= 0, name);
		for (j = 0; j < i % 5; j++) {
			f = (i + j) % 3 == 0 ? memfd(4096 * (j + 1), i) :
			    (i + j) % 3 == 1 ? test_file(i + 1) :
					       open(LATE_DEVICE, O_RDWR | O_CLOEXEC);
			if (i % 7 == 3)
				test_set(f, LIVEUPDATE_TEST_RETRIEVE, EILSEQ, 1);
			if (i % 7 == 5)
				test_set(f, LIVEUPDATE_TEST_CAN_FINISH, EAGAIN, 2);
			must(f >= 0 && !preserve(s, f, j), "preserve");
			close(f);
		}
		e.event = LIVEUPDATE_PREPARE;
		e.token = 0;
		if (i % 5 && i % 3 == 1)
			call(s, LIVEUPDATE_SESSION_FD_SET_EVENT, &e);
		for (w = 0; w < i % 3 && i % 2; w++)
			event(s, true, ways[w]);
	}
	for (i = 0; i < 3; i++) {
		struct liveupdate_ioctl_fd_preserve a = {
			.size = sizeof(a), .fd = memfd(4096, i), .token = i,
		};

		must(!call(dev, LIVEUPDATE_IOCTL_FD_PRESERVE, &a), "device");
	}
	return hold_until_kexec();
}

int main(int argc, char **argv)
{
	bool is_run = argc >= 5 && !strcmp(argv[1], "run");
	int ret;

	if (argc == 2 && !strcmp(argv[1], "hold"))
		return hold();
	if (!is_run && (argc != 3 || strcmp(argv[1], "replay")))
		return 2;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(shared != MAP_FAILED, "shared memory");
	must(!prctl(PR_SET_CHILD_SUBREAPER, 1), "subreaper");
	allocations_may_fail();
	corpus_read(argv[is_run ? 4 : 2]);
	if (!is_run)
		return replay();

	seed = strtoull(argv[3], NULL, 0);
	if (argc > 6) {
		cover_read(&shared->cover, argv[5]);
		cover_read_seen(&shared->cover, argv[6]);
	}
	ret = run(strtoul(argv[2], NULL, 0));
	corpus_write(argv[4]);
	if (argc > 6)
		cover_write_seen(&shared->cover, argv[6]);
	return ret;
}
