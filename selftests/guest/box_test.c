// SPDX-License-Identifier: GPL-2.0

/*
 * The agents of the test of the black box, the same on every LUO, and what its timeline
 * must say.
 *
 *	box_test hold FILES [wait]	hold sessions for the next kernel: of so many memfds,
 *				of a quarter of them, and of slow files if there is a handler
 *				with these; wait: open the device, and go on when GO exists
 *	box_test restore	retrieve and finish all of them there
 *	box_test fail		a reboot that fails in freeze
 *	box_test veto		hold what makes it fail
 *	box_test foreign	hold a box of another version
 *	box_test unlocked COMMAND...	run it without permission to lock memory
 *	box_test update FILES	check /tmp/timeline.json and .txt: of an update
 *	box_test failed FILES	the same of one after a failed reboot, by hand
 *	box_test alone FILES	the same of one whose kernels have no counter in common
 *	box_test guest		the same of one with a guest of KVM
 *	box_test hold-guest	hold a session, after a guest of KVM has run
 *	box_test restore-guest	retrieve and finish it there, and run the guest again
 */

#include "luo_test.h"
#include "guest_kvm.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "luo_json.h"

#define SIZE	4096
#define GO	"/tmp/go"
#define MODULE_DEVICE	"/dev/luo_test_module"
#define MS	1000000LL

static const char *const names[] = { "vm-large", "vm-small" };
#define SLOW	"vm-slow"	/* its files are slow to freeze, by their token */
#define NR_SLOW	3

static bool is_own(void)
{
	return !access(TEST_DEVICE, F_OK);
}

/*
 * So long that 6 % of a phase are more than a busy host takes from the VM between two stamps
 * of one moment.
 */
static void slow_down(int fd, enum liveupdate_test_op op, unsigned int us)
{
	struct liveupdate_test_set set = { .size = sizeof(set), .op = op, .delay_us = us };

	must(!call(fd, LIVEUPDATE_TEST_SET, &set), TEST_DEVICE);
}

static void hold_slow(int dev)
{
	int s = create(dev, SLOW), i;

	must(s >= 0, "create");
	for (i = 1; i <= NR_SLOW; i++) {
		int fd = test_file(i);

		must(fd >= 0, TEST_DEVICE);
		slow_down(fd, LIVEUPDATE_TEST_FREEZE, 10000 * i);
		slow_down(fd, LIVEUPDATE_TEST_PREPARE, 40000);
		must(!preserve(s, fd, i), "preserve");
	}
}

static int hold(int files, bool wait)
{
	int dev = open_device(), s, i, n;

	must(dev >= 0, "open");
	if (wait) {
		puts("ready");
		fflush(stdout);
	}
	while (wait && access(GO, F_OK))
		usleep(50000);
	for (i = 0; i < 2; i++) {
		s = create(dev, names[i]);
		must(s >= 0, "create");
		for (n = 0; n < (i ? files / 4 : files); n++)
			must(!preserve(s, memfd(SIZE, n), n), "preserve");
	}
	if (is_own())
		hold_slow(dev);
	close(dev);
	return hold_until_kexec();
}

static int restore(void)
{
	int dev = open_device(), s, i, n, fd;

	must(dev >= 0, "open");
	for (i = 0; i < 2; i++) {
		s = claim(dev, names[i]);
		must(s >= 0, "claim");
		for (n = 0; (fd = retrieve(s, n)) >= 0; n++) {
			must(memfd_intact(fd, SIZE, n), "content");
			close(fd);
		}
		must(n > 0 && fd == -ENOENT, "retrieve");
		must(!finish(s), "finish");
		close(s);
	}
	if (!is_own())
		return 0;
	s = claim(dev, SLOW);
	for (i = 1; i <= NR_SLOW; i++)
		must(s >= 0 && retrieve(s, i) >= 0, SLOW);
	must(!finish(s), SLOW);
	return 0;
}

/* Preserve a file that cannot be frozen. */
static void preserve_bad(void)
{
	int dev = open_device(), s = create(dev, "vm-bad"), fd;

	if (is_own()) {
		fd = test_file(77);
		must(fd >= 0 && !test_set(fd, LIVEUPDATE_TEST_FREEZE, EDOM, 0), TEST_DEVICE);
	} else {
		fd = open(MODULE_DEVICE, O_WRONLY | O_CLOEXEC);
		must(fd >= 0 && write(fd, "x", 1) == 1, MODULE_DEVICE);
	}
	must(!preserve(s, fd, 77), "preserve");
	close(dev);
}

