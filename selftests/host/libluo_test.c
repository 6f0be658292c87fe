// SPDX-License-Identifier: GPL-2.0

/*
 * libluo: what each call sends, what it makes of each answer. The numbers of the wire are
 * written by hand. Prints TAP.
 */

#include <fcntl.h>
#include <linux/liveupdate.h>
#include <stdint.h>
#include <sys/ioctl.h>

static char mark_file[64], mark_socket[64];

#define LUOTRACE_MARK_FILE	mark_file
#define LUOTRACE_MARK_SOCKET	mark_socket
#include "libluo.c"
#include "file_has.h"
#include "tap.h"

#define MAX_ERRNO	133
#define FD		77		/* of the device or session, never used */
#define TOKEN		0xfedcba9876543210
#define NAME		"vm-large"

/* Every structure is a prefix of this one. */
struct wire {
	uint32_t size;
	uint32_t second;
	union {
		struct {
			uint64_t token;
			uint32_t incoming;
		};
		char name[64];
	};
};

/* The kernel: what it was sent last, its answers by the number of the ioctl. */
static struct {
	int calls;
	int fd;
	unsigned long request;
	struct wire sent;
	int fails[256];
	struct wire reply;
} kernel;

static struct {
	int calls;
	int flags;
	int fails;
} device;

/* In place of that of libc, and of the sanitizer's. */
int ioctl(int fd, unsigned long request, ...)
{
	unsigned char nr = request;
	struct wire *arg;
	va_list ap;

	va_start(ap, request);
	arg = va_arg(ap, struct wire *);
	va_end(ap);
	kernel.calls++;
	kernel.fd = fd;
	kernel.request = request;
	memset(&kernel.sent, 0, sizeof(kernel.sent));
	/* A size that is not that of the structure is found by ASAN, or by the check. */
	if (arg->size > sizeof(*arg))
		abort();
	memcpy(&kernel.sent, arg, arg->size);
	if (kernel.fails[nr]) {
		errno = kernel.fails[nr];
		return -1;
	}
	arg->second = kernel.reply.second;
	if (arg->size == sizeof(*arg))
		memcpy(arg->name, kernel.reply.name, sizeof(arg->name));
	return 0;
}

int open(const char *path, int flags, ...)
{
	if (strcmp(path, "/dev/liveupdate"))
		return openat(AT_FDCWD, path, flags);
	device.calls++;
	device.flags = flags;
	if (!device.fails)
		return FD;
	errno = device.fails;
	return -1;
}

static enum luo_state state;
static char name[LUO_NAME_SIZE];

static int create(void) { return luo_session_create(FD, NAME); }
static int retrieve(void) { return luo_session_retrieve(FD, NAME); }
static int get_state(void) { return luo_get_state(FD, &state); }
static int set_event(void) { return luo_set_event(FD, LUO_EVENT_CANCEL); }
static int preserve_fd(void) { return luo_session_preserve_fd(FD, 8, TOKEN); }
static int unpreserve_fd(void) { return luo_session_unpreserve_fd(FD, TOKEN); }
static int retrieve_fd(void) { return luo_session_retrieve_fd(FD, TOKEN); }
static int finish(void) { return luo_session_finish(FD); }
static int get_name(void) { return luo_session_get_name(FD, name); }
static int session_get_state(void) { return luo_session_get_state(FD, &state); }
static int session_set_event(void) { return luo_session_set_event(FD, LUO_EVENT_FINISH); }
static int fd_preserve(void) { return luo_fd_preserve(FD, 8, TOKEN); }
static int fd_unpreserve(void) { return luo_fd_unpreserve(FD, TOKEN); }
static int fd_restore(void) { return luo_fd_restore(FD, TOKEN); }
static int fd_get_state(void) { return luo_fd_get_state(FD, 1, TOKEN, &state); }
static int fd_set_event(void) { return luo_fd_set_event(FD, TOKEN, LUO_EVENT_CANCEL); }

