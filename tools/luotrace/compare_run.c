// SPDX-License-Identifier: GPL-2.0

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "compare_run.h"
#include "enum_name.h"
#include "fmt.h"
#include "intervals.h"
#include "msg.h"
#include "trace_file.h"

static const char *const kinds[] = { "handler", "subsystem", "shared_state" };
static const char *const scopes[] = { "agent", "prepare", "reboot", "failed" };

static int find_word(const char *word, const char *const *words, int n)
{
	int i;

	for (i = 0; i < n && (!word || strcmp(word, words[i])); i++)
		;
	return i;
}

static bool add_measure(struct compare_run *run, const struct measure *one)
{
	struct measure *grown = reallocarray(run->all, run->n + 1, sizeof(*grown));

	if (!grown)
		return false;
	run->all = grown;
	run->all[run->n++] = *one;
	return true;
}

/* A number of a timeline; null is unknown. False if it is neither. */
static bool read_ns(json_t *o, const char *key, bool *known, uint64_t *ns)
{
	json_t *n = json_object_get(o, key);

	*known = json_is_integer(n) && json_integer_value(n) >= 0;
	*ns = *known ? json_integer_value(n) : 0;
	return *known || json_is_null(n);
}

static bool read_count(json_t *o, const char *key, uint64_t *n)
{
	bool known;

	return read_ns(o, key, &known, n) && known;
}

static bool read_name(json_t *o, const char *key, char *name, size_t size)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text && fmt_read_name(name, size, text);
}

static bool read_whole(struct compare_run *run, json_t *root, const char *key,
		       enum measure_of of)
{
	struct measure m = { .of = of, .span = SPAN_NR };

	return read_ns(root, key, &m.known, &m.ns) && add_measure(run, &m);
}

static bool read_workload(struct compare_run *run, json_t *o)
{
	struct measure m = { .of = MEASURE_WORKLOAD, .span = SPAN_NR };

	return read_name(o, "name", m.name, sizeof(m.name)) &&
	       read_ns(o, "blackout_ns", &m.known, &m.ns) && add_measure(run, &m);
}

static bool read_phase(struct compare_run *run, json_t *o)
{
	const char *name = json_string_value(json_object_get(o, "phase"));
	struct measure m = { .of = MEASURE_PHASE };

	if (!name)
		return false;
	while (m.span < SPAN_NR && strcmp(span_name(m.span), name))
		m.span++;
	/* One of a later luotrace is not compared. */
	return m.span == SPAN_NR || (read_ns(o, "duration_ns", &m.known, &m.ns) &&
				     add_measure(run, &m));
}

/* The phase that calls belong to. */
static enum span span_of(const struct measure *m)
{
	enum span s;

	for (s = 0; s < SPAN_NR; s++) {
		if (span_has_op(s, m->op) && span_scope(s) == m->scope &&
		    (s >= SPAN_KEXEC) == (m->by == BY_NEW_KERNEL))
			break;
	}
	return s;
}

static bool read_row(struct compare_run *run, json_t *o, enum measure_of of,
		     enum measure_by by)
{
	const char *op = json_string_value(json_object_get(o, "op"));
	const char *scope = json_string_value(json_object_get(o, "scope"));
	struct measure m = { .of = of, .by = by };
	bool known;

	m.scope = find_word(scope, scopes, LIVEUPDATE_NR_SCOPES);
	while (m.kind < 3 && !read_name(o, kinds[m.kind], m.name, sizeof(m.name)))
		m.kind++;
	if (!op || !scope || m.kind == 3 || !read_count(o, "count", &m.count) ||
	    !read_ns(o, "wall_ns", &m.known, &m.ns) ||
	    !read_ns(o, "total_ns", &known, &m.total) ||
	    !read_ns(o, "max_ns", &known, &m.longest))
		return false;
	/* An operation or a scope of a later luotrace. */
	if (enum_value(ENUM_OP, op) < 0 || m.scope == LIVEUPDATE_NR_SCOPES)
		return true;
	m.op = enum_value(ENUM_OP, op);
	m.span = of == MEASURE_CALL ? span_of(&m) : SPAN_NR;
	return add_measure(run, &m);
}

static bool read_rows(struct compare_run *run, json_t *rows, enum measure_of of,
		      enum measure_by by)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		if (!read_row(run, row, of, by))
			return false;
	}
	return json_is_array(rows);
}

