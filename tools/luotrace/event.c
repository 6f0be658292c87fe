// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "enum_name.h"
#include "event.h"
#include "fmt.h"
#include "json.h"

#define NAME_BUF	(4 * LT_NAME_LEN + 1)

/* Which numbers of an event mean what; the others are not shown. */
enum field {
	F_NAME = 1 << 0,	/* session, or subtree */
	F_TOKEN = 1 << 1,
	F_COMPAT = 1 << 2,
	F_OLD = 1 << 3,
	F_NEW = 1 << 4,
	F_WHAT = 1 << 5,
	F_DIR = 1 << 6,
	F_DURATION = 1 << 7,
	F_SESSIONS = 1 << 8,
	F_FILES = 1 << 9,
	F_BYTES = 1 << 10,
	F_RET = 1 << 11,
	F_TEXT = 1 << 12,
};

/* One row an event: its fields, their words, what two numbers are called. */
static const struct shape {
	unsigned int fields;
	enum luo_enum state;	/* of old and new */
	enum luo_enum what;
	const char *what_key;
	enum luo_enum dir;
	const char *duration_key;
	const char *sessions_key;
	const char *files_key;
	const char *bytes_key;
} shapes[LT_NR_TYPES] = {
	[LT_STATE] = { F_OLD | F_NEW | F_WHAT | F_RET, ENUM_STATE,
		       ENUM_EVENT, "requested", 0, NULL, NULL, NULL, NULL },
#define PHASE { F_NAME | F_WHAT | F_DIR | F_SESSIONS | F_FILES | F_RET, 0, \
		ENUM_PHASE, "phase", ENUM_SCOPE, NULL, "sessions", "files", \
		NULL }
	[LT_PHASE_BEGIN] = PHASE,
	[LT_PHASE_END] = PHASE,
#define SESSION { F_NAME | F_NEW | F_DIR | F_FILES | F_RET, ENUM_STATE, 0, \
		  NULL, ENUM_DIR, NULL, NULL, "files", NULL }
	[LT_SESSION_CREATE] = SESSION,
	[LT_SESSION_RETRIEVE] = SESSION,
	[LT_SESSION_RELEASE] = SESSION,
	[LT_SESSION_FINISH] = SESSION,
	[LT_SESSION_STATE] = { F_NAME | F_DIR | F_OLD | F_NEW | F_WHAT | F_RET,
			       ENUM_STATE, ENUM_EVENT, "requested", ENUM_DIR,
			       NULL, NULL, NULL, NULL },
	[LT_SESSION_LEAK] = { F_NAME | F_FILES | F_BYTES | F_DURATION | F_WHAT,
			      0, ENUM_LEAK_REASON, "reason", 0, "age_ns", NULL,
			      "files", "retrieved" },
	[LT_FILE_STATE] = { F_NAME | F_TOKEN | F_COMPAT | F_OLD | F_NEW | F_RET,
			    ENUM_FILE_STATE, 0, NULL, 0, NULL, NULL, NULL,
			    NULL },
	[LT_HANDLER_ENTER] = { F_NAME | F_TOKEN | F_COMPAT | F_WHAT, 0,
			       ENUM_OP, "op", 0, NULL, NULL, NULL, NULL },
	[LT_HANDLER_EXIT] = { F_NAME | F_TOKEN | F_COMPAT | F_WHAT | F_RET |
			      F_DURATION, 0, ENUM_OP, "op", 0, "duration_ns",
			      NULL, NULL, NULL },
#define PART_ENTER { F_COMPAT | F_WHAT, 0, ENUM_OP, "op", 0, NULL, NULL, NULL, \
		     NULL }
#define PART_EXIT { F_COMPAT | F_WHAT | F_RET | F_DURATION, 0, ENUM_OP, "op", \
		    0, "duration_ns", NULL, NULL, NULL }
	[LT_SUBSYSTEM_ENTER] = PART_ENTER,
	[LT_SUBSYSTEM_EXIT] = PART_EXIT,
	[LT_FLB_ENTER] = PART_ENTER,
	[LT_FLB_EXIT] = PART_EXIT,
#define HANDOVER { F_SESSIONS | F_FILES | F_BYTES | F_RET, 0, 0, NULL, 0, \
		   NULL, "sessions", "files", "bytes" }
	[LT_HANDOVER_OUT] = HANDOVER,
	[LT_HANDOVER_IN] = HANDOVER,
	[LT_HANDOVER_REJECT] = { F_NAME | F_TOKEN | F_COMPAT | F_TEXT, 0, 0,
				 NULL, 0, NULL, NULL, NULL, NULL },
#define MEMORY { F_WHAT | F_SESSIONS | F_FILES | F_RET, 0, ENUM_KHO_KIND, \
		 "kind", 0, NULL, "pfn", "pages", NULL }
	[LT_KHO_PRESERVE] = MEMORY,
	[LT_KHO_UNPRESERVE] = MEMORY,
	[LT_KHO_RESTORE] = MEMORY,