static int session_fd_get_state(void)
{
	return luo_session_fd_get_state(FD, TOKEN, &state);
}

static int session_fd_set_event(void)
{
	return luo_session_fd_set_event(FD, TOKEN, LUO_EVENT_FINISH);
}

enum {
	RETURNS_FD	= 1,	/* the second member of the answer */
	NEWER		= 2,	/* not every LUO has it */
	GIVES_STATE	= 4,
	GIVES_NAME	= 8,
};

static const struct row {
	const char *what;
	int (*call)(void);
	unsigned int flags;
	unsigned long request;
	struct wire sent;
	unsigned int asks;	/* number of the ioctl that tells what EINVAL means */
} rows[] = {
	{ "luo_session_create()", create, RETURNS_FD, 0xba00,
	  { .size = 72, .name = NAME }, 0 },
	{ "luo_session_retrieve()", retrieve, RETURNS_FD, 0xba01,
	  { .size = 72, .name = NAME }, 0 },
	{ "luo_get_state()", get_state, NEWER | GIVES_STATE, 0xba20, { .size = 8 }, 0 },
	{ "luo_set_event()", set_event, NEWER, 0xba21, { .size = 8, .second = 3 }, 0x20 },
	{ "luo_session_preserve_fd()", preserve_fd, 0, 0xba40,
	  { .size = 16, .second = 8, .token = TOKEN }, 0 },
	{ "luo_session_retrieve_fd()", retrieve_fd, RETURNS_FD, 0xba41,
	  { .size = 16, .token = TOKEN }, 0 },
	{ "luo_session_finish()", finish, 0, 0xba42, { .size = 8 }, 0 },
	{ "luo_session_get_name()", get_name, NEWER | GIVES_NAME, 0xba43, { .size = 72 }, 0 },
	{ "luo_session_unpreserve_fd()", unpreserve_fd, NEWER, 0xba60,
	  { .size = 16, .token = TOKEN }, 0 },
	{ "luo_session_get_state()", session_get_state, NEWER | GIVES_STATE, 0xba61,
	  { .size = 8 }, 0 },
	{ "luo_session_set_event()", session_set_event, NEWER, 0xba62,
	  { .size = 8, .second = 2 }, 0x61 },
	{ "luo_fd_preserve()", fd_preserve, NEWER, 0xba22,
	  { .size = 16, .second = 8, .token = TOKEN }, 0x20 },
	{ "luo_fd_unpreserve()", fd_unpreserve, NEWER, 0xba23,
	  { .size = 16, .token = TOKEN }, 0 },
	{ "luo_fd_restore()", fd_restore, NEWER | RETURNS_FD, 0xba24,
	  { .size = 16, .token = TOKEN }, 0x20 },
	{ "luo_fd_get_state()", fd_get_state, NEWER | GIVES_STATE, 0xba25,
	  { .size = 24, .token = TOKEN, .incoming = 1 }, 0 },
	{ "luo_fd_set_event()", fd_set_event, NEWER, 0xba26,
	  { .size = 16, .second = 3, .token = TOKEN }, 0x20 },
	{ "luo_session_fd_get_state()", session_fd_get_state, NEWER | GIVES_STATE, 0xba63,
	  { .size = 16, .token = TOKEN }, 0 },
	{ "luo_session_fd_set_event()", session_fd_set_event, NEWER, 0xba64,
	  { .size = 16, .second = 2, .token = TOKEN }, 0x61 },
};

#define NR_ROWS	(sizeof(rows) / sizeof(rows[0]))

static void reset(void)
{
	memset(&kernel, 0, sizeof(kernel));
	kernel.reply.second = 2;
	strcpy(kernel.reply.name, "of the kernel");
	state = LUO_STATE_UPDATED;
	strcpy(name, "of the caller");
}