/* What one kernel recorded; null if it left no record. */
static bool read_kernel(struct compare_run *run, json_t *part, enum measure_by by)
{
	uint64_t lost;

	if (json_is_null(part))
		return true;
	if (!read_count(part, "lost_calls", &lost) ||
	    !read_name(part, "release", run->releases[by], sizeof(run->releases[by])))
		return false;
	run->complete[by] = !lost;
	return read_rows(run, json_object_get(part, "calls"), MEASURE_CALL, by);
}

static bool read_failed(struct compare_run *run, json_t *failed)
{
	return json_is_null(failed) ||
	       (read_count(failed, "reboots", &run->failed) &&
		read_count(failed, "cancelled", &run->cancelled) &&
		read_rows(run, json_object_get(failed, "calls"), MEASURE_FAILED,
			  BY_OLD_KERNEL));
}

/* The JSON of a timeline; false if that is not what it is. */
static bool read_timeline(struct compare_run *run, json_t *root)
{
	json_t *workloads = json_object_get(root, "workloads"), *one;
	json_t *phases = json_object_get(root, "phases");
	bool ok = json_is_array(workloads) && json_is_array(phases);
	size_t i;

	ok = ok && read_whole(run, root, "blackout_ns", MEASURE_BLACKOUT) &&
	     read_whole(run, root, "freeze_window_ns", MEASURE_WINDOW);
	json_array_foreach(workloads, i, one)
		ok = ok && read_workload(run, one);
	json_array_foreach(phases, i, one)
		ok = ok && read_phase(run, one);
	ok = ok && read_kernel(run, json_object_get(root, "old_kernel"), BY_OLD_KERNEL) &&
	     read_kernel(run, json_object_get(root, "new_kernel"), BY_NEW_KERNEL) &&
	     read_failed(run, json_object_get(root, "failed"));
	/* Nobody traced there, or not from the beginning. */
	if (json_is_string(json_object_get(root, "new_kernel_note")))
		run->complete[BY_NEW_KERNEL] = false;
	return ok;
}

static bool is_call_of(const struct lt_event *e, const struct tracer_row *row)
{
	static const enum lt_type types[] = {
		[LT_HANDLER] = LT_HANDLER_EXIT, [LT_SUBSYSTEM] = LT_SUBSYSTEM_EXIT,
		[LT_FLB] = LT_FLB_EXIT,
	};

	return e->type == types[row->key.kind] && e->call.op == row->key.op &&
	       !strcmp(e->compatible, row->key.name);
}

/* Calls of a trace, as a row of its table. */
static bool read_traced(struct compare_run *run, const struct trace_file *t,
			const struct tracer_row *row, bool failed)
{
	struct measure m = { .of = failed ? MEASURE_FAILED : MEASURE_CALL, .span = SPAN_NR,
			     .by = BY_TRACE, .kind = row->key.kind, .op = row->key.op,
			     .known = true, .count = row->calls.count,
			     .total = row->calls.total_ns, .longest = row->calls.max_ns };
	struct intervals set = { .n = 0 };
	const struct lt_event *e;
	struct lt_event room;
	size_t i;

	for (i = 0; i < t->events.nr; i++) {
		e = event_store_get(&t->events, i, &room);
		if (is_call_of(e, row) && attempts_failed(&t->attempts, i) == failed)
			intervals_add(&set, e->ts - e->call.duration_ns, e->ts);
	}
	m.ns = intervals_total(&set);
	snprintf(m.name, sizeof(m.name), "%s", row->key.name);
	return add_measure(run, &m);
}

/* A recording without a live update has the calls of one kernel. */
static bool read_calls(struct compare_run *run, const struct trace_file *t)
{
	const struct latency *l = &t->latency;
	bool ok = true;
	int i;

	for (i = 0; i < l->nr_rows; i++)
		ok = ok && read_traced(run, t, &l->rows[i], false);
	for (i = 0; i < l->nr_failed; i++)
		ok = ok && read_traced(run, t, &l->failed[i], true);
	run->complete[BY_TRACE] = t->ended && !trace_file_lost(t);
	return ok;
}

static bool read_record(struct compare_run *run, const struct update *u)
{
	json_t *root = json_object();
	struct blackout b;
	bool ok;

	blackout_measure(&u->record, &b);
	timeline_json(&u->record, &b, root);
	timeline_steps_json(timeline_steps(u), root);
	ok = read_timeline(run, root);
	json_decref(root);
	return ok;
}

