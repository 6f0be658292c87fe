// SPDX-License-Identifier: GPL-2.0

#include <string.h>

#include "enum_name.h"
#include "fmt.h"
#include "hist.h"
#include "json.h"
#include "top_view.h"

#define NAME_BUF	(4 * LT_NAME_LEN + 64)
/* From this width on a call is one line, below it has a second one. */
#define WIDE		132
#define INDENT		8
#define LEAST_LINES	3	/* of calls in flight, however many rows there are */

static const char *const sorts[TOP_NR_SORTS] = {
	[TOP_BY_AGE] = "age",
	[TOP_BY_TASK] = "task",
	[TOP_BY_SESSION] = "session",
	[TOP_BY_HANDLER] = "handler",
};

const char *top_sort_name(enum top_sort sort)
{
	return sort < TOP_NR_SORTS ? sorts[sort] : NULL;
}

static const char *age_text(const struct top_call *c, char *buf)
{
	char age[FMT_LEN];

	sprintf(buf, "%s%s", c->known ? "" : ">", fmt_age(age, c->age_ns));
	return buf;
}

static const char *task_text(const struct top_call *c, char *buf)
{
	char name[4 * LT_COMM_LEN + 1];

	if (*c->call.comm)
		sprintf(buf, "%s/%u", fmt_name(name, sizeof(name), c->call.comm),
			c->call.tid);
	else
		sprintf(buf, "?/%u", c->call.tid);
	return buf;
}

static const char *session_text(const struct top_call *c, char *buf)
{
	if (!c->known)
		return "?";
	return *c->call.session ? fmt_name(buf, NAME_BUF, c->call.session) : "-";
}

static const char *token_text(const struct top_call *c, char *buf)
{
	if (!c->known)
		return "?";
	if (c->call.kind != LT_HANDLER)
		return "-";
	sprintf(buf, "%llu", (unsigned long long)c->call.token);
	return buf;
}

static const char *handler_text(const struct top_call *c, char *buf)
{
	return c->known ? fmt_name(buf, NAME_BUF, c->call.compatible) : "?";
}

static const char *op_text(const struct top_call *c, char *buf)
{
	(void)buf;
	return c->known ? enum_name(ENUM_OP, c->call.op) : "?";
}

/* The columns of a call; widths below 0 are to the right. */
static const struct {
	const char *head;
	const char *(*text)(const struct top_call *c, char *buf);
	int narrow, wide;
} columns[] = {
	{ "AGE", age_text, -7, -7 },
	{ "TASK", task_text, 18, 24 },
	{ "SESSION", session_text, 17, 28 },
	{ "TOKEN", token_text, -7, -10 },
	{ "HANDLER", handler_text, 13, 20 },
	{ "OPERATION", op_text, 12, 12 },
};

#define NR_COLUMNS	(sizeof(columns) / sizeof(columns[0]))

static bool is_wide(const struct top_view *v)
{
	return !v->columns || v->columns >= WIDE;
}

/* A cell; without a limit what does not fit moves the rest of the line. */
static void cell(const struct top_view *v, const char *text, int width, FILE *f)
{
	if (!v->columns && fmt_columns(text) > (width < 0 ? -width : width))
		fputs(text, f);
	else
		fmt_cell(f, text, width);
}

/* The last cell of a line. */
static void last_cell(const struct top_view *v, const char *text, int used, FILE *f)
{
	if (v->columns && fmt_columns(text) > v->columns - used)
		fmt_cell(f, text, v->columns - used);
	else
		fputs(text, f);
	fputc('\n', f);
}

/* Print the cells of a line, of a call or of the head. Returns their columns. */
static int print_cells(const struct top_view *v, const struct top_call *c, FILE *f)
{
	char buf[NAME_BUF];
	int width, used = 0;
	size_t i;

	for (i = 0; i < NR_COLUMNS; i++) {
		const char *text = c ? columns[i].text(c, buf) : columns[i].head;

		width = is_wide(v) ? columns[i].wide : columns[i].narrow;
		if (i == NR_COLUMNS - 1 && !is_wide(v)) {
			fputs(text, f);
			break;
		}
		cell(v, text, width, f);
		fputc(' ', f);
		used += (width < 0 ? -width : width) + 1;
	}
	return used;
}

static void print_call(const struct top_view *v, const struct top_call *c, FILE *f)
{
	char text[TASK_TEXT];
	int used = print_cells(v, c, f);

	if (!is_wide(v)) {
		fprintf(f, "\n%*s", INDENT, "");
		used = INDENT;
	}
	last_cell(v, task_state_text(&c->task, c->ran, text), used, f);
}