static void test_success(const struct row *r)
{
	enum luo_state want_state = r->flags & GIVES_STATE ? LUO_STATE_FROZEN :
							     LUO_STATE_UPDATED;
	const char *want_name = r->flags & GIVES_NAME ? "of the kernel" : "of the caller";
	int ret;

	reset();
	ret = r->call();
	check(kernel.calls == 1 && kernel.fd == FD && kernel.request == r->request,
	      "%s is one ioctl, 0x%lx", r->what, r->request);
	check(!memcmp(&kernel.sent, &r->sent, sizeof(r->sent)),
	      "%s sends %u bytes, as they are to be", r->what, r->sent.size);
	check(ret == (r->flags & RETURNS_FD ? 2 : 0), "%s returns what it got", r->what);
	check(state == want_state && !strcmp(name, want_name), "%s sets what it is to set",
	      r->what);
}

static bool stays(void)
{
	return state == LUO_STATE_UPDATED && !strcmp(name, "of the caller");
}

/* Of a LUO that answers r->asks. */
static void test_errnos(const struct row *r)
{
	int e, ret, want, bad = 0;

	for (e = 1; e <= MAX_ERRNO; e++) {
		reset();
		kernel.fails[r->request & 0xff] = e;
		ret = r->call();
		want = -e;
		if (r->flags & NEWER && (e == ENOTTY || (e == EINVAL && !r->asks)))
			want = -EOPNOTSUPP;
		if (ret != want || !stays()) {
			printf("# %s: %d, want %d%s\n", strerror(e), ret, want,
			       stays() ? "" : ", and the caller's memory changed");
			bad++;
		}
	}
	check(!bad, "%s gives each errno, and changes nothing", r->what);
}

/* The base's LUO says EINVAL to any number that it does not have. */
static void test_base(const struct row *r)
{
	int einval, enotty, nr;

	reset();
	for (nr = 0; nr < 256; nr++)
		kernel.fails[nr] = EINVAL;
	einval = r->call();
	for (nr = 0; nr < 256; nr++)
		kernel.fails[nr] = ENOTTY;
	enotty = r->call();
	check(einval == (r->flags & NEWER ? -EOPNOTSUPP : -EINVAL) &&
	      enotty == (r->flags & NEWER ? -EOPNOTSUPP : -ENOTTY) && stays(),
	      "%s of a LUO without it", r->what);
	if (!r->asks)
		return;
	reset();
	kernel.fails[r->request & 0xff] = EINVAL;
	kernel.fails[r->asks] = EBADF;
	check(r->call() == -EINVAL && kernel.request == (0xba00 | r->asks),
	      "%s gives EINVAL unless the state is unknown, too", r->what);
}

static void test_names(const char *what, int (*call)(int dev, const char *name))
{
	char longest[65];

	memset(longest, 'n', sizeof(longest));
	longest[64] = '\0';
	reset();
	check(call(FD, longest) == -ENAMETOOLONG && call(FD, "") == -EINVAL && !kernel.calls,
	      "%s: the kernel does not see a name that is too long, or empty", what);
	longest[63] = '\0';
	check(call(FD, longest) == 2 && !strcmp(kernel.sent.name, longest),
	      "%s: the longest name", what);
	check(call(FD, "\xff \n") == 2 && !strcmp(kernel.sent.name, "\xff \n"),
	      "%s: any bytes", what);
}

static void test_open(void)
{
	int e, bad = 0;

	check(luo_open() == FD && device.calls == 1 && device.flags == (O_RDWR | O_CLOEXEC),
	      "luo_open() opens the device, close-on-exec");
	for (e = 1; e <= MAX_ERRNO; e++) {
		device.fails = e;
		bad += luo_open() != -e;
	}
	check(!bad, "luo_open() gives each errno");
}

