// SPDX-License-Identifier: GPL-2.0

/*
 * The steps of a shutdown by the black box, and updates that are saved. Prints TAP.
 *
 *	steps_test save DIR	save updates in a directory, for other tests: of a box that
 *				saw everything, of one that did not, of a recorder, of a
 *				kernel whose luotrace came late. Prints the last line of a
 *				trace of the first one.
 */

#include <unistd.h>

#include "blackout_record.h"
#include "tap.h"
#include "timeline_steps.h"
#include "trace_file.h"
#include "update_store.h"

/* Steps of 1, 2, 3... ms, the reboot at 1 s; more devices than are shown. */
static void make_reboot(struct box_reboot *r)
{
	uint64_t t = HZ;
	int i;

	memset(r, 0, sizeof(*r));
	for (i = 0; i < BOX_NR_STEPS; i++) {
		t += i * MS;
		r->steps[i] = t;
	}
	r->last = t;
	r->nr_devices = 52;
	for (i = 0; i < 5; i++) {
		r->devices[i].duration = (i + 1) * 100000;
		snprintf(r->devices[i].name, BOX_DEVICE, "0000:00:%02d.0", i);
	}
	strcpy(r->devices[4].driver, "nvme <b>");
	r->own_runs = 640;
	r->own_timed = 20;
	r->own_ns = 10000;
	r->own_flushes = 5;
	r->own_flush_ns = 40000;
}

static void make_update(struct update *u)
{
	struct liveupdate_recorder *r = make();

	memset(u, 0, sizeof(*u));
	u->record = *r;
	u->record.last_out.number = u->record.last_in.number = 0;
	u->record.last_out.wall_ns = 1700000050 * HZ;
	u->record.last_in.wall_ns = u->record.last_out.wall_ns + 30 * MS;
	u->in = UPDATE_IN_SEEN;
	u->out_box = u->has_box = 1;
	make_reboot(&u->reboot);
	free(r);
}

static bool cost_is(const struct update *u, uint64_t runs, uint64_t run_ns, uint64_t in_ns)
{
	struct observer o = timeline_steps_observer(timeline_steps(u));

	return o.runs == runs && o.run_ns == run_ns && o.observed_ns == in_ns;
}

static void test_cost(void)
{
	static struct update u;
	const uint64_t no = OBSERVER_UNKNOWN;

	make_update(&u);
	check(cost_is(&u, 645, 40000 + 320000, 36 * MS), "what a box cost");
	u.reboot.own_timed = 641;
	check(cost_is(&u, no, no, no), "not more runs are timed than there are");
	u.reboot.own_timed = 0;
	check(cost_is(&u, no, no, no), "without a timed run it is unknown");
	u.reboot.own_timed = 20;
	u.reboot.own_ns = UINT64_MAX / 2;
	check(cost_is(&u, no, no, no), "it cannot be longer than the reboot");
	u.reboot.own_ns = 10000;
	u.reboot.own_flushes = UINT64_MAX - 640;
	check(cost_is(&u, no, no, no), "nor can there be so many runs");
	u.reboot.own_flushes = 5;
	u.reboot.last = 1;
	check(cost_is(&u, no, no, no), "as with a clock that is wrong");
	u.has_box = 0;
	check(cost_is(&u, no, no, no), "and without a box");
}

static void test_steps(void)
{
	static struct update u;
	struct step steps[STEPS_MAX];
	struct steps s;
	char text[200];
	int n;

	make_update(&u);
	s = timeline_steps(&u);
	n = timeline_steps_list(s, steps);
	check(n == 6 + STEPS_DEVICES, "each step is listed, with the longest devices");
	check_string(steps[0].label, "before the notifiers", "the first is before all");
	check(steps[0].ns == 3 * MS && steps[1].ns == 4 * MS && steps[2].ns == 5 * MS,
	      "a step lasts until the next one");
	check(steps[2].devices == 52 && !steps[3].label && steps[3].ns == 500000 &&
	      steps[4].ns == 400000 && steps[5].ns == 300000,
	      "devices follow their step, the longest first");
	check(steps[6].label && steps[6].ns == 6 * MS, "and then the next step");
	check(!timeline_steps_until(s, text, sizeof(text)),
	      "a box that saw the kexec has seen everything");

	u.reboot.steps[BOX_STEP_CPU] = 0;
	n = timeline_steps_list(timeline_steps(&u), steps);
	check(n == 5 + STEPS_DEVICES && steps[2].ns == 11 * MS,
	      "a step that the kernel does not have is a part of the one before");

	u.reboot.steps[BOX_STEP_KEXEC] = u.reboot.steps[BOX_STEP_MACHINE] = 0;
	u.reboot.last = u.reboot.steps[BOX_STEP_SYSCORE];
	s = timeline_steps(&u);
	n = timeline_steps_list(s, steps);
	check(n == 3 + STEPS_DEVICES, "the step in which the box ended has no duration");
	timeline_steps_until(s, text, sizeof(text));
	check_string(text, "the black box saw until 21.0ms after reboot() began; the rest of the shutdown is unknown",
		     "and it is said until when it saw");

	u.has_box = 0;
	check(!timeline_steps_list(timeline_steps(&u), steps),
	      "without a box there is no step");
}