#define SUBTREE { F_NAME | F_BYTES | F_RET, 0, 0, NULL, 0, NULL, NULL, NULL, \
		  "bytes" }
	[LT_KHO_SUBTREE_ADD] = SUBTREE,
	[LT_KHO_SUBTREE_REMOVE] = SUBTREE,
	[LT_KHO_SUBTREE_RETRIEVE] = SUBTREE,
};

/* What a filter compares with @name is the name of a session, not of a subtree. */
static bool has_session(int type)
{
	return shapes[type].fields & F_NAME && !probe_is_kho(type);
}

/* Who was called, or is meant; of a reject it is the kind of what was refused. */
static bool has_handler(int type)
{
	return shapes[type].fields & F_COMPAT && type != LT_HANDOVER_REJECT;
}

static bool is_call(int type)
{
	return shapes[type].what == ENUM_OP;
}

/* A leak and a refusal are failures without an errno. */
static bool can_fail(int type)
{
	return shapes[type].fields & F_RET || type == LT_SESSION_LEAK ||
	       type == LT_HANDOVER_REJECT;
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
		return !strcmp(enum_name(ENUM_SCOPE, e->dir), "global");
	case LT_STATE:
	case LT_HANDOVER_OUT:
		return true;
	default:
		return false;
	}
}

void event_text(const struct lt_event *e, uint64_t start, FILE *out)
{
	const struct shape *s = &shapes[e->type];
	char name[NAME_BUF], ns[FMT_LEN];
	unsigned int f = s->fields;

	fprintf(out, "%13.6f %-18s", event_since(e->ts, start) / 1e9,
	       probe_tracepoint(e->type) + strlen("luo_"));
	if (f & F_WHAT)
		fprintf(out, " %s", enum_name(s->what, e->what));
	if (f & F_NAME && e->name[0])
		fprintf(out, " %s", fmt_name(name, sizeof(name), e->name));
	if (f & F_TOKEN)
		fprintf(out, "/%llu", (unsigned long long)e->token);
	if (f & F_DIR)
		fprintf(out, " %s", enum_name(s->dir, e->dir));
	if (f & F_COMPAT && e->compat[0])
		fprintf(out, " %s", fmt_name(name, sizeof(name), e->compat));
	if (f & F_OLD)
		fprintf(out, " %s -> %s", enum_name(s->state, e->old),
		       enum_name(s->state, e->new));
	else if (f & F_NEW)
		fprintf(out, " %s", enum_name(s->state, e->new));
	if (f & F_SESSIONS)
		fprintf(out, " %s=%llu", s->sessions_key,
		       (unsigned long long)e->sessions);
	if (f & F_FILES)
		fprintf(out, " %s=%llu", s->files_key, (unsigned long long)e->files);
	if (f & F_BYTES)
		fprintf(out, " %s=%llu", s->bytes_key, (unsigned long long)e->bytes);
	if (f & F_DURATION)
		fprintf(out, " %s", fmt_ns(ns, e->duration));
	if (f & F_TEXT)
		fprintf(out, ": %s", fmt_name(name, sizeof(name), e->text));
	if (f & F_RET && e->ret)
		fprintf(out, " ret=%d (%s)", e->ret, fmt_errno(e->ret));
	fputc('\n', out);
}

static void set(json_t *o, const char *key, json_t *value)
{
	json_object_set_new(o, key, value);
}

/* What no number of JSON can hold is not known by anybody. */
static json_t *number_json(uint64_t n)
{
	return json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n);
}

/* What fields are called in JSON. */
static const char *name_key(int type)
{
	return type >= LT_KHO_PRESERVE ? "name" : "session";
}

static const char *dir_key(const struct shape *s)
{
	return s->dir == ENUM_SCOPE ? "scope" : "dir";
}

static const char *new_key(const struct shape *s)
{
	return s->fields & F_OLD ? "new" : "state";
}

static const char *compat_key(int type)
{
	switch (type) {
	case LT_HANDOVER_REJECT:
		return "what";
	case LT_SUBSYSTEM_ENTER ... LT_FLB_EXIT:
		return "name";
	default:
		return "compatible";
	}
}

/* Whether a name is spelled in another way than it is. */
static bool is_escaped(const char *name)
{
	char buf[NAME_BUF];

	return strcmp(fmt_label(buf, sizeof(buf), name), name);
}

