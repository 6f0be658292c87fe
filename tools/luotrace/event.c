// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "enum_name.h"
#include "event.h"
#include "fmt.h"
#include "json.h"

#define NAME_BUF	(4 * LT_NAME_LEN + 1)

/* How a field is shown in text, and what it is in JSON. */
enum field_kind {
	FIELD_NAME,	/* a name, left out if empty; a string */
	FIELD_TOKEN,	/* /N; a string, as not every u64 is a number in JSON */
	FIELD_ENUM,	/* the name of the value; a string */
	FIELD_FIRST,	/* the same, before all other fields */
	FIELD_OLD,	/* the same with an arrow after it */
	FIELD_NUMBER,	/* key=N; a number */
	FIELD_NS,	/* in a fitting unit; a number */
	FIELD_REASON,	/* after a colon; a string */
};

struct field {
	enum field_kind kind;
	const char *key;
	unsigned short offset;	/* in struct lt_event */
	unsigned short size;
	enum luo_enum list;	/* of what has a name for each value */
};

#define MAX_FIELDS	7	/* and one that ends the list */

#define FIELD(_kind, _key, _member)					\
	{ FIELD_##_kind, _key, offsetof(struct lt_event, _member),	\
	  sizeof(((struct lt_event *)0)->_member), 0 }
#define FIELD_OF(_kind, _key, _member, _list)				\
	{ FIELD_##_kind, _key, offsetof(struct lt_event, _member),	\
	  sizeof(__u32), ENUM_##_list }

#define SESSION		FIELD(NAME, "session", session)
#define COMPATIBLE	FIELD(NAME, "compatible", compatible)
#define TARGET		FIELD(NAME, "name", compatible)	/* a subsystem, or an FLB */
#define OP		FIELD_OF(FIRST, "op", call.op, OP)
#define DURATION	FIELD(NS, "duration_ns", call.duration_ns)

/* The fields of each event, in the order of JSON. */
static const struct shape {
	struct field fields[MAX_FIELDS + 1];
	bool has_ret;
} shapes[LT_NR_TYPES] = {
	[LT_STATE] = { {
		FIELD_OF(FIRST, "requested", state.event, EVENT),
		FIELD_OF(OLD, "old", state.old, STATE),
		FIELD_OF(ENUM, "new", state.new, STATE),
	}, true },
	[LT_DEVICE_OPEN] = { { { 0 } }, true },
	[LT_MARK] = { {
		FIELD(NAME, "workload", session),
		FIELD_OF(FIRST, "mark", mark.mark, MARK),
	}, true },
#define PHASE_SHAPE { {							\
		SESSION,						\
		FIELD_OF(FIRST, "phase", phase.phase, PHASE),		\
		FIELD_OF(ENUM, "scope", phase.scope, SCOPE),		\
		FIELD(NUMBER, "sessions", phase.sessions),		\
		FIELD(NUMBER, "files", phase.files),			\
	}, true }
	[LT_PHASE_BEGIN] = PHASE_SHAPE,
	[LT_PHASE_END] = PHASE_SHAPE,