static void print_more(int nr, FILE *f)
{
	fprintf(f, "%*s... and %d more\n", INDENT, "", nr);
}

/* The calls in flight in at most @room lines; 0 for all of them. */
static void print_calls(const struct top *top, const struct top_view *v, int room,
			FILE *f)
{
	int used, i, each = is_wide(v) ? 1 : 2, shown = top->nr_calls;

	if (!top->nr_calls) {
		fputs("no call is in flight\n", f);
		return;
	}
	if (room && shown * each > room - 1)
		shown = room > 2 ? (room - 2) / each : 0;
	if (room == 1) {
		print_more(top->nr_calls, f);
		return;
	}
	used = print_cells(v, NULL, f);
	if (is_wide(v))
		last_cell(v, "STATE, WAITS IN", used, f);
	else
		fputc('\n', f);
	for (i = 0; i < shown; i++)
		print_call(v, &top->calls[i], f);
	if (shown < top->nr_calls)
		print_more(top->nr_calls - shown, f);
}

static const char *kind_text(enum lt_kind kind)
{
	return kind == LT_SUBSYSTEM ? " (subsystem)" : kind == LT_FLB ? " (FLB)" : "";
}

static void print_row(const struct top *top, const struct top_view *v,
		      const struct tracer_row *row, FILE *f)
{
	char name[NAME_BUF], ns[FMT_LEN], text[NAME_BUF + 16];
	const struct lt_row *c = &row->calls;
	int name_width = is_wide(v) ? 40 : 22;

	if (row->key.kind == LT_OTHERS)
		strcpy(text, "others");
	else
		sprintf(text, "%s%s", fmt_name(name, sizeof(name), row->key.name),
			kind_text(row->key.kind));
	cell(v, text, name_width, f);
	fputc(' ', f);
	cell(v, enum_name(ENUM_OP, row->key.op), 12, f);
	fprintf(f, " %9.1f %6llu", c->count * 1e9 / top->interval_ns,
		(unsigned long long)c->errors);
	fprintf(f, " %7s", fmt_ns(ns, c->total_ns / c->count));
	fprintf(f, " %7s", fmt_ns(ns, hist_percentile(c, 99)));
	fprintf(f, " %7s\n", fmt_ns(ns, c->max_ns));
}

static void print_rows(const struct top *top, const struct top_view *v, int room, FILE *f)
{
	int i, shown = top->nr_rows;

	if (!top->nr_rows) {
		fputs("no call has ended\n", f);
		return;
	}
	if (room && shown > room - 1)
		shown = room > 2 ? room - 2 : 0;
	if (room == 1) {
		print_more(top->nr_rows, f);
		return;
	}
	cell(v, "HANDLER", is_wide(v) ? 40 : 22, f);
	fprintf(f, " %-12s %9s %6s %7s %7s %7s\n", "OPERATION", "CALLS/S", "ERRORS",
		"AVG", "P99", "MAX");
	for (i = 0; i < shown; i++)
		print_row(top, v, &top->rows[i], f);
	if (shown < top->nr_rows)
		print_more(top->nr_rows - shown, f);
}

static void print_head(const struct top *top, const struct top_view *v, FILE *f)
{
	char text[256], ns[FMT_LEN];
	uint64_t calls = 0, errors = 0;
	int i, earlier = 0, n;

	for (i = 0; i < top->nr_rows; i++) {
		calls += top->rows[i].calls.count;
		errors += top->rows[i].calls.errors;
	}
	for (i = 0; i < top->nr_calls; i++)
		earlier += !top->calls[i].known;
	n = sprintf(text, "%d in flight", top->nr_calls);
	if (earlier)
		n += sprintf(text + n, ", %d from before luotrace", earlier);
	sprintf(text + n, "; %llu ended in %s, %llu failed%s",
		(unsigned long long)calls, fmt_ns(ns, top->interval_ns),
		(unsigned long long)errors, v->paused ? "; PAUSED" : "");
	last_cell(v, text, 0, f);
}

/* What luotrace cannot say of what it shows. */
static void print_lost(const struct top *top, const struct top_view *v, FILE *f)
{
	char text[128];

	if (!top->lost.flights)
		return;
	sprintf(text, "%llu call%s not shown while in flight, more than %d at once",
		(unsigned long long)top->lost.flights, fmt_s(top->lost.flights),
		LT_FLIGHTS);
	last_cell(v, text, 0, f);
}

