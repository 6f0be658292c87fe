// SPDX-License-Identifier: GPL-2.0

/* The classes of sessions, the findings, and their exact form. Prints TAP. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "enum_name.h"
#include "json.h"
#include "metrics.h"
#include "tap.h"

#define SEC	1000000000ULL
#define NOW	(1000 * SEC)

static struct inv_session session(const char *name, uint64_t id, uint64_t files)
{
	struct inv_session s = {
		.id = id, .files = files, .pages = 256, .born_ns = 900 * SEC,
		.dir = 1, .state = STATE_UPDATED,
	};

	strcpy(s.name, name);
	return s;
}

static void claimed(struct inv_session *s, bool open)
{
	s->claims = 1;
	s->opened_ns = 910 * SEC;
	s->closed_ns = open ? 0 : 940 * SEC;
	s->open = open;
	s->owner = 42;
	strcpy(s->comm, "agent");
}

static void test_classes(void)
{
	struct inventory inv = {};
	struct audit a = { .inv = &inv, .now = NOW };
	struct inv_session s = session("vm-a", 1, 2);

	check(audit_class(&a, &s) == AUDIT_UNCLAIMED, "it is not claimed");
	a.max_age = 100 * SEC;
	check(audit_class(&a, &s) == AUDIT_WAITING, "it need not be claimed yet");
	a.max_age--;
	check(audit_class(&a, &s) == AUDIT_UNCLAIMED, "it should be claimed by now");
	claimed(&s, true);
	check(audit_class(&a, &s) == AUDIT_CLAIMED, "it is claimed");
	a.max_age = 90 * SEC - 1;
	check(audit_class(&a, &s) == AUDIT_UNFINISHED, "it is claimed for too long");
	a.max_age = 0;
	check(audit_class(&a, &s) == AUDIT_CLAIMED, "without a maximum it is claimed");
	claimed(&s, false);
	check(audit_class(&a, &s) == AUDIT_DROPPED, "it is dropped");
	s.failed = 1;
	check(audit_class(&a, &s) == AUDIT_FAILED, "a file failed");
	s.orphans = 1;
	check(audit_class(&a, &s) == AUDIT_NO_HANDLER, "a handler is missing");
	s.finish_ret = -EBUSY;
	check(audit_class(&a, &s) == AUDIT_UNFINISHED, "FINISH failed");
	claimed(&s, true);
	check(audit_class(&a, &s) == AUDIT_UNFINISHED, "a claim does not cure it");
}

/* Three sessions and what LUO recorded. */
static struct inv_session sessions[3];
static struct inv_file files[2] = {
	{ .session_id = 2, .token = 7, .pages = INV_UNKNOWN, .dir = 1,
	  .state = FILE_FAILED, .handler = 1, .ret = -EIO, .compatible = "vfio-v1" },
	{ .session_id = 3, .token = 1, .pages = 9, .dir = 1,
	  .state = FILE_RETRIEVED, .handler = 1, .compatible = "memfd-v2" },
};
static const struct inventory inventory = {
	.sessions = sessions, .nr_sessions = 3, .files = files, .nr_files = 2,
};
static struct liveupdate_recorder recorder;

static void set_up(void)
{
	struct liveupdate_recorder_refused *r = recorder.last_in.refused;
	int i;

	sessions[0] = session("vm-a", 1, 1);
	sessions[1] = session("a name of more than 20 columns", 2, 2);
	claimed(&sessions[1], true);
	sessions[1].failed = 1;
	files[0].ret_op = enum_value(ENUM_OP, "retrieve");
	sessions[2] = session("vm-c", 3, 1);
	sessions[2].pages = INV_UNKNOWN;
	claimed(&sessions[2], true);
	sessions[2].retrieved = 1;
	recorder.last_in.number = 3;
	recorder.last_in.finished = 1;
	recorder.last_in.finished_files = 4;
	recorder.last_in.discarded = 2;
	recorder.last_in.nr_refused = 1;
	strcpy(r->what, "file");
	strcpy(r->reason, "duplicate-token");
	strcpy(r->name, "vm-d");
	r->token = 5;
	recorder.last_out.given_up = 9;
	strcpy(recorder.last_out.release, "7.3.4");
	for (i = 0; i < LIVEUPDATE_RECORDER_GIVEN_UP; i++)
		sprintf(recorder.last_out.given_up_names[i], "old-%d", i + 1);
}

