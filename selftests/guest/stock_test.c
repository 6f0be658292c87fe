// SPDX-License-Identifier: GPL-2.0

/*
 * luotrace on the base's own LUO, against known calls and the kernel's profile of
 * functions.
 *
 *	stock_test work0	preserve in two sessions at once, a reboot that fails,
 *				close them
 *	stock_test hold		hold sessions for the next kernel
 *	stock_test work1	retrieve some of them there
 *	stock_test check0|check1	compare, as TAP
 */

#include "luo_test.h"
#include "luo_json.h"

#include <linux/reboot.h>
#include <sys/eventfd.h>
#include <sys/reboot.h>
#include <sys/wait.h>

#define FILES		20	/* of each session */
#define SIZE		100000
#define MODULE		"luo-test-module-v1"
#define MODULE_FILES	3
#define MODULE_TOKEN	3000
#define EDOM_TEXT	"-33"


static int fill(int session)
{
	int i, e = eventfd(0, 0);

	for (i = 0; i < FILES; i++) {
		if (preserve(session, memfd(SIZE, i), i))
			return 1;
	}
	/* This one has no handler. */
	return preserve(session, e, 1000) != -ENOENT;
}

/* A file of the handler in the module. */
static int module_file(int session, int token)
{
	int fd = open("/dev/luo_test_module", O_RDWR | O_CLOEXEC);

	must(fd >= 0 && !preserve(session, fd, token), "module");
	return fd;
}

static void work0(int dev)
{
	int s[2] = { create(dev, "one"), create(dev, "two") }, i, status, bad = 0;
	int fails;

	must(s[0] >= 0 && s[1] >= 0, "create");
	for (i = 0; i < 2; i++) {
		if (!fork()) {
			pin(i);
			_exit(fill(s[i]));
		}
	}
	for (i = 0; i < 2; i++) {
		wait(&status);
		bad |= status;
	}
	must(!bad, "preserve");
	close(module_file(s[0], 2000));
	close(module_file(s[1], 2001));
	fails = module_file(s[1], 2002);
	close(module_file(s[1], 2003));
	must(write(fails, "", 1) == 1, "write");
	must(!system("vm-kexec --load"), "vm-kexec --load");
	must(reboot(LINUX_REBOOT_CMD_KEXEC) && errno == EDOM, "reboot");
	close(fails);
	close(s[0]);
	close(s[1]);
}

static void hold(int dev)
{
	int s = create(dev, "asked"), i;

	must(!fill(create(dev, "left")) && !fill(create(dev, "taken")), "hold");
	for (i = 0; i < MODULE_FILES; i++)
		module_file(s, MODULE_TOKEN + i);
	create(dev, "empty");
	hold_until_kexec();
}

static void work1(int dev)
{
	int s = claim(dev, "asked"), i, fd;

	/* It fails until a retrieve of each has been tried. */
	for (i = 0; i < MODULE_FILES; i++) {
		must(s >= 0 && finish(s) == -EBUSY, "can_finish");
		must(retrieve(s, MODULE_TOKEN + i) == -EOPNOTSUPP, "retrieve");
	}
	must(!finish(s), "finish");
	close(s);

	s = claim(dev, "taken");

	must(s >= 0, "claim");
	for (i = 0; i < FILES; i++) {
		fd = retrieve(s, i);
		must(fd >= 0 && memfd_intact(fd, SIZE, i), "retrieve");
		close(fd);
	}
	must(!finish(s), "finish");
	close(s);
	must(claim(dev, "unknown") == -ENOENT, "claim of an unknown session");
	s = claim(dev, "left");
	must(s >= 0 && retrieve(s, 3) >= 0, "left");
	/* A child holds it, as closing it would finish it. */
	if (!fork())
		pause();
}

/* How often functions of that name ran, according to the kernel's profile. */
static long profiled(const char *end)
{
	FILE *f = fopen("/tmp/profile", "r");
	char line[256], name[128];
	long hits, all = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%127s %ld", name, &hits) == 2 &&
		    !strcmp(name, end))
			all += hits;
	}
	if (f)
		fclose(f);
	return all;
}

static void counts(json_t *latency, const char *op, const char *function, long want,
		   long errors)
{
	json_t *o = call_row(latency, "memfd-", op);

	check(number(o, "count") == want && number(o, "errors") == errors &&
	      profiled(function) == want,
	      "%s: %lld calls with %lld errors, %s ran %ld times", op,
	      number(o, "count"), number(o, "errors"), function,
	      profiled(function));
}