#define SESSION_SHAPE { {						\
		SESSION,						\
		FIELD_OF(ENUM, "dir", session_op.dir, DIR),		\
		FIELD_OF(ENUM, "state", session_op.state, STATE),	\
		FIELD(NUMBER, "files", session_op.files),		\
	}, true }
	[LT_SESSION_CREATE] = SESSION_SHAPE,
	[LT_SESSION_RETRIEVE] = SESSION_SHAPE,
	[LT_SESSION_RELEASE] = SESSION_SHAPE,
	[LT_SESSION_FINISH] = SESSION_SHAPE,
	[LT_SESSION_STATE] = { {
		SESSION,
		FIELD_OF(FIRST, "requested", state.event, EVENT),
		FIELD_OF(ENUM, "dir", state.dir, DIR),
		FIELD_OF(OLD, "old", state.old, STATE),
		FIELD_OF(ENUM, "new", state.new, STATE),
	}, true },
	[LT_SESSION_LEAK] = { {
		SESSION,
		FIELD_OF(FIRST, "reason", leak.reason, LEAK_REASON),
		FIELD(NUMBER, "files", leak.files),
		FIELD(NUMBER, "retrieved", leak.retrieved),
		FIELD(NS, "age_ns", leak.age_ns),
	}, false },
	[LT_FILE_STATE] = { {
		SESSION,
		FIELD(TOKEN, "token", file.token),
		COMPATIBLE,
		FIELD_OF(OLD, "old", file.old, FILE_STATE),
		FIELD_OF(ENUM, "new", file.new, FILE_STATE),
	}, true },
	[LT_HANDLER_ENTER] = { {
		SESSION, FIELD(TOKEN, "token", call.token), COMPATIBLE, OP,
	}, false },
	[LT_HANDLER_EXIT] = { {
		SESSION, FIELD(TOKEN, "token", call.token), COMPATIBLE, OP, DURATION,
	}, true },
	[LT_SUBSYSTEM_STATE] = { {
		TARGET,
		FIELD_OF(FIRST, "requested", state.event, EVENT),
		FIELD_OF(ENUM, "dir", state.dir, DIR),
		FIELD_OF(OLD, "old", state.old, STATE),
		FIELD_OF(ENUM, "new", state.new, STATE),
	}, true },
	[LT_SUBSYSTEM_ENTER] = { { TARGET, OP }, false },
	[LT_SUBSYSTEM_EXIT] = { { TARGET, OP, DURATION }, true },
	[LT_FLB_ENTER] = { { TARGET, OP }, false },
	[LT_FLB_EXIT] = { { TARGET, OP, DURATION }, true },
#define HANDOVER_SHAPE { {						\
		FIELD(NUMBER, "sessions", handover.sessions),		\
		FIELD(NUMBER, "files", handover.files),			\
		FIELD(NUMBER, "bytes", handover.bytes),			\
	}, true }
	[LT_HANDOVER_OUT] = HANDOVER_SHAPE,
	[LT_HANDOVER_IN] = HANDOVER_SHAPE,
	[LT_HANDOVER_REJECT] = { {
		SESSION,
		FIELD(TOKEN, "token", reject.token),
		FIELD(NAME, "what", reject.what),
		FIELD(REASON, "reason", reject.reason),
	}, false },
#define MEMORY_SHAPE { {						\
		FIELD_OF(FIRST, "kind", memory.kind, KHO_KIND),		\
		FIELD(NUMBER, "pfn", memory.pfn),			\
		FIELD(NUMBER, "pages", memory.nr_pages),		\
	}, true }
	[LT_KHO_PRESERVE] = MEMORY_SHAPE,
	[LT_KHO_UNPRESERVE] = MEMORY_SHAPE,
	[LT_KHO_RESTORE] = MEMORY_SHAPE,
#define SUBTREE_SHAPE { {						\
		FIELD(NAME, "name", subtree.name),			\
		FIELD(NUMBER, "bytes", subtree.bytes),			\
	}, true }
	[LT_KHO_SUBTREE_ADD] = SUBTREE_SHAPE,
	[LT_KHO_SUBTREE_REMOVE] = SUBTREE_SHAPE,
	[LT_KHO_SUBTREE_RETRIEVE] = SUBTREE_SHAPE,
};

#define for_each_field(_f, _type)					\
	for ((_f) = shapes[_type].fields; (_f)->key; (_f)++)

static bool has_field(int type, size_t offset)
{
	const struct field *f;

	for_each_field(f, type) {
		if (f->offset == offset)
			return true;
	}
	return false;
}

static bool has_session(int type)
{
	return has_field(type, offsetof(struct lt_event, session));
}

static bool has_handler(int type)
{
	return has_field(type, offsetof(struct lt_event, compatible));
}

static bool is_call(int type)
{
	const struct field *f;

	for_each_field(f, type) {
		if (f->list == ENUM_OP)
			return true;
	}
	return false;
}

/* A leak and a reject are failures without an errno; the begin of a phase never has one. */
static bool can_fail(int type)
{
	return (shapes[type].has_ret && type != LT_PHASE_BEGIN) ||
	       type == LT_SESSION_LEAK || type == LT_HANDOVER_REJECT;
}