/* Reboot with it. The kernel is loaded. */
static int fail(void)
{
	int err;

	preserve_bad();
	err = reboot_kexec();
	must(err == -EDOM, "reboot() fails");
	return 0;
}

/* All reboots fail until it is killed. */
static int veto(void)
{
	preserve_bad();
	return hold_until_kexec();
}

/* The head of a box begins with its magic and the version. */
static int foreign(void)
{
	static const uint32_t head[2] = { 0x584f424c, 1000 };
	int dev = open_device(), s = create(dev, "luotrace"), fd = memfd(8 * SIZE, 1);

	must(dev >= 0 && s >= 0 && pwrite(fd, head, sizeof(head), 0) == sizeof(head), "box");
	must(!preserve(s, fd, 1), "preserve");
	close(dev);
	return hold_until_kexec();
}

static int unlocked(char **argv)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct rlimit none = { 0, 0 };
	struct __user_cap_data_struct caps[2];

	must(!setrlimit(RLIMIT_MEMLOCK, &none), "RLIMIT_MEMLOCK");
	/* execve() as root would give it back. */
	must(!prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK), "CAP_IPC_LOCK");
	must(!syscall(SYS_capget, &head, caps), "capget");
	caps[0].effective &= ~(1U << CAP_IPC_LOCK);
	caps[0].permitted &= ~(1U << CAP_IPC_LOCK);
	must(!syscall(SYS_capset, &head, caps), "capset");
	execvp(*argv, argv);
	must(false, *argv);
	return 1;
}

/* Within some percent, or 100 us. */
static bool within(long long a, long long b, int percent)
{
	long long off = a > b ? a - b : b - a;

	return a >= 0 && b >= 0 && (off <= 100000 || off <= b * percent / 100);
}

static bool near(long long a, long long b)
{
	return within(a, b, 2);
}

static long long phase_ns(json_t *root, const char *name)
{
	return number(phase_of(root, name), "duration_ns");
}

/* Calls of freeze of all handlers with this prefix, -1 if there is no such row. */
static long long frozen(json_t *calls, const char *handler, const char *scope,
			const char *key)
{
	long long n = -1;
	json_t *o;
	size_t i;

	json_array_foreach(calls, i, o) {
		if (!strcmp(text(o, "op"), "freeze") && !strcmp(text(o, "scope"), scope) &&
		    !strncmp(text(o, "handler"), handler, strlen(handler)))
			n = (n < 0 ? 0 : n) + number(o, key);
	}
	return n;
}

static void check_phases(json_t *root)
{
	long long sum = 0, ns;
	json_t *o;
	size_t i;

	json_array_foreach(json_object_get(root, "phases"), i, o) {
		ns = number(o, "duration_ns");
		check(ns >= 0, "%s is known", text(o, "phase"));
		sum += ns;
	}
	check(i == 8 && sum == number(root, "blackout_ns") &&
	      sum == number(root, "known_ns"), "the phases add up to the blackout");
	check(json_is_true(json_object_get(root, "finished")), "the update is over");
}

/* The box's own memfd is one more. */
static void check_frozen(json_t *root, int files)
{
	json_t *calls = json_object_get(json_object_get(root, "old_kernel"), "calls");
	json_t *slowest = json_object_get(phase_of(root, "freeze"), "slowest"), *o;
	long long count = frozen(calls, "memfd", "reboot", "count");
	bool named = json_array_size(slowest) > 0;
	size_t i;

	if (!check(count == files + files / 4 + 1 &&
		   !frozen(calls, "memfd", "reboot", "errors"), "every memfd was frozen"))
		printf("# %lld calls\n", count);
	json_array_foreach(slowest, i, o)
		named &= !*text(o, "handler") || !strncmp(text(o, "session"), "vm-", 3) ||
			 !strcmp(text(o, "session"), "luotrace");
	check(named, "the longest calls of freeze name session and file");
	check(file_has("/tmp/timeline.txt", "session vm-"), "a session is named");
}