static void check_text(const struct audit *a, const char *want, const char *what)
{
	struct audit_sums sums;
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	audit_sum(a, &sums);
	audit_text(a, &sums, false, f);
	fclose(f);
	if (strcmp(text, want))
		fprintf(stderr, "# is:\n%s# want:\n%s", text, want);
	check(!strcmp(text, want), "%s", what);
	free(text);
}

static void test_box(void)
{
	static struct liveupdate_recorder r;
	struct inv_session one = session("luotrace", 1, 1);
	struct inventory inv = { .sessions = &one, .nr_sessions = 1 };
	struct audit a = { .inv = &inv, .recorder = &r, .now = NOW };

	r.last_in.number = 2;
	r.next_out.magic = LIVEUPDATE_RECORDER_MAGIC;
	check(audit_class(&a, &one) == AUDIT_BOX, "a box that nobody took out");
	claimed(&one, false);
	check(audit_class(&a, &one) == AUDIT_BOX, "a box that was dropped");
	one.files = 2;
	check(audit_class(&a, &one) == AUDIT_DROPPED, "an agent's session of that name");
	one = session("luotrace", 1, 1);
	check_text(&a,
"clean; 1 session with 1 file holds 1.00MiB\n"
"Live update 2: 0 sessions with 0 files finished.\n"
"\n"
"  session              state       files  taken     held     age  last owner\n"
"  luotrace             box             1      0  1.00MiB   1m40s  -\n",
		   "a box is no leak");
	r.last_out.given_up = 1;
	strcpy(r.last_out.release, "7.3.4");
	strcpy(r.last_out.given_up_names[0], "luotrace");
	inv.nr_sessions = 0;
	check_text(&a,
"clean; no incoming session is left\n"
"Live update 2: 0 sessions with 0 files finished.\n", "nor is one that was given up");
	r.last_out.given_up = 2;
	strcpy(r.last_out.given_up_names[1], "vm-a");
	check_text(&a,
"LEAK: 1 finding: 1 given-up; no incoming session is left\n"
"Live update 2: 0 sessions with 0 files finished.\n"
"\n"
"* given-up sessions: 1 handed over to kernel 7.3.4 were not finished when it was\n"
"  replaced and are lost: vm-a; audit before the next live update\n",
		   "but an agent's beside it is");
	r.last_out.given_up = 12;
	check(recorder_given_up(&r.last_out) == 11, "more than there are names");
}

