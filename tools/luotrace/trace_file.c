// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <nettle/base64.h>
#include <stdlib.h>
#include <string.h>

#include "enum_name.h"
#include "event.h"
#include "hist.h"
#include "host.h"
#include "msg.h"
#include "stacks.h"
#include "trace_file.h"

static json_t *encode(const void *data, size_t size)
{
	json_t *text = json_null();
	char *coded = malloc(BASE64_ENCODE_RAW_LENGTH(size));

	if (coded) {
		base64_encode_raw(coded, size, data);
		text = json_stringn(coded, BASE64_ENCODE_RAW_LENGTH(size));
	}
	free(coded);
	return text;
}

void trace_file_encode(struct update *u, json_t *end)
{
	json_object_set_new(end, "recorder", u ? encode(&u->record, sizeof(u->record)) :
						 json_null());
	if (u && u->magic)
		update_store_seal(u);
	json_object_set_new(end, "box", u && u->magic ? encode(u, UPDATE_HEAD) :
							json_null());
}

/* Bytes in base64, for free(); NULL if they are damaged, or more than @room. */
static uint8_t *decode(json_t *value, size_t room, size_t *size)
{
	size_t len = json_string_length(value);
	struct base64_decode_ctx ctx;
	uint8_t *raw;

	if (!json_is_string(value) || len > BASE64_ENCODE_RAW_LENGTH(room))
		return NULL;
	raw = malloc(BASE64_DECODE_LENGTH(len));
	if (!raw)
		return NULL;
	base64_decode_init(&ctx);
	if (base64_decode_update(&ctx, size, raw, len, json_string_value(value)) &&
	    base64_decode_final(&ctx))
		return raw;
	free(raw);
	return NULL;
}

/* The record of a kernel, without what a box adds to it. */
static struct update *bare_update(const void *record, size_t size)
{
	struct liveupdate_recorder *r = recorder_parse(record, size);
	struct update *u = r ? calloc(1, sizeof(*u)) : NULL;

	if (u)
		u->record = *r;
	free(r);
	return u;
}

/* An update in two parts. */
static struct update *join_update(json_t *box, const void *record, size_t record_size)
{
	size_t size = 0;
	uint8_t *head = decode(box, UPDATE_HEAD, &size), *whole = NULL;
	struct update *u = NULL;
	const char *why;

	if (head && size == UPDATE_HEAD)
		whole = malloc(size + record_size);
	if (whole) {
		memcpy(whole, head, size);
		memcpy(whole + size, record, record_size);
		u = update_store_parse(whole, size + record_size, &why);
	}
	free(whole);
	free(head);
	return u;
}

/* Decode the update in the last line; false if it is damaged. */
static bool read_update(struct trace_file *t, json_t *end)
{
	json_t *recorder = json_object_get(end, "recorder");
	json_t *box = json_object_get(end, "box");
	uint8_t *record;
	size_t size;

	if (!recorder || json_is_null(recorder))
		return !box || json_is_null(box);
	record = decode(recorder, sizeof(t->update->record), &size);
	if (!record)
		return false;
	t->update = !box || json_is_null(box) ? bare_update(record, size) :
						join_update(box, record, size);
	free(record);
	return t->update;
}

const struct liveupdate_recorder *trace_file_record(const struct trace_file *t)
{
	return t->update && update_present(t->update) ? &t->update->record : NULL;
}

/* An update that was saved comes before the traces of it, later ones before earlier. */
bool trace_file_repeated(struct trace_file *const *traces, int nr, int at)
{
	const struct liveupdate_recorder *r = trace_file_record(traces[at]), *other;
	int i;

	for (i = 0; i < nr; i++) {
		other = trace_file_record(traces[i]);
		if (i == at || !other || other->last_in.number != r->last_in.number ||
		    other->last_in.wall_ns != r->last_in.wall_ns)
			continue;
		if (!traces[i]->head == !traces[at]->head ? i > at : !traces[i]->head)
			return true;
	}
	return false;
}

struct trace_file *trace_file_update(struct update *u)
{
	struct trace_file *t;

	if (!u)
		return NULL;
	t = calloc(1, sizeof(*t));
	if (t)
		t->track = session_track_new(0);
	if (!t || !t->track) {
		msg_error("out of memory");
		free(t);
		free(u);
		return NULL;
	}
	attempts_init(&t->attempts);
	t->latency.track = t->track;
	t->latency.observer = OBSERVER_NOTHING;
	t->update = u;
	t->ended = true;
	return t;
}