/* Where time is counted in ticks, no device need take one. */
static void check_shutdown(json_t *root, bool ticks)
{
	json_t *s = json_object_get(root, "shutdown"), *o;
	json_t *steps = json_object_get(s, "steps_ns"), *box = json_object_get(root, "box");
	long long sum = 0, whole;
	bool known = true, named;
	const char *step;
	size_t i;

	json_object_foreach(steps, step, o) {
		known &= json_is_integer(o);
		sum += json_integer_value(o);
	}
	check(json_object_size(steps) == 6 && known, "each step of the shutdown is known");
	/* The kernel's recorder has taken its marks a moment earlier. */
	whole = phase_ns(json_is_object(box) ? box : root, "shutdown");
	if (!check(near(sum, whole), "they are the shutdown"))
		printf("# %lld of %lld\n", sum, whole);
	check(json_is_true(json_object_get(s, "seen_to_end")), "the box saw the kexec");
	named = ticks || json_array_size(json_object_get(s, "longest_devices")) > 0;
	json_array_foreach(json_object_get(s, "longest_devices"), i, o)
		named &= *text(o, "device") && number(o, "duration_ns") > 0;
	check(named && number(s, "devices") > 0 && number(s, "devices") >= (long long)i,
	      "devices are counted and named");
}

/* A call of a handler runs one program of the box, or two where LUO has no events. */
static void check_cost(json_t *root, int files)
{
	json_t *o = json_object_get(root, "observer");

	if (!check(number(o, "runs") > files * (is_own() ? 1 : 2) && number(o, "run_ns") > 0 &&
		   number(o, "run_ns") < number(o, "observed_ns") &&
		   file_has("/tmp/timeline.txt", "runs of BPF programs"),
		   "it is known what the box cost"))
		printf("# %lld runs, %lld of %lld ns\n", number(o, "runs"),
		       number(o, "run_ns"), number(o, "observed_ns"));
}

/* The call of the same operation, of the same target and file. */
static json_t *same_call(json_t *calls, json_t *like)
{
	static const char *const keys[] = { "op", "handler", "subsystem", "shared_state",
					    "session", "token" };
	json_t *o;
	size_t i, k;

	json_array_foreach(calls, i, o) {
		for (k = 0; k < 6 && !strcmp(text(o, keys[k]), text(like, keys[k])); k++)
			;
		if (k == 6)
			return o;
	}
	return NULL;
}

/* Calls that both lists have agree, and the longest are in both. */
static void check_calls(json_t *recorder, json_t *box, size_t longest)
{
	json_t *one, *other;
	bool agree = true;
	size_t i;

	json_array_foreach(recorder, i, one) {
		other = same_call(box, one);
		if (other ? near(number(other, "duration_ns"), number(one, "duration_ns")) :
			    i >= longest)
			continue;
		printf("# %s/%s: recorder %lld, box %lld ns\n", text(one, "session"),
		       text(one, "token"), number(one, "duration_ns"),
		       number(other, "duration_ns"));
		agree = false;
	}
	check(agree && i >= longest, "recorder and box agree call by call");
}

/*
 * The two take a moment one after the other, and the host can stop the CPU between them;
 * not each time. 5 % were seen twice in a row in a VM with one CPU, on a busy host.
 */
static bool agree_once(long long a, long long b, size_t phase)
{
	char path[32];
	int fd;

	if (within(a, b, 6))
		return true;
	snprintf(path, sizeof(path), "/state/off-%zu", phase);
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
	if (fd >= 0)
		printf("# recorder %lld, box %lld ns\n", b, a);
	close(fd);
	return fd >= 0 && a >= 0 && b >= 0;
}

