// SPDX-License-Identifier: GPL-2.0

/*
 * What the black box saw of a live update by systemd, and whether it agrees with the
 * figures that systemd itself keeps of the shutdown.
 */

#include "luo_recorder.h"

#include <jansson.h>

#include "luo_json.h"
#include "update_store.h"

#define INTACT		"/run/intact"		/* written by the service */
#define STAMPS		"/tmp/stamps"		/* of systemd, in us */
#define UPDATE		UPDATE_STORE_DIR "/000001.update"
#define SESSION		"systemd"		/* in which systemd preserves its stores */
#define FREEZE		1		/* the phase, as in the trace events */
#define NR_MEMFDS	8
#define NR_FILES	(NR_MEMFDS + 1)		/* and what systemd says of them */
#define US		1000LL
#define MS		1000000LL
/*
 * systemd-shutdown takes its last stamp, puts it into the session, preserves and calls
 * reboot(). Emulated, on a busy host, that is up to a second.
 */
#define LATE_MS		3000
/* Between user space's start by the kernel and systemd's own first stamp. */
#define EARLY_MS	1

FIXTURE(box)
{
	struct update *u;
	json_t *json;
	bool stock;
};

static bool load_update(struct update *u)
{
	int fd = open(UPDATE, O_RDONLY);
	bool ok = read_whole(fd, u, sizeof(*u));

	close(fd);
	return ok;
}

FIXTURE_SETUP(box)
{
	self->u = malloc(sizeof(*self->u));
	ASSERT_NE(NULL, self->u);
	ASSERT_TRUE(load_update(self->u));
	self->json = json_load_file("/tmp/timeline.json", 0, NULL);
	ASSERT_NE(NULL, self->json);
	self->stock = access(RECORDER, F_OK);
}

FIXTURE_TEARDOWN(box)
{
	json_decref(self->json);
	free(self->u);
}

/* A stamp of systemd in ns; 0 if it has none. */
static int64_t stamp(const char *name)
{
	FILE *f = fopen(STAMPS, "r");
	size_t size = strlen(name);
	char line[256];
	long long us = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, name, size) && line[size] == '=')
			us = atoll(line + size + 1);
	}
	if (f)
		fclose(f);
	return us * US;
}

/* Of the calls that @list of the old kernel has, those of an operation in a scope. */
static long long calls(json_t *json, const char *op, const char *scope)
{
	json_t *old = json_object_get(json, "old_kernel"), *row;
	long long n = 0;
	size_t i;

	json_array_foreach(json_object_get(old, "calls"), i, row) {
		if (!strcmp(text(row, "op"), op) && !strcmp(text(row, "scope"), scope))
			n += number(row, "count");
	}
	return n;
}

static const struct liveupdate_recorder_session *
slow_session(const struct liveupdate_recorder_part *p, const char *name)
{
	const struct liveupdate_recorder_session *s;
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_SLOWEST; i++) {
		s = &p->slow_sessions[LIVEUPDATE_SCOPE_REBOOT][FREEZE][i];
		if (s->duration && !strcmp(s->name, name))
			return s;
	}
	return NULL;
}

TEST_F(box, each_memfd_is_intact)
{
	char letters[64] = "";
	FILE *f = fopen(INTACT, "r");

	ASSERT_NE(NULL, f);
	EXPECT_NE(NULL, fgets(letters, sizeof(letters), f));
	EXPECT_STREQ("yyyyyyyy\n", letters);
	fclose(f);
}

/* Made by systemd-shutdown, when nothing but it and the box was left. */
TEST_F(box, has_what_systemd_preserved)
{
	EXPECT_LE(NR_FILES, calls(self->json, "preserve", "agent"));
}

TEST_F(box, has_the_freeze_of_the_session_of_systemd)
{
	const struct liveupdate_recorder_session *s =
		slow_session(&self->u->record.last_out, SESSION);

	ASSERT_NE(NULL, s);
	EXPECT_EQ(NR_FILES, s->files);
	EXPECT_EQ(0, s->ret);
	EXPECT_LE(NR_FILES, calls(self->json, "freeze", "reboot"));
}

TEST_F(box, saw_the_shutdown_to_its_end)
{
	json_t *shutdown = json_object_get(self->json, "shutdown"), *ns, *device;
	const char *step;
	size_t i;

	EXPECT_TRUE(json_is_true(json_object_get(shutdown, "seen_to_end")));
	json_object_foreach(json_object_get(shutdown, "steps_ns"), step, ns) {
		if (!json_is_integer(ns))
			TH_LOG("%s is unknown", step);
		EXPECT_TRUE(json_is_integer(ns));
	}
	EXPECT_LT(0, json_array_size(json_object_get(shutdown, "longest_devices")));
	json_array_foreach(json_object_get(shutdown, "longest_devices"), i, device) {
		EXPECT_NE('\0', text(device, "device")[0]);
		EXPECT_LT(0, number(device, "duration_ns"));
	}
}