/* An update, which is freed; NULL after a message. */
static const char *read_update(struct compare_run *run, struct update *u)
{
	const char *why = NULL;

	if (!u)
		return "";
	if (!update_present(u))
		why = "it is of a kernel that no live update booted";
	else if (!read_record(run, u))
		why = "it has figures that no live update has";
	free(u);
	return why;
}

static const char *read_recording(struct compare_run *run, const char *path)
{
	struct trace_file *t = trace_file_read(path);
	bool ok;

	if (!t)
		return "";
	ok = trace_file_record(t) ? read_record(run, t->update) : read_calls(run, t);
	trace_file_free(t);
	return ok ? NULL : "out of memory";
}

static const char *read_recorder(struct compare_run *run, const char *path)
{
	struct liveupdate_recorder *r = recorder_load(path);
	struct update *u = r ? calloc(1, sizeof(*u)) : NULL;
	const char *why = r ? "out of memory" : "";

	if (u) {
		u->record = *r;
		why = read_update(run, u);
	}
	free(r);
	return why;
}

/* What is wrong with a file, NULL if nothing is; "" after a message. */
static const char *read_file(struct compare_run *run, const char *path)
{
	FILE *f;
	const char *command, *why = NULL;
	json_t *first;
	int c;

	if (update_store_is_update(path))
		return read_update(run, update_store_load_file(path));
	f = fopen(path, "re");
	if (!f)
		return strerror(errno);
	c = getc(f);
	ungetc(c, f);
	first = c == '{' ? json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
	fclose(f);
	command = json_string_value(json_object_get(first, "command"));
	if (json_object_get(first, "event"))
		why = read_recording(run, path);
	else if (c != '{')
		why = read_recorder(run, path);
	else if (!command || strcmp(command, "timeline"))
		why = "it is not what luotrace timeline --json or luotrace record wrote";
	else if (!read_timeline(run, first))
		why = "it is not a timeline that this luotrace knows";
	json_decref(first);
	return why;
}

static void free_run(struct compare_run *run)
{
	free(run->source);
	free(run->all);
}

static bool add_run(struct compare_side *side, const char *source, unsigned int number,
		    const char *dir)
{
	struct compare_run *grown = reallocarray(side->runs, side->n + 1, sizeof(*grown));
	struct compare_run *run;
	const char *why = "out of memory";

	if (grown) {
		side->runs = grown;
		run = &grown[side->n];
		memset(run, 0, sizeof(*run));
		run->source = strdup(source);
		why = number ? read_update(run, update_store_load(dir, number)) :
			       read_file(run, source);
		if (!why && run->source) {
			side->n++;
			return true;
		}
		free_run(run);
	}
	if (why && *why)
		msg_error("cannot read '%s': %s", source, why);
	return false;
}

static int wanted(const struct dirent *d)
{
	return !fnmatch("*.update", d->d_name, FNM_PERIOD) ||
	       !fnmatch("*.json", d->d_name, FNM_PERIOD) ||
	       !fnmatch("*.luotrace", d->d_name, FNM_PERIOD);
}

static bool add_directory(struct compare_side *side, const char *path)
{
	struct dirent **all = NULL;
	int n = scandir(path, &all, wanted, alphasort), i;
	char file[PATH_MAX];
	bool ok = n > 0;

	if (n < 0)
		msg_error("cannot read '%s': %s", path, strerror(errno));
	else if (!n)
		msg_error("'%s' has no *.update, *.json or *.luotrace", path);
	for (i = 0; i < n; i++) {
		snprintf(file, sizeof(file), "%s/%s", path, all[i]->d_name);
		ok = ok && add_run(side, file, 0, NULL);
		free(all[i]);
	}
	free(all);
	return ok;
}

bool compare_side_add(struct compare_side *side, const char *arg, const char *dir)
{
	unsigned int number;
	struct stat st;

	if (update_store_number(arg, &number) && number)
		return add_run(side, arg, number, dir);
	if (!stat(arg, &st) && S_ISDIR(st.st_mode))
		return add_directory(side, arg);
	return add_run(side, arg, 0, NULL);
}

void compare_side_free(struct compare_side *side)
{
	while (side->n)
		free_run(&side->runs[--side->n]);
	free(side->runs);
	side->runs = NULL;
}