json_t *event_json(const struct lt_event *e, uint64_t start)
{
	const struct shape *s = &shapes[e->type];
	unsigned int f = s->fields;
	json_t *o = json_object();

	set(o, "event", json_string(probe_tracepoint(e->type)));
	set(o, "time_ns", number_json(event_since(e->ts, start)));
	if (!probe_is_kho(e->type))
		set(o, "number", e->number ? number_json(e->number) :
					     json_null());
	if (f & F_NAME)
		set(o, name_key(e->type), fmt_json_name(e->name));
	if (f & F_TOKEN)
		set(o, "token", json_token(e->token));
	if (f & F_COMPAT)
		set(o, compat_key(e->type), fmt_json_name(e->compat));
	/* A reader of the file needs to know; older ones wrote names as they are. */
	if (is_escaped(e->name) || is_escaped(e->compat) || is_escaped(e->text))
		set(o, "escaped", json_true());
	if (f & F_WHAT)
		set(o, s->what_key, json_string(enum_name(s->what, e->what)));
	if (f & F_DIR)
		set(o, dir_key(s), json_string(enum_name(s->dir, e->dir)));
	if (f & F_OLD)
		set(o, "old", json_string(enum_name(s->state, e->old)));
	if (f & F_NEW)
		set(o, new_key(s), json_string(enum_name(s->state, e->new)));
	if (f & F_SESSIONS)
		set(o, s->sessions_key, number_json(e->sessions));
	if (f & F_FILES)
		set(o, s->files_key, number_json(e->files));
	if (f & F_BYTES)
		set(o, s->bytes_key, number_json(e->bytes));
	if (f & F_DURATION)
		set(o, s->duration_key, number_json(e->duration));
	if (f & F_TEXT)
		set(o, "reason", fmt_json_name(e->text));
	if (f & F_RET)
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

/* These take a field out of an object; they fail if it is not there. */
static bool get_number(json_t *o, const char *key, uint64_t *to)
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

static bool get_word(json_t *o, const char *key, enum luo_enum list, __u32 *to)
{
	const char *text = json_string_value(json_object_get(o, key));
	int n = text ? enum_value(list, text) : -1;

	/* A kernel may have more of them than the luotrace that wrote it, or this one. */
	*to = n < 0 ? ENUM_UNKNOWN : (__u32)n;
	return text;
}

static bool get_u64(json_t *o, const char *key, __u64 *to)
{
	uint64_t n = 0;
	bool ok = get_number(o, key, &n);

	*to = n;
	return ok;
}

static bool get_token(json_t *o, __u64 *token)
{
	const char *text = json_string_value(json_object_get(o, "token"));
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	*token = strtoull(text, &end, 10);
	return !errno && !*end;
}

static bool get_ret(json_t *o, __s32 *ret)
{
	json_t *v = json_object_get(o, "ret");
	json_int_t n = json_integer_value(v);

	*ret = n;
	return json_is_integer(v) && n == *ret;
}

bool event_from_json(json_t *o, struct lt_event *e)
{
	const char *name = json_string_value(json_object_get(o, "event"));
	int type = name ? type_of(name) : -1;
	const struct shape *s;
	unsigned int f;
	bool ok;

	memset(e, 0, sizeof(*e));
	if (type < 0)
		return false;
	e->type = type;
	s = &shapes[type];
	f = s->fields;
	e->pid = json_integer_value(json_object_get(o, "pid"));
	/* In older files "pid" is the thread. */
	e->tid = json_object_get(o, "tid") ?
		 json_integer_value(json_object_get(o, "tid")) : e->pid;

	ok = get_u64(o, "time_ns", &e->ts);
	ok = ok && (probe_is_kho(type) ||
		    json_is_null(json_object_get(o, "number")) ||
		    get_u64(o, "number", &e->number));
	ok = ok && (!(f & F_NAME) ||
		    get_name(o, name_key(type), e->name, sizeof(e->name)));
	ok = ok && (!(f & F_TOKEN) || get_token(o, &e->token));
	ok = ok && (!(f & F_COMPAT) ||
		    get_name(o, compat_key(type), e->compat, sizeof(e->compat)));
	ok = ok && (!(f & F_WHAT) || get_word(o, s->what_key, s->what, &e->what));
	ok = ok && (!(f & F_DIR) || get_word(o, dir_key(s), s->dir, &e->dir));
	ok = ok && (!(f & F_OLD) || get_word(o, "old", s->state, &e->old));
	ok = ok && (!(f & F_NEW) || get_word(o, new_key(s), s->state, &e->new));
	ok = ok && (!(f & F_SESSIONS) ||
		    get_u64(o, s->sessions_key, &e->sessions));
	ok = ok && (!(f & F_FILES) || get_u64(o, s->files_key, &e->files));
	ok = ok && (!(f & F_BYTES) || get_u64(o, s->bytes_key, &e->bytes));
	ok = ok && (!(f & F_DURATION) ||
		    get_u64(o, s->duration_key, &e->duration));
	ok = ok && (!(f & F_RET) || get_ret(o, &e->ret));
	return ok && (!(f & F_TEXT) ||
		      get_name(o, "reason", e->text, sizeof(e->text)));
}