/* One clock in the same kernel: its last stamp, then what it preserves, then reboot(). */
TEST_F(box, reboot_begins_when_systemd_ends)
{
	int64_t start = stamp("PreviousShutdownStartTimestampMonotonic");
	int64_t finish = stamp("PreviousShutdownFinishTimestampMonotonic");
	int64_t late = stamp("PreviousShutdownLateStartTimestampMonotonic");
	int64_t end = stamp("PreviousShutdownLateFinishTimestampMonotonic");
	int64_t reboot = self->u->record.last_out.times[LIVEUPDATE_MARK_REBOOT];

	TH_LOG("systemd: %lld ms (stopping) + %lld ms (exit) + %lld ms (systemd-shutdown)",
	       (long long)(finish - start) / MS, (long long)(late - finish) / MS,
	       (long long)(end - late) / MS);
	TH_LOG("reboot() begins %lld us after systemd's last stamp, of %lld ms",
	       (long long)(reboot - end) / US, (long long)reboot / MS);
	ASSERT_LT(0, start);
	EXPECT_LT(start, finish);
	EXPECT_LT(late, end);
	EXPECT_LE(end, reboot);
	EXPECT_GT(end + LATE_MS * MS, reboot);
}

/* The (kernel) of systemd ends when systemd starts: after INIT, and before the device. */
TEST_F(box, systemd_starts_when_the_kernel_ends)
{
	const struct liveupdate_recorder_part *in = &self->u->record.last_in;
	int64_t user = stamp("UserspaceTimestampMonotonic");
	int64_t init = in->times[LIVEUPDATE_MARK_INIT];
	int64_t opened = in->times[LIVEUPDATE_MARK_OPEN];

	TH_LOG("systemd: %lld ms (kernel); init of the kernel ends at %lld ms, the device is opened at %lld ms",
	       (long long)user / MS, (long long)init / MS, (long long)opened / MS);
	ASSERT_LT(0, init);
	EXPECT_LE(init, user + EARLY_MS * MS);
	if (!self->stock)
		EXPECT_LE(user, opened);
}

/*
 * systemd restores before any unit of its own starts: a kernel without a recorder cannot
 * say when, and luotrace says so. All else is known.
 */
TEST_F(box, says_what_is_unknown)
{
	static const char *const unseen[] = { "user-space start", "restore", "finish" };
	const char *name;
	json_t *o;
	size_t i, k;
	bool late;

	EXPECT_TRUE(json_is_true(json_object_get(self->json, "finished")));
	EXPECT_EQ(self->stock, !!strstr(text(self->json, "new_kernel_note"), "unknown"));
	json_array_foreach(json_object_get(self->json, "phases"), i, o) {
		name = text(o, "phase");
		for (k = 0, late = false; k < 3; k++)
			late |= self->stock && !strcmp(name, unseen[k]);
		if (strcmp(name, "jump, early boot") &&
		    json_is_integer(json_object_get(o, "duration_ns")) == late)
			TH_LOG("%s is %s", name, late ? "known" : "unknown");
		if (strcmp(name, "jump, early boot"))
			EXPECT_EQ(!late, json_is_integer(json_object_get(o, "duration_ns")));
	}
	EXPECT_NE(NULL, phase_of(self->json, "restore"));
}

/* Of what is known. */
TEST_F(box, nearly_all_of_the_blackout_has_a_name)
{
	TH_LOG("%.1f %% has a name", named_percent(self->json));
	EXPECT_LE(self->stock ? NAMED_MIN_BASE : NAMED_MIN, named_percent(self->json));
}

/* Its units mark it: from its stop in the old kernel to its start in this one. */
TEST_F(box, has_what_the_service_felt)
{
	bool across = json_is_integer(json_object_get(phase_of(self->json, "jump, early boot"),
						      "duration_ns"));
	json_t *o, *found = NULL;
	size_t i;

	json_array_foreach(json_object_get(self->json, "workloads"), i, o) {
		if (!strcmp(text(o, "name"), "luo-store"))
			found = o;
	}
	ASSERT_NE(NULL, found);
	TH_LOG("luo-store: paused %lld ms before reboot(), resumed %lld ms after the start, in all %lld ms",
	       number(found, "paused_to_reboot_ns") / MS,
	       number(found, "start_to_resumed_ns") / MS, number(found, "blackout_ns") / MS);
	EXPECT_LT(0, number(found, "paused_to_reboot_ns"));
	EXPECT_LT(number(phase_of(self->json, "kernel init"), "duration_ns"),
		  number(found, "start_to_resumed_ns"));
	EXPECT_EQ(across, number(found, "blackout_ns") >
		  number(found, "paused_to_reboot_ns") +
		  number(found, "start_to_resumed_ns") - 1);
}

RUN_CASES_MAIN