static const struct {
	const char *name;
	unsigned int is, want;
} numbers[] = {
	{ "LUO_STATE_NORMAL", LUO_STATE_NORMAL, LIVEUPDATE_STATE_NORMAL },
	{ "LUO_STATE_PREPARED", LUO_STATE_PREPARED, LIVEUPDATE_STATE_PREPARED },
	{ "LUO_STATE_FROZEN", LUO_STATE_FROZEN, LIVEUPDATE_STATE_FROZEN },
	{ "LUO_STATE_UPDATED", LUO_STATE_UPDATED, LIVEUPDATE_STATE_UPDATED },
	{ "LUO_EVENT_PREPARE", LUO_EVENT_PREPARE, LIVEUPDATE_PREPARE },
	{ "LUO_EVENT_FREEZE", LUO_EVENT_FREEZE, LIVEUPDATE_FREEZE },
	{ "LUO_EVENT_FINISH", LUO_EVENT_FINISH, LIVEUPDATE_FINISH },
	{ "LUO_EVENT_CANCEL", LUO_EVENT_CANCEL, LIVEUPDATE_CANCEL },
	{ "LUO_NAME_SIZE", LUO_NAME_SIZE, LIVEUPDATE_SESSION_NAME_LENGTH },
};

/* Pass a number on as an event and as a state, each way that there is. */
static bool pass_on(unsigned int i)
{
	int (*const set[])(int fd, enum luo_event event) = {
		luo_set_event, luo_session_set_event,
	};
	int (*const get[])(int fd, enum luo_state *state) = {
		luo_get_state, luo_session_get_state,
	};
	int (*const set_of_fd[])(int fd, uint64_t token, enum luo_event event) = {
		luo_fd_set_event, luo_session_fd_set_event,
	};
	unsigned int way;
	bool ok = true;

	reset();
	kernel.reply.second = i;
	for (way = 0; way < 2; way++) {
		ok &= !set[way](FD, i) && kernel.sent.second == i;
		ok &= !set_of_fd[way](FD, TOKEN, i) && kernel.sent.second == i;
		state = 99;
		ok &= !get[way](FD, &state) && state == i;
		state = 99;
		ok &= !luo_fd_get_state(FD, way, TOKEN, &state) && state == i &&
		      kernel.sent.incoming == way;
	}
	state = 99;
	return ok && !luo_session_fd_get_state(FD, TOKEN, &state) && state == i;
}

/* Every number of an event and of a state, as it is sent and as it is received. */
static void test_numbers(void)
{
	unsigned int i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		check(numbers[i].is == numbers[i].want, "%s is the kernel's", numbers[i].name);
	for (i = 0; i < 5; i++)
		check(pass_on(i), "%u as a state and as an event is passed on", i);
	check(!luo_fd_get_state(FD, -2, TOKEN, &state) && kernel.sent.incoming == 1,
	      "any incoming but 0 is 1, EINVAL has no other meaning");
	check_string(LUO_DEVICE_SESSION, LIVEUPDATE_DEVICE_SESSION,
		     "LUO_DEVICE_SESSION is the kernel's");
}

static void test_mark(void)
{
	char directory[] = "/tmp/libluo.XXXXXX";
	FILE *f;

	if (!mkdtemp(directory))
		abort();
	snprintf(mark_file, sizeof(mark_file), "%s/mark", directory);
	snprintf(mark_socket, sizeof(mark_socket), "%s/box", directory);
	check(luo_mark(NAME, 1) == -EOPNOTSUPP, "luo_mark() where nothing takes marks");
	f = fopen(mark_file, "w");
	if (!f || fclose(f))
		abort();
	check(!luo_mark(NAME, 1) && file_has(mark_file, "paused " NAME), "luo_mark() of a pause");
	if (truncate(mark_file, 0))
		abort();
	check(!luo_mark(NAME, 0) && file_has(mark_file, "resumed " NAME), "luo_mark() of a resume");
	check(luo_mark("", 1) == -EINVAL, "luo_mark() of no name");
	remove(mark_file);
	rmdir(directory);
}

int main(void)
{
	const struct row *r;

	puts("TAP version 13");
	test_numbers();
	test_open();
	for (r = rows; r < rows + NR_ROWS; r++) {
		test_success(r);
		test_errnos(r);
		test_base(r);
	}
	test_names("luo_session_create()", luo_session_create);
	test_names("luo_session_retrieve()", luo_session_retrieve);
	test_mark();
	return end_tests();
}