static void test_text(void)
{
	static const struct inventory none;
	struct audit a = { .inv = &inventory, .recorder = &recorder, .now = NOW };

	check_text(&a,
"LEAK: 12 findings: 1 unclaimed, 1 failed, 1 refused, 9 given-up; 3 sessions with 4 files hold at least 2.00MiB\n"
"Live update 3: 1 session with 4 files finished, 2 discarded unclaimed.\n"
"\n"
"* unclaimed session vm-a: not claimed in the 1m40s since this kernel read it;\n"
"  claim it by its name and finish it, or it is given up at the next live update\n"
"* failed session a\\x20name\\x20of\\x20more\\x20than\\x2020\\x20columns: retrieve of\n"
"  token 7 by handler vfio-v1 failed with Input/output error, and will again;\n"
"  finish the session to let go of it\n"
"* refused file of session vm-d token 5: duplicate-token; its memory is out of\n"
"  use until the next live update\n"
"* given-up sessions: 9 handed over to kernel 7.3.4 were not finished when it was\n"
"  replaced and are lost: old-1, old-2, old-3, old-4, old-5, old-6, old-7, old-8,\n"
"  ...; audit before the next live update\n"
"\n"
"  session              state       files  taken     held     age  last owner\n"
"  vm-a                 unclaimed       1      0  1.00MiB   1m40s  -\n"
"  a\\x20name\\x20of\\x20more\\x20than\\x2020\\x20columns\n"
"                       failed          2      0  1.00MiB   1m40s  agent[42]\n"
"    token 7              failed            -  vfio-v1, retrieve: Input/output error\n"
"  vm-c                 claimed         1      1        -   1m40s  agent[42]\n"
"    token 1              retrieved   36.0KiB  memfd-v2\n", "everything as text");
	a.session = "vm-c";
	check_text(&a,
"clean; 1 session with 1 file holds at least 0B\n"
"\n"
"  session              state       files  taken     held     age  last owner\n"
"  vm-c                 claimed         1      1        -   1m40s  agent[42]\n"
"    token 1              retrieved   36.0KiB  memfd-v2\n", "one session");
	a.session = "none";
	check_text(&a, "not found: no incoming session none; 'luotrace audit' lists unfinished sessions\n",
		   "no session");
	a.session = "old-8";
	a.inv = &none;
	check_text(&a,
"LEAK: 1 finding: 1 given-up; no incoming session old-8\n"
"\n"
"* given-up sessions: 9 handed over to kernel 7.3.4 were not finished when it was\n"
"  replaced and are lost: old-1, old-2, old-3, old-4, old-5, old-6, old-7, old-8,\n"
"  ...; audit before the next live update\n", "one that was given up");
	a.session = NULL;
	a.recorder = NULL;
	check_text(&a, "clean; no incoming session is left\n"
		   "refused, given up, finished: -, this kernel has no record\n",
		   "unknown figures are marked");
}

/* Eight names of 21 characters, of two columns and three bytes each. */
#define WIDE	"\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2"

/* Names of any bytes and of any length are complete in text and in JSON. */
static void test_names(void)
{
	static struct liveupdate_recorder r;
	struct inv_session one = session(WIDE, 1, 1);
	struct inventory inv = { .sessions = &one, .nr_sessions = 1 };
	struct audit a = { .inv = &inv, .recorder = &r, .now = NOW };
	struct audit_sums sums;
	json_t *root, *finding, *texts;
	const char *text;
	size_t i;

	check_text(&a,
"LEAK: 1 finding: 1 unclaimed; 1 session with 1 file holds 1.00MiB\n"
"This kernel was not booted by a live update.\n"
"\n"
"* unclaimed session " WIDE ": not claimed in the 1m40s since this kernel\n"
"  read it; claim it by its name and finish it, or it is given up at the next\n"
"  live update\n"
"\n"
"  session              state       files  taken     held     age  last owner\n"
"  " WIDE "       unclaimed       1      0  1.00MiB   1m40s  -\n",
		   "columns after a wide name");

	strcpy(r.last_in.refused[0].what, "tree");
	strcpy(r.last_in.refused[0].reason, "not-a-tree");
	r.last_in.nr_refused = 1;
	inv.nr_sessions = 0;
	check_text(&a,
"LEAK: 1 finding: 1 refused; no incoming session is left\n"
"This kernel was booted by a live update and rejected its handover as a whole:\n"
"the sessions that the previous kernel kept are lost; 'luotrace handover' shows\n"
"what is wrong with it.\n"
"\n"
"* refused tree: not-a-tree; its memory is out of use until the next live update\n",
		   "a handover of another LUO");
	memset(&r.last_in.refused, 0, sizeof(r.last_in.refused));
	r.last_in.nr_refused = 0;
	inv.nr_sessions = 1;

	r.last_in.number = 3;
	r.last_out.given_up = LIVEUPDATE_RECORDER_GIVEN_UP;
	/* No string of a record is trusted, its kernel's name neither. */
	strcpy(r.last_out.release, "7\x1b]0;x\x07\xff");
	r.last_in.nr_refused = 1;
	strcpy(r.last_in.refused[0].what, "x\x1b[2J\xff");
	strcpy(r.last_in.refused[0].reason, "y\x1b[2J\xff");
	memset(r.last_in.refused[0].name, 0xff, 63);
	for (i = 0; i < LIVEUPDATE_RECORDER_GIVEN_UP; i++) {
		strcpy(r.last_out.given_up_names[i], WIDE WIDE WIDE);
		r.last_out.given_up_names[i][62] = '\0';
		strcat(r.last_out.given_up_names[i], "\xa2");
	}
	root = json_object();
	audit_sum(&a, &sums);
	audit_json(&a, &sums, root);
	texts = json_object_get(root, "findings");
	check(json_array_size(texts) == 1 + 1 + LIVEUPDATE_RECORDER_GIVEN_UP,
	      "no finding is dropped");
	json_array_foreach(texts, i, finding) {
		text = json_string_value(json_object_get(finding, "text"));
		check(text && !strchr(text, '\x1b') &&
		      (i < 2 || strstr(text, "7\\x1b]0;x\\x07\\xff were")) &&
		      (i < 2 || strstr(text, "; audit before the next")),
		      "its sentence is complete and printable");
	}
	check(json_array_size(json_object_get(json_object_get(root, "refused"),
					      "first")) == 1,
	      "a rejected record is listed, even with unknown words");
	check(json_is_null(json_object_get(root, "session_found")),
	      "no session is given");
	json_decref(root);

	a.session = "none";
	root = json_object();
	audit_sum(&a, &sums);
	audit_json(&a, &sums, root);
	check(!audit_found(&a, &sums) &&
	      json_is_false(json_object_get(root, "clean")) &&
	      json_is_false(json_object_get(root, "session_found")),
	      "a missing session is not clean");
	json_decref(root);
	a.session = WIDE;
	audit_sum(&a, &sums);
	check(audit_found(&a, &sums), "a session that exists");
	inv.nr_sessions = 0;
	inv.unread = true;
	audit_sum(&a, &sums);
	check(audit_found(&a, &sums), "an unknown session");
}