static struct tracer_row *get_row(struct tracer_row **rows, int *nr,
				  const struct lt_event *e, enum lt_kind kind)
{
	struct tracer_row *grown, *row;
	int i;

	for (i = 0; i < *nr; i++) {
		row = &(*rows)[i];
		if (row->key.kind == kind && row->key.op == e->call.op &&
		    !strcmp(row->key.name, e->compatible))
			return row;
	}
	grown = reallocarray(*rows, *nr + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	*rows = grown;
	row = &grown[(*nr)++];
	memset(row, 0, sizeof(*row));
	row->key.kind = kind;
	row->key.op = e->call.op;
	strcpy(row->key.name, e->compatible);
	return row;
}

static void keep_slow(struct lt_slow *slow, int *nr, const struct lt_event *e,
		      enum lt_kind kind)
{
	struct lt_slow call = {
		.duration_ns = e->call.duration_ns, .ts = e->ts,
		.token = e->call.token, .op = e->call.op, .ret = e->ret,
		.kind = kind,
	};
	int at = *nr;

	memcpy(call.session, e->session, sizeof(call.session));
	memcpy(call.compatible, e->compatible, sizeof(call.compatible));
	while (at && slow[at - 1].duration_ns < call.duration_ns) {
		if (at < LT_SLOWEST)
			slow[at] = slow[at - 1];
		at--;
	}
	if (at == LT_SLOWEST)
		return;
	slow[at] = call;
	if (*nr < LT_SLOWEST)
		++*nr;
}

/* False if out of memory. */
static bool add_event(struct trace_file *t, const struct lt_event *e)
{
	if (!event_store_add(&t->events, e))
		return false;
	session_track_event(t->track, e);
	if (e->type == LT_STATE && e->state.new == STATE_FROZEN)
		t->latency.frozen = true;
	return attempts_event(&t->attempts, e, t->events.nr - 1);
}

/* Count the calls, those of failed attempts apart. */
static bool count_calls(struct trace_file *t)
{
	struct latency *l = &t->latency;
	const struct lt_event *e;
	struct tracer_row *row;
	struct lt_event room;
	enum lt_kind kind;
	bool failed;
	size_t i;

	for (i = 0; i < t->events.nr; i++) {
		e = event_store_get(&t->events, i, &room);
		if (e->type != LT_HANDLER_EXIT && e->type != LT_SUBSYSTEM_EXIT &&
		    e->type != LT_FLB_EXIT)
			continue;
		kind = e->type == LT_SUBSYSTEM_EXIT ? LT_SUBSYSTEM :
		       e->type == LT_FLB_EXIT ? LT_FLB : LT_HANDLER;
		failed = attempts_failed(&t->attempts, i);
		row = get_row(failed ? &l->failed : &l->rows,
			      failed ? &l->nr_failed : &l->nr_rows, e, kind);
		if (!row)
			return false;
		hist_count(&row->calls, e->call.duration_ns, e->ret);
		keep_slow(failed ? l->failed_slow : l->slow,
			  failed ? &l->nr_failed_slow : &l->nr_slow, e, kind);
	}
	return true;
}

void trace_file_numbers(const struct trace_file *t, uint64_t *first,
			uint64_t *last)
{
	struct lt_event room;
	uint64_t number;
	size_t i;

	*first = *last = 0;
	for (i = 0; i < t->events.nr; i++) {
		number = event_store_get(&t->events, i, &room)->number;
		if (number && (!*first || number < *first))
			*first = number;
		if (number > *last)
			*last = number;
	}
}

uint64_t trace_file_lost(const struct trace_file *t)
{
	const struct tracer_lost *lost = &t->latency.lost;

	if (lost->events == TRACER_UNKNOWN || lost->missed == TRACER_UNKNOWN)
		return TRACER_UNKNOWN;
	return lost->events + lost->missed;
}

static uint64_t lost_of(json_t *end, const char *key)
{
	json_t *n = json_object_get(json_object_get(end, "lost"), key);

	return json_is_integer(n) ? (uint64_t)json_integer_value(n) :
				    TRACER_UNKNOWN;
}

/* Stacks of a line, in place of those of an earlier one; false if they are damaged. */
static bool read_stacks(struct trace_file *t, json_t *line)
{
	json_t *stacks = json_object_get(line, "stacks");

	if (!stacks)
		return true;
	json_decref(t->latency.stacks);
	t->latency.stacks = json_incref(stacks);
	return stacks_valid(stacks);
}

/* What is wrong with a line, or NULL. */
static const char *add_line(struct trace_file *t, json_t *line)
{
	const char *event = json_string_value(json_object_get(line, "event"));
	struct lt_event e;

	if (t->ended)
		return "a line after the end";
	if (!t->head) {
		if (!event || strcmp(event, "start") ||
		    json_integer_value(json_object_get(line, "trace_version")) !=
		    TRACE_FILE_VERSION)
			return "not a trace of this version of luotrace";
		t->head = json_incref(line);
		return NULL;
	}
	if (event && !strcmp(event, "end")) {
		t->ended = true;
		t->latency.lost.events = lost_of(line, "events");
		t->latency.lost.missed = lost_of(line, "missed");
		t->latency.lost.functions = lost_of(line, "functions");
		t->latency.observer = observer_read(json_object_get(line, "observer"));
		if (!latency_read_kho(&t->latency, json_object_get(line, "kho")) ||
		    !folios_read(&t->latency.folios, json_object_get(line, "folios")))
			return "damaged figures of memory";
		if (!read_stacks(t, line))
			return "damaged stacks";
		if (!t->latency.page_size)
			t->latency.page_size = t->latency.folios.page_size;
		return read_update(t, line) ? NULL : "a damaged record";
	}
	if (event && !strcmp(event, "stacks"))
		return json_object_get(line, "stacks") && read_stacks(t, line) ?
		       NULL : "damaged stacks";
	if (!event_from_json(line, &e))
		return "not an event that this luotrace knows";
	return add_event(t, &e) ? NULL : "out of memory";
}

/* Read all lines. Returns what is wrong with line *@nr, or NULL. */
static const char *read_lines(struct trace_file *t, FILE *f, size_t *nr)
{
	const char *why = NULL;
	char *text = NULL;
	size_t size = 0;
	json_t *line;
	ssize_t len = 0;

	for (*nr = 1; !why && (len = getline(&text, &size, f)) >= 0; ++*nr) {
		/* luotrace record was killed while it wrote this line. */
		if (text[len - 1] != '\n')
			break;
		line = json_loadb(text, len, 0, NULL);
		why = line ? add_line(t, line) : "not JSON";
		json_decref(line);
	}
	/* Also without memory for a line, which is no error of the file. */
	if (!why && len < 0 && !feof(f))
		why = strerror(errno);
	free(text);
	if (!why && !t->head)
		why = "not a trace";
	--*nr;
	return why;
}

static int compare_rows(const void *a, const void *b)
{
	const struct tracer_row *x = a, *y = b;
	int c = (int)x->key.kind - (int)y->key.kind;

	c = c ? c : strcmp(x->key.name, y->key.name);
	return c ? c : (int)x->key.op - (int)y->key.op;
}

static struct trace_file *read_trace(const char *path)
{
	struct trace_file *t = calloc(1, sizeof(*t));
	FILE *f = fopen(path, "re");
	const char *why;
	size_t nr = 0;

	if (!t || !f) {
		msg_error("cannot read '%s': %s", path, strerror(errno));
		goto fail;
	}
	attempts_init(&t->attempts);
	/* The last line has these. */
	t->latency.lost.events = TRACER_UNKNOWN;
	t->latency.lost.missed = TRACER_UNKNOWN;
	t->latency.lost.functions = TRACER_UNKNOWN;
	t->latency.observer = OBSERVER_NOTHING;
	t->track = session_track_new(0);
	why = t->track ? read_lines(t, f, &nr) : strerror(ENOMEM);
	if (!why && !count_calls(t))
		why = strerror(ENOMEM);
	if (why) {
		msg_error("'%s' line %zu: %s; want a file that luotrace record wrote",
			  path, nr ? nr : 1, why);
		goto fail;
	}
	fclose(f);
	t->latency.track = t->track;
	if (t->latency.nr_rows)
		qsort(t->latency.rows, t->latency.nr_rows,
		      sizeof(*t->latency.rows), compare_rows);
	if (t->latency.nr_failed)
		qsort(t->latency.failed, t->latency.nr_failed,
		      sizeof(*t->latency.failed), compare_rows);
	return t;

fail:
	if (f)
		fclose(f);
	trace_file_free(t);
	return NULL;
}

struct trace_file *trace_file_read(const char *path)
{
	if (update_store_is_update(path))
		return trace_file_update(update_store_load_file(path));
	return read_trace(path);
}

const char *trace_file_kernel(const struct trace_file *t)
{
	return json_string_value(json_object_get(t->head, "kernel"));
}

const char *trace_file_host(const struct trace_file *t)
{
	static char name[HOST_NAME_LEN];

	return t->local ? host_name(name) :
			  json_string_value(json_object_get(t->head, "host"));
}

const char *trace_file_host_id(const struct trace_file *t)
{
	static char id[HOST_ID_LEN];

	return t->local ? host_id(id) :
			  json_string_value(json_object_get(t->head, "host_id"));
}

void trace_file_free(struct trace_file *t)
{
	if (!t)
		return;
	json_decref(t->head);
	event_store_free(&t->events);
	free(t->update);
	free(t->latency.rows);
	free(t->latency.failed);
	json_decref(t->latency.stacks);
	attempts_free(&t->attempts);
	session_track_free(t->track);
	free(t);
}