static struct trace_file *read_end(json_t *end)
{
	char path[] = "/tmp/steps_test.XXXXXX";
	int fd = mkstemp(path);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	struct trace_file *t;

	if (!f)
		exit(1);
	fprintf(f, "{\"event\": \"start\", \"trace_version\": %d}\n", TRACE_FILE_VERSION);
	json_dumpf(end, f, JSON_COMPACT);
	fputc('\n', f);
	fclose(f);
	t = trace_file_read(path);
	unlink(path);
	return t;
}

/* A last line; it says that no memory was counted. */
static json_t *end_line(struct update *u)
{
	json_t *end = json_pack("{ss, s{sn, sn}, sn}", "event", "end", "lost", "events",
				"missed", "kho");

	trace_file_encode(u, end);
	return end;
}

static void test_trace(void)
{
	static struct update u;
	struct trace_file *t;
	json_t *end, *other;

	make_update(&u);
	u.magic = 1;
	end = end_line(&u);
	t = read_end(end);
	check(t && t->update && !memcmp(t->update, &u, sizeof(u)),
	      "a trace has a saved update as it is");
	trace_file_free(t);

	u.record.last_in.sessions++;
	other = end_line(&u);
	json_object_set(other, "box", json_object_get(end, "box"));
	t = read_end(other);
	check(!t, "a box that is not of the record is damage");
	trace_file_free(t);
	json_decref(other);
	json_decref(end);

	memset(&u, 0, offsetof(struct update, record));
	end = end_line(&u);
	t = read_end(end);
	check(json_is_null(json_object_get(end, "box")) && t && t->update &&
	      !t->update->magic && t->update->record.last_in.sessions == 1,
	      "the record of a kernel has no box");
	trace_file_free(t);
	json_decref(end);

	end = end_line(NULL);
	t = read_end(end);
	check(t && !t->update, "a trace without an update has none");
	trace_file_free(t);
	json_decref(end);
}

static void test_numbers(void)
{
	unsigned int n = 0;

	check(update_store_number("000012", &n) && n == 12 &&
	      update_store_number("999999", &n) && n == 999999, "digits are a number");
	check(!update_store_number("", &n) && !update_store_number("12a", &n) &&
	      !update_store_number("-1", &n) && !update_store_number(" 1", &n) &&
	      !update_store_number("1000000", &n), "nothing else is");
}

static int save(const char *dir)
{
	static struct update u;
	unsigned int number = 0;
	json_t *end;
	bool ok;

	make_update(&u);
	ok = update_store_save(dir, &number, &u);
	end = end_line(&u);
	json_dumpf(end, stdout, 0);
	putchar('\n');
	json_decref(end);

	make_update(&u);
	u.reboot.steps[BOX_STEP_KEXEC] = 0;
	number = 0;
	ok &= update_store_save(dir, &number, &u);

	make_update(&u);
	u.out_box = u.has_box = 0;
	u.record.last_out.number = u.record.last_in.number = 7;
	number = 0;
	ok &= update_store_save(dir, &number, &u);

	make_update(&u);
	memset(&u.record.last_out, 0, sizeof(u.record.last_out));
	u.out_box = u.has_box = 0;
	u.in = UPDATE_IN_LATE;
	number = 0;
	return !(ok & update_store_save(dir, &number, &u));
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "save"))
		return save(argv[2]);
	/* What is rejected is printed, too. */
	if (!freopen("/dev/null", "w", stderr))
		return 1;
	puts("TAP version 13");
	test_steps();
	test_cost();
	test_trace();
	test_numbers();
	return end_tests();
}