void top_text(const struct top *top, const struct top_view *v, FILE *f)
{
	char observer[OBSERVER_TEXT];
	int each = is_wide(v) ? 1 : 2;
	/* Head, empty line, calls, empty line, rows, losses, empty line, observer. */
	int room = v->lines ? v->lines - 5 - !!top->lost.flights : 0;
	int calls = 1 + (top->nr_calls ? top->nr_calls * each : 0);
	int rows = 1 + top->nr_rows;

	/* Few rows leave their room to the calls, few calls to the rows. */
	if (room && calls + rows > room) {
		if (rows > room / 3)
			rows = calls < room - room / 3 ? room - calls : room / 3;
		if (rows > room - LEAST_LINES)
			rows = room - LEAST_LINES;
		calls = room - rows;
	}
	print_head(top, v, f);
	fputc('\n', f);
	print_calls(top, v, room ? calls : 0, f);
	fputc('\n', f);
	print_rows(top, v, room ? rows : 0, f);
	print_lost(top, v, f);
	fputc('\n', f);
	last_cell(v, observer_text(&top->observer, observer), 0, f);
}

static const char *const kind_keys[] = {
	[LT_HANDLER] = "handler",
	[LT_SUBSYSTEM] = "subsystem",
	[LT_FLB] = "shared_state",
	[LT_OTHERS] = "others",
};

static json_t *task_json(const struct top_call *c)
{
	char state[2] = { c->task.state };
	json_t *stack;
	int i;

	if (c->task.seen != TASK_SEEN)
		return json_null();
	stack = c->task.frames ? json_array() : json_null();
	for (i = 0; i < c->task.frames; i++)
		json_array_append_new(stack, fmt_json_name(c->task.stack[i]));
	return json_pack("{so, si, so, so}", "state", fmt_json_name(state),
			 "cpu", c->task.cpu,
			 "ran", c->ran < 0 ? json_null() : json_real(c->ran),
			 "stack", stack);
}

static json_t *call_json(const struct top_call *c)
{
	const struct lt_flight *f = &c->call;
	json_t *o = json_pack("{sI, sb, sI, sI, so, sb, so}",
			      "age_ns", (json_int_t)c->age_ns,
			      "began_before", !c->known,
			      "pid", (json_int_t)f->pid, "tid", (json_int_t)f->tid,
			      "comm", *f->comm ? fmt_json_name(f->comm) : json_null(),
			      "gone", c->task.seen == TASK_GONE,
			      "task", task_json(c));

	json_object_set_new(o, "op", c->known ?
			    json_string(enum_name(ENUM_OP, f->op)) : json_null());
	json_object_set_new(o, kind_keys[f->kind & 3],
			    c->known ? fmt_json_name(f->compatible) : json_null());
	if (f->kind == LT_HANDLER) {
		json_object_set_new(o, "session", c->known ?
				    fmt_json_name(f->session) : json_null());
		json_object_set_new(o, "token", c->known ? json_token(f->token) :
							   json_null());
	}
	return o;
}

static json_t *row_json(const struct top *top, const struct tracer_row *row)
{
	const struct lt_row *c = &row->calls;

	return json_pack("{so, ss, sI, sI, sf, sI, sI, sI}",
			 kind_keys[row->key.kind & 3], fmt_json_name(row->key.name),
			 "op", enum_name(ENUM_OP, row->key.op),
			 "count", (json_int_t)c->count,
			 "errors", (json_int_t)c->errors,
			 "calls_per_s", c->count * 1e9 / top->interval_ns,
			 "avg_ns", (json_int_t)(c->total_ns / c->count),
			 "p99_ns", (json_int_t)hist_percentile(c, 99),
			 "max_ns", (json_int_t)c->max_ns);
}

void top_json(const struct top *top, json_t *root)
{
	json_t *calls = json_array(), *rows = json_array();
	int i;

	for (i = 0; i < top->nr_calls; i++)
		json_array_append_new(calls, call_json(&top->calls[i]));
	for (i = 0; i < top->nr_rows; i++)
		json_array_append_new(rows, row_json(top, &top->rows[i]));
	json_object_set_new(root, "interval_ns", json_integer(top->interval_ns));
	json_object_set_new(root, "in_flight", calls);
	json_object_set_new(root, "in_flight_lost", json_integer(top->lost.flights));
	json_object_set_new(root, "ended", rows);
	json_object_set_new(root, "lost", json_lost(&top->lost));
	json_object_set_new(root, "observer", observer_json(&top->observer));
}