static long long number(json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	return json_is_integer(v) ? json_integer_value(v) : -1;
}

static void test_json(void)
{
	struct audit a = { .inv = &inventory, .recorder = &recorder, .now = NOW };
	json_t *root = json_object(), *one, *states;
	struct audit_sums sums;

	audit_sum(&a, &sums);
	audit_json(&a, &sums, root);
	states = json_object_get(root, "states");
	check(json_is_false(json_object_get(root, "clean")) &&
	      number(root, "leaks") == 12 && number(root, "files") == 4 &&
	      number(states, "unclaimed") == 1 && number(states, "failed") == 1 &&
	      number(states, "claimed") == 1 && number(states, "given-up") == 9,
	      "sums as JSON");
	check(json_array_size(json_object_get(root, "findings")) == 2 + 1 + 8,
	      "a finding for each known name");
	one = json_array_get(json_object_get(root, "sessions"), 1);
	check(number(one, "age_ns") == 100 * (long long)SEC &&
	      number(one, "since_claim_ns") == 90 * (long long)SEC &&
	      json_is_null(json_object_get(one, "since_close_ns")) &&
	      number(json_object_get(one, "owner"), "pid") == 42, "a session");
	one = json_array_get(json_object_get(one, "file_list"), 0);
	check(number(one, "errno") == EIO && json_is_null(json_object_get(one, "pages")) &&
	      !strcmp(json_string_value(json_object_get(one, "token")), "7"),
	      "its file");
	one = json_array_get(json_object_get(root, "sessions"), 2);
	check(json_is_null(json_object_get(one, "bytes")) &&
	      json_is_null(json_object_get(root, "bytes")) &&
	      json_is_null(json_object_get(root, "pages")), "bytes are unknown");
	json_decref(root);
}