static const char *text_of(const struct lt_event *e, const struct field *f)
{
	return (const char *)e + f->offset;
}

static uint32_t u32_of(const struct lt_event *e, const struct field *f)
{
	return *(const __u32 *)((const char *)e + f->offset);
}

static uint64_t u64_of(const struct lt_event *e, const struct field *f)
{
	return *(const __u64 *)((const char *)e + f->offset);
}

uint32_t event_mask(const struct tracer_options *o)
{
	uint32_t mask = 0;
	int type;

	for (type = 0; type < LT_NR_TYPES; type++) {
		/* Lives are made of all events of a session, and of the state. */
		if ((o->whole_sessions && type == LT_STATE) ||
		    ((!o->session || has_session(type)) &&
		     (o->whole_sessions || ((!o->handler || has_handler(type)) &&
					    (o->ops == TRACER_ALL_OPS || is_call(type)) &&
					    (!o->errors || can_fail(type))))))
			mask |= 1U << type;
	}
	return mask;
}

bool event_urgent(const struct lt_event *e)
{
	switch (e->type) {
	case LT_PHASE_BEGIN:
	case LT_PHASE_END:
		return !strcmp(enum_name(ENUM_SCOPE, e->phase.scope), "global");
	case LT_STATE:
	case LT_HANDOVER_OUT:
		return true;
	default:
		return false;
	}
}

static void print_field(const struct lt_event *e, const struct field *f, FILE *out)
{
	char name[NAME_BUF], ns[FMT_LEN];

	switch (f->kind) {
	case FIELD_NAME:
		if (*text_of(e, f))
			fprintf(out, " %s", fmt_name(name, sizeof(name), text_of(e, f)));
		break;
	case FIELD_TOKEN:
		fprintf(out, "/%llu", (unsigned long long)u64_of(e, f));
		break;
	case FIELD_ENUM:
	case FIELD_FIRST:
		fprintf(out, " %s", enum_name(f->list, u32_of(e, f)));
		break;
	case FIELD_OLD:
		fprintf(out, " %s ->", enum_name(f->list, u32_of(e, f)));
		break;
	case FIELD_NUMBER:
		fprintf(out, " %s=%llu", f->key, (unsigned long long)u64_of(e, f));
		break;
	case FIELD_NS:
		fprintf(out, " %s", fmt_ns(ns, u64_of(e, f)));
		break;
	case FIELD_REASON:
		fprintf(out, ": %s", fmt_name(name, sizeof(name), text_of(e, f)));
		break;
	}
}

void event_text(const struct lt_event *e, uint64_t start, FILE *out)
{
	const struct field *f;

	fprintf(out, "%13.6f %-18s", event_since(e->ts, start) / 1e9,
		probe_tracepoint(e->type) + strlen("luo_"));
	for_each_field(f, e->type) {
		if (f->kind == FIELD_FIRST)
			print_field(e, f, out);
	}
	for_each_field(f, e->type) {
		if (f->kind != FIELD_FIRST)
			print_field(e, f, out);
	}
	if (shapes[e->type].has_ret && e->ret)
		fprintf(out, " ret=%d (%s)", e->ret, fmt_errno(e->ret));
	fputc('\n', out);
}

static void set(json_t *o, const char *key, json_t *value)
{
	json_object_set_new(o, key, value);
}

/* A value beyond the range of JSON is unknown anyway. */
static json_t *number_json(uint64_t n)
{
	return json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n);
}

/* Whether a name is spelled in another way than it is. */
static bool is_escaped(const char *name)
{
	char buf[NAME_BUF];

	return strcmp(fmt_label(buf, sizeof(buf), name), name);
}

static json_t *field_json(const struct lt_event *e, const struct field *f)
{
	switch (f->kind) {
	case FIELD_NAME:
	case FIELD_REASON:
		return fmt_json_name(text_of(e, f));
	case FIELD_TOKEN:
		return json_token(u64_of(e, f));
	case FIELD_ENUM:
	case FIELD_FIRST:
	case FIELD_OLD:
		return json_string(enum_name(f->list, u32_of(e, f)));
	default:
		return number_json(u64_of(e, f));
	}
}