/* What the kernel's recorder says against what the box saw. */
static void check_recorder(json_t *root)
{
	static const char *const phases[] = { "prepare in reboot", "freeze", "shutdown" };
	json_t *box = json_object_get(root, "box"), *calls, *mine, *one;
	json_t *old = json_object_get(root, "old_kernel");
	size_t i;

	check(json_is_object(box) && !strcmp(text(root, "old_kernel_by"), "recorder"),
	      "the kernel's recorder is the source, the box saw it, too");
	for (i = 0; i < 3; i++) {
		if (!check(agree_once(phase_ns(box, phases[i]), phase_ns(root, phases[i]), i),
			   "both agree on %s, of one update at least", phases[i]))
			printf("# recorder %lld, box %lld ns\n", phase_ns(root, phases[i]),
			       phase_ns(box, phases[i]));
	}
	calls = json_object_get(old, "calls");
	mine = json_object_get(box, "calls");
	json_array_foreach(mine, i, one) {
		const char *op = text(one, "op"), *handler = text(one, "handler");
		json_t *all = json_object_get(old, "calls"), *other, *found = NULL;
		size_t j;

		json_array_foreach(all, j, other) {
			if (!strcmp(text(other, "op"), op) &&
			    !strcmp(text(other, "scope"), "reboot") &&
			    !strcmp(text(other, "handler"), handler) &&
			    !strcmp(text(other, "subsystem"), text(one, "subsystem")) &&
			    !strcmp(text(other, "shared_state"), text(one, "shared_state")))
				found = other;
		}
		if (!check(found && number(one, "count") == number(found, "count") &&
			   number(one, "errors") == number(found, "errors"),
			   "both count the calls of %s%s%s %s", handler,
			   text(one, "subsystem"), text(one, "shared_state"), op))
			printf("# box %lld, recorder %lld\n", number(one, "count"),
			       number(found, "count"));
	}
	check(i > 0 && frozen(mine, "liveupdate-test", "reboot", "count") == NR_SLOW &&
	      frozen(calls, "liveupdate-test", "reboot", "count") == NR_SLOW, "both saw the slow files");
	check_calls(json_object_get(phase_of(root, "freeze"), "slowest"),
		    json_object_get(phase_of(box, "freeze"), "slowest"), NR_SLOW);
}

static json_t *load_timeline(void)
{
	json_t *root = json_load_file("/tmp/timeline.json", 0, NULL);

	must(root, "/tmp/timeline.json");
	return root;
}

/* A workload that stood still from before the reboot until after the kernel's start. */
static void check_workload(json_t *root, const char *name)
{
	long long least = phase_ns(root, "freeze") + phase_ns(root, "shutdown") +
			  phase_ns(root, "jump, early boot") + phase_ns(root, "kernel init");
	json_t *o, *found = NULL;
	size_t i;

	json_array_foreach(json_object_get(root, "workloads"), i, o) {
		if (!strcmp(text(o, "name"), name))
			found = o;
	}
	if (!check(i == 1 && number(found, "blackout_ns") > least &&
		   number(found, "paused_to_reboot_ns") > 0 &&
		   number(found, "start_to_resumed_ns") > phase_ns(root, "kernel init"),
		   "it is known how long %s stood still", name))
		printf("# %zu workloads, %s %lld ns, want more than %lld\n", i, name,
		       number(found, "blackout_ns"), least);
	check(file_has("/tmp/timeline.txt", " stood still for "), "the timeline begins with it");
}

static int check_guest(void)
{
	json_t *root = load_timeline();

	check_workload(root, "guest");
	json_decref(root);
	return end_tests();
}

static int check_update(int files)
{
	json_t *root = load_timeline();

	check_phases(root);
	check_frozen(root, files);
	check_shutdown(root, false);
	check_cost(root, files + files / 4);
	check_workload(root, "vm-large");
	check(json_is_null(json_object_get(root, "new_kernel_note")),
	      "nothing of the new kernel is unknown");
	check(number(phase_of(root, "restore"), "in_calls_ns") > 0, "calls of the restore");
	if (is_own()) {
		check(number(root, "liveupdate_number") > 0, "it has a number");
		check_recorder(root);
	} else {
		check(json_is_null(json_object_get(root, "liveupdate_number")) &&
		      file_has("/tmp/timeline.txt", "Live update at "), "it has no number");
		check(!strcmp(text(root, "old_kernel_by"), "box") &&
		      json_is_null(json_object_get(root, "box")), "the box is the source");
	}
	json_decref(root);
	return end_tests();
}