/* Whether metrics of sessions, one of @pages, have the bytes of memory. */
static bool bytes_in_metrics(uint64_t pages)
{
	struct inv_session two[2] = { session("a", 1, 1), session("b", 2, 1) };
	struct inventory inv = { .sessions = two, .nr_sessions = 2 };
	const struct audit a = { .inv = &inv, .now = NOW };
	const struct metrics m = { .probe = &(struct probe){}, .audit = &a,
				   .outgoing = &inv, .number = -1 };
	bool in, out;
	size_t size;
	char *text;
	FILE *f = open_memstream(&text, &size);

	two[1].pages = pages;
	metrics_write(&m, f);
	fclose(f);
	in = strstr(text, "\nluo_incoming_bytes ");
	out = strstr(text, "\nluo_outgoing_bytes ");
	check(in == out, "both directions have the same");
	free(text);
	return in && out;
}

/* The metrics of a record with a call of @ns and a live update at @wall. */
static char *metrics_of(uint64_t ns, uint64_t wall)
{
	static struct liveupdate_recorder r;
	struct liveupdate_recorder_row *row = &r.last_out.rows[0];
	const struct audit a = { .recorder = &r, .now = NOW };
	const struct metrics m = { .probe = &(struct probe){}, .audit = &a,
				   .number = -1 };
	size_t size;
	char *text;
	FILE *f = open_memstream(&text, &size);

	memset(&r, 0, sizeof(r));
	r.last_in.number = 1;
	r.last_in.magic = LIVEUPDATE_RECORDER_MAGIC;
	r.last_out.magic = LIVEUPDATE_RECORDER_MAGIC;
	r.last_in.wall_ns = wall;
	strcpy(row->name, "memfd-v2");
	row->count = 2;
	row->max = ns;
	row->total = ns + 5000;
	row->hist[12] = 1;
	row->hist[LIVEUPDATE_RECORDER_BUCKETS - 1] = 1;
	metrics_write(&m, f);
	fclose(f);
	return text;
}

static bool bucket_has(const char *text, const char *le, int n)
{
	char want[80];

	snprintf(want, sizeof(want), "le=\"%s\"} %d\n", le, n);
	return strstr(text, want);
}

static void test_buckets(void)
{
	char *text = metrics_of(30 * SEC, 1700000000 * SEC + 5);

	check(bucket_has(text, "2.147483648", 1) && bucket_has(text, "17.179869184", 1) &&
	      bucket_has(text, "34.359738368", 2) && bucket_has(text, "+Inf", 2),
	      "a call of 30 s is in a finite bucket");
	check(strstr(text, "\nluo_blackout_timestamp_seconds 1700000000.000000005\n"),
	      "the time of the blackout");
	free(text);
	text = metrics_of(100 * SEC, 0);
	check(bucket_has(text, "68.719476736", 1) && bucket_has(text, "+Inf", 2),
	      "a call of 100 s is in no finite bucket");
	check(!strstr(text, "luo_blackout_timestamp_seconds"),
	      "the time of the blackout is unknown");
	free(text);
}

static void test_metrics(void)
{
	test_buckets();
	check(bytes_in_metrics(3), "memory of all sessions");
	check(!bytes_in_metrics(INV_UNKNOWN), "memory that is partly unknown");
}

static void print_audit(const struct audit *a)
{
	static const struct probe probe = { .release = "7.3.4" };
	json_t *root = json_head("audit", &probe);
	struct audit_sums sums;

	audit_sum(a, &sums);
	audit_json(a, &sums, root);
	json_print(root, JSON_COMPACT);
}

/* Output for the schema: with a record and without, a table not read, torn lists. */
static void print_audits(void)
{
	struct inventory inv = { .unread = true };
	struct audit a = { .inv = &inventory, .recorder = &recorder, .now = NOW };

	print_audit(&a);
	a.recorder = NULL;
	a.session = "none";
	print_audit(&a);
	a.inv = &inv;
	print_audit(&a);
	inv = (struct inventory){ .torn = true };
	print_audit(&a);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "json")) {
		set_up();
		print_audits();
		return 0;
	}
	puts("TAP version 13");
	set_up();
	test_classes();
	test_box();
	test_text();
	test_names();
	test_json();
	test_metrics();
	return end_tests();
}