static bool is(json_t *o, const char *key, const char *value)
{
	json_t *v = json_object_get(o, key);

	return json_is_integer(v) ? json_integer_value(v) == atoi(value) :
				    !strcmp(text(o, key), value);
}

/* Lines of luotrace trace with these fields; -1 is any token. */
static int traced_file(const char *event, const char *key, const char *value,
		       const char *session, int token)
{
	FILE *f = fopen("/tmp/trace.json", "r");
	char word[16];
	json_t *line;
	int n = 0;

	snprintf(word, sizeof(word), "%d", token);
	while (f && (line = json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL))) {
		n += is(line, "event", event) && is(line, key, value) &&
		     (!session || is(line, "session", session)) &&
		     (token < 0 || is(line, "token", word));
		json_decref(line);
	}
	if (f)
		fclose(f);
	return n;
}

static int traced(const char *event, const char *key, const char *value,
		  const char *session)
{
	return traced_file(event, key, value, session, -1);
}

/* How many of the tokens from @first on have @calls calls of that operation. */
static int tokens(const char *op, const char *session, int first, int nr, int calls)
{
	int i, n = 0;

	for (i = 0; i < nr; i++)
		n += traced_file("luo_handler_exit", "op", op, session,
				 first + i) == calls;
	return n;
}

static void check0(void)
{
	json_t *latency = json_load_file("/tmp/latency.json", 0, NULL);
	json_t *audit = json_load_file("/tmp/after.json", 0, NULL);

	check(!number(json_object_get(latency, "lost"), "missed"), "no call is missed");
	counts(latency, "can_preserve", "memfd_luo_can_preserve", 2 * FILES + 6, 6);
	counts(latency, "preserve", "memfd_luo_preserve", 2 * FILES, 0);
	counts(latency, "freeze", "memfd_luo_freeze", 2 * FILES, 0);
	counts(latency, "unpreserve", "memfd_luo_unpreserve", 2 * FILES, 0);
	check(number(call_row(latency, MODULE, "can_preserve"), "count") == 6 &&
	      number(call_row(latency, MODULE, "can_preserve"), "errors") == 2 &&
	      number(call_row(latency, MODULE, "preserve"), "count") == 4 &&
	      number(call_row(latency, MODULE, "freeze"), "count") == 3 &&
	      number(call_row(latency, MODULE, "freeze"), "errors") == 1 &&
	      number(call_row(latency, MODULE, "unpreserve"), "count") == 4,
	      "calls of a handler in a module");
	check(tokens("freeze", "one", 0, FILES, 1) == FILES &&
	      tokens("freeze", "two", 0, FILES, 1) == FILES &&
	      tokens("freeze", "one", 2000, 1, 1) == 1 &&
	      tokens("freeze", "two", 2001, 2, 1) == 2 &&
	      traced("luo_handler_exit", "op", "freeze", NULL) == 2 * FILES + 3,
	      "a freeze is traced with its token");
	check(traced_file("luo_handler_exit", "ret", EDOM_TEXT, "two", 2002) == 1 &&
	      traced("luo_handler_exit", "ret", EDOM_TEXT, NULL) == 1,
	      "a failed freeze, too");
	check(tokens("unfreeze", "one", 2000, 1, 1) == 1 &&
	      tokens("unfreeze", "two", 2001, 1, 1) == 1 &&
	      traced("luo_handler_exit", "op", "unfreeze", NULL) == 2,
	      "files frozen before it are unfrozen, with their tokens");
	check(traced("luo_handler_exit", "op", "preserve", "two") == FILES + 3 &&
	      traced("luo_handler_exit", "op", "unpreserve", "two") == FILES + 3,
	      "each call is traced with its session");
	check(traced("luo_handler_exit", "token", "7", "one") == 4,
	      "and with its token: can_preserve, preserve, freeze and unpreserve of one file");
	check(traced("luo_session_create", "dir", "out", NULL) == 2 &&
	      traced("luo_session_release", "dir", "out", NULL) == 2,
	      "sessions are created and closed");
	check(traced("luo_file_state", "new", "preserved", NULL) == 2 * FILES + 4,
	      "files become preserved");
	check(json_is_true(json_object_get(audit, "clean")) &&
	      !json_array_size(json_object_get(audit, "sessions")) &&
	      json_is_null(json_object_get(audit, "finished")),
	      "no session came from a previous kernel");
	json_decref(latency);
	json_decref(audit);
}