static int check_failed(int files)
{
	json_t *root = load_timeline(), *failed = json_object_get(root, "failed");
	json_t *calls = json_object_get(json_object_get(root, "old_kernel"), "calls");
	const char *bad = is_own() ? "liveupdate-test" : "luo-test-module";

	check(number(failed, "reboots") == 1 &&
	      json_integer_value(json_object_get(failed, "last_ret")) == -EDOM &&
	      number(failed, "last_ns") > 0, "a reboot failed before");
	check(frozen(json_object_get(failed, "calls"), bad, "failed", "errors") == 1,
	      "the call that failed is counted there");
	check(frozen(calls, "memfd", "reboot", "count") == files + files / 4 + 1,
	      "calls of the update are its own");
	check(frozen(calls, bad, "reboot", "errors") <= 0, "without the failed one");
	check(phase_ns(root, "prepare in reboot") >= 0 && phase_ns(root, "freeze") > 0 &&
	      phase_ns(root, "shutdown") > 0, "the old kernel's half is known");
	if (!is_own()) {
		check(phase_ns(root, "restore") < 0 && phase_ns(root, "finish") < 0 &&
		      strstr(text(root, "new_kernel_note"), "no luotrace traced"),
		      "what agents did in the new one is said to be unknown");
		check(phase_ns(root, "jump, early boot") > 0 &&
		      phase_ns(root, "kernel init") > 0, "what is known of it is there");
		check(json_is_true(json_object_get(root, "finished")),
		      "no session is left: the update is over");
		check(file_has("/tmp/timeline.txt", ": 2 sessions with 500 files"),
		      "it has what the old kernel handed over");
	}
	json_decref(root);
	return end_tests();
}

static int check_alone(int files)
{
	json_t *root = load_timeline(), *o;
	size_t i;

	json_array_foreach(json_object_get(root, "phases"), i, o) {
		bool across = !strcmp(text(o, "phase"), "jump, early boot");

		check((number(o, "duration_ns") < 0) == across, "%s is %s",
		      text(o, "phase"), across ? "unknown" : "known");
	}
	check(json_is_null(json_object_get(root, "blackout_ns")) &&
	      number(root, "known_ns") > 0, "the whole is unknown");
	/* Without a trusted counter this VM counts ticks: only what takes one has a time. */
	if (is_own()) {
		check_frozen(root, files);
		check_shutdown(root, true);
	} else {
		check(frozen(json_object_get(json_object_get(root, "old_kernel"), "calls"),
			     "memfd", "reboot", "count") == files + files / 4 + 1,
		      "every memfd was frozen");
	}
	json_decref(root);
	return end_tests();
}

/* Print when it stopped or first ran, on the clock of this kernel. */
static void print_now(const char *what)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("%s %lld\n", what, now.tv_sec * 1000000000LL + now.tv_nsec);
	fflush(stdout);
}

static int hold_guest(void)
{
	int dev = open_device(), s = create(dev, "guest");
	struct guest_kvm g;

	must(s >= 0 && !preserve(s, memfd(SIZE, 1), 1), "preserve");
	close(dev);
	guest_start(&g);
	guest_run(&g, 1000);
	print_now("stopped");
	return hold_until_kexec();
}

static int restore_guest(void)
{
	int s = claim(open_device(), "guest"), fd = s >= 0 ? retrieve(s, 1) : -1;
	struct guest_kvm g;

	must(fd >= 0 && memfd_intact(fd, SIZE, 1) && !finish(s), "restore");
	guest_start(&g);
	print_now("resumes");
	guest_run(&g, 10);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int files = argc > 2 ? atoi(argv[2]) : 0;

	if (!strcmp(what, "hold") && files)
		return hold(files, argc > 3);
	if (!strcmp(what, "restore"))
		return restore();
	if (!strcmp(what, "fail"))
		return fail();
	if (!strcmp(what, "veto"))
		return veto();
	if (!strcmp(what, "foreign"))
		return foreign();
	if (!strcmp(what, "unlocked") && argc > 2)
		return unlocked(argv + 2);
	if (!strcmp(what, "update") && files)
		return check_update(files);
	if (!strcmp(what, "failed") && files)
		return check_failed(files);
	if (!strcmp(what, "alone") && files)
		return check_alone(files);
	if (!strcmp(what, "guest"))
		return check_guest();
	if (!strcmp(what, "hold-guest"))
		return hold_guest();
	if (!strcmp(what, "restore-guest"))
		return restore_guest();
	return 2;
}