json_t *event_json(const struct lt_event *e, uint64_t start)
{
	json_t *o = json_object();
	const struct field *f;
	bool escaped = false;

	set(o, "event", json_string(probe_tracepoint(e->type)));
	set(o, "time_ns", number_json(event_since(e->ts, start)));
	if (!probe_is_kho(e->type))
		set(o, "number", e->number ? number_json(e->number) :
					     json_null());
	for_each_field(f, e->type) {
		set(o, f->key, field_json(e, f));
		if (f->kind == FIELD_NAME || f->kind == FIELD_REASON)
			escaped |= is_escaped(text_of(e, f));
	}
	/* Older files have names as they are: a reader has to know which it is. */
	if (escaped)
		set(o, "escaped", json_true());
	if (shapes[e->type].has_ret)
		set(o, "ret", json_integer(e->ret));
	set(o, "pid", json_integer(e->pid));
	set(o, "tid", json_integer(e->tid));
	return o;
}

static int type_of(const char *tracepoint)
{
	int type;

	for (type = 0; type < LT_NR_TYPES; type++) {
		if (!strcmp(probe_tracepoint(type), tracepoint))
			return type;
	}
	return -1;
}

/* These read a field of an object; they fail if it is missing. */
static bool get_u64(json_t *o, const char *key, __u64 *to)
{
	json_t *v = json_object_get(o, key);

	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return false;
	*to = json_integer_value(v);
	return true;
}

static bool get_text(json_t *o, const char *key, char *to, size_t size)
{
	const char *text = json_string_value(json_object_get(o, key));

	if (!text || strlen(text) >= size)
		return false;
	strcpy(to, text);
	return true;
}

static bool get_name(json_t *o, const char *key, char *to, size_t size)
{
	if (!json_is_true(json_object_get(o, "escaped")))
		return get_text(o, key, to, size);
	return json_is_string(json_object_get(o, key)) &&
	       fmt_read_name(to, size, json_string_value(json_object_get(o, key)));
}

static bool get_enum(json_t *o, const char *key, enum luo_enum list, __u32 *to)
{
	const char *text = json_string_value(json_object_get(o, key));
	int n = text ? enum_value(list, text) : -1;

	/* The kernel can have more values than the luotrace that wrote it, or this one. */
	*to = n < 0 ? ENUM_UNKNOWN : (__u32)n;
	return text;
}

static bool get_ret(json_t *o, __s32 *ret)
{
	json_t *v = json_object_get(o, "ret");
	json_int_t n = json_integer_value(v);

	*ret = n;
	return json_is_integer(v) && n == *ret;
}

static bool get_field(json_t *o, const struct field *f, struct lt_event *e)
{
	void *to = (char *)e + f->offset;

	switch (f->kind) {
	case FIELD_NAME:
	case FIELD_REASON:
		return get_name(o, f->key, to, f->size);
	case FIELD_TOKEN:
		return json_read_token(o, f->key, to);
	case FIELD_ENUM:
	case FIELD_FIRST:
	case FIELD_OLD:
		return get_enum(o, f->key, f->list, to);
	default:
		return get_u64(o, f->key, to);
	}
}

bool event_from_json(json_t *o, struct lt_event *e)
{
	const char *name = json_string_value(json_object_get(o, "event"));
	int type = name ? type_of(name) : -1;
	const struct field *f;

	memset(e, 0, sizeof(*e));
	if (type < 0)
		return false;
	e->type = type;
	e->pid = json_integer_value(json_object_get(o, "pid"));
	/* In older files "pid" is the thread. */
	e->tid = json_object_get(o, "tid") ?
		 json_integer_value(json_object_get(o, "tid")) : e->pid;

	if (!get_u64(o, "time_ns", &e->ts))
		return false;
	if (!probe_is_kho(type) && !json_is_null(json_object_get(o, "number")) &&
	    !get_u64(o, "number", &e->number))
		return false;
	for_each_field(f, type) {
		if (!get_field(o, f, e))
			return false;
	}
	return !shapes[type].has_ret || get_ret(o, &e->ret);
}