static void check1(void)
{
	json_t *latency = json_load_file("/tmp/latency.json", 0, NULL);
	json_t *unread = json_load_file("/tmp/unread.json", 0, NULL);
	json_t *audit = json_load_file("/tmp/after.json", 0, NULL), *s, *file;
	json_t *report;
	int states[3] = {};
	size_t i;

	counts(latency, "retrieve", "memfd_luo_retrieve", FILES + 1, 0);
	counts(latency, "finish", "memfd_luo_finish", FILES, 0);
	check(traced("luo_session_retrieve", "state", "updated", "taken") == 1 &&
	      traced("luo_session_finish", "dir", "in", "taken") == 1,
	      "a session is claimed and finished");
	check(traced("luo_handler_exit", "token", "7", "taken") == 2,
	      "retrieve and finish of one file");
	check(json_is_true(json_object_get(unread, "unread")) &&
	      number(unread, "leaks") == 1,
	      "before the device is opened the sessions are unknown");
	check(tokens("can_finish", "asked", MODULE_TOKEN, 1, MODULE_FILES + 1) == 1 &&
	      tokens("can_finish", "asked", MODULE_TOKEN + 1, 1, MODULE_FILES) == 1 &&
	      tokens("can_finish", "asked", MODULE_TOKEN + 2, 1, MODULE_FILES - 1) == 1 &&
	      traced("luo_handler_exit", "op", "can_finish", NULL) == 3 * MODULE_FILES,
	      "each file is asked whether it can finish, up to the first that cannot");
	check(json_array_size(json_object_get(audit, "sessions")) == 2 &&
	      !named(audit, "sessions", "taken"), "two sessions are left");
	s = named(audit, "sessions", "empty");
	check(!strcmp(text(s, "state"), "unclaimed") && !number(s, "files") &&
	      json_is_null(json_object_get(s, "age_ns")) &&
	      json_is_null(json_object_get(s, "pages")),
	      "one is unclaimed; fields that this LUO does not have are null");
	s = named(audit, "sessions", "left");
	json_array_foreach(json_object_get(s, "file_list"), i, file) {
		states[0] += !strcmp(text(file, "state"), "retrieved");
		states[1] += !strcmp(text(file, "state"), "unclaimed");
		states[2] += !strncmp(text(file, "handler"), "memfd-", 6);
	}
	check(!strcmp(text(s, "state"), "claimed") && number(s, "retrieved") == 1 &&
	      states[0] == 1 && states[1] == FILES - 1 && states[2] == FILES,
	      "one is claimed, with one file retrieved and %d not", states[1]);
	check(number(audit, "leaks") == 1, "one leak");
	check(file_has("/tmp/metrics", "luo_incoming_sessions{state=\"unclaimed\"} 1\n") &&
	      file_has("/tmp/metrics", "luo_incoming_files{state=\"retrieved\"} 1\n") &&
	      !file_has("/tmp/metrics", "luo_liveupdates") &&
	      !file_has("/tmp/metrics", "luo_incoming_bytes"),
	      "metrics have the known figures only");
	report = json_load_file("/tmp/report.json", 0, NULL);
	check(number(call_row(json_array_get(json_object_get(report, "traces"), 0),
			 "memfd-", "retrieve"), "count") == FILES + 1,
	      "a record is reported");
	json_decref(report);
	json_decref(latency);
	json_decref(unread);
	json_decref(audit);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*work)(int dev);
		void (*check)(void);
	} commands[] = {
		{ "work0", work0, NULL }, { "work1", work1, NULL },
		{ "hold", hold, NULL }, { "check0", NULL, check0 },
		{ "check1", NULL, check1 },
	};
	size_t i;
	int dev;

	for (i = 0; argc > 1 && i < 5; i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		if (commands[i].check) {
			puts("KTAP version 1");
			commands[i].check();
			printf("1..%d\n", tests);
			return failures != 0;
		}
		dev = open_device();
		must(dev >= 0, DEVICE);
		commands[i].work(dev);
		return 0;
	}
	return 2;
}
