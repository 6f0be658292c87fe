// SPDX-License-Identifier: GPL-2.0

#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "fmt.h"
#include "msg.h"
#include "words.h"

static const char trace_doc[] =
	"Prints the trace events of LUO as they happen, one line each.\v"
	"Stops on Ctrl-C. A time is in seconds since the start.\n\n"
	"Examples:\n"
	"  luotrace trace                        everything but memory\n"
	"  luotrace trace -s vm-a --min-us 1000  slow calls of one session\n"
	"  luotrace trace --errors --json        what fails, for a program";

#define NAME_BUF	(4 * LT_NAME_LEN + 1)

struct trace {
	struct cmd_options o;
	bool kho;
	uint64_t start;
	bool frozen;
	bool failed;
};

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
	enum words state;	/* of old and new */
	enum words what;
	const char *what_key;
	enum words dir;
	const char *duration_key;
	const char *sessions_key;
	const char *files_key;
	const char *bytes_key;
} shapes[LT_NR_TYPES] = {
	[LT_STATE] = { F_OLD | F_NEW | F_WHAT | F_RET, WORDS_STATE,
		       WORDS_EVENT, "event", 0, NULL, NULL, NULL, NULL },
#define PHASE { F_NAME | F_WHAT | F_DIR | F_SESSIONS | F_FILES | F_RET, 0, \
		WORDS_PHASE, "phase", WORDS_SCOPE, NULL, "sessions", "files", \
		NULL }
	[LT_PHASE_BEGIN] = PHASE,
	[LT_PHASE_END] = PHASE,
#define SESSION { F_NAME | F_NEW | F_DIR | F_FILES | F_RET, WORDS_STATE, 0, \
		  NULL, WORDS_DIR, NULL, NULL, "files", NULL }
	[LT_SESSION_CREATE] = SESSION,
	[LT_SESSION_RETRIEVE] = SESSION,
	[LT_SESSION_RELEASE] = SESSION,
	[LT_SESSION_FINISH] = SESSION,
	[LT_SESSION_STATE] = { F_NAME | F_DIR | F_OLD | F_NEW | F_WHAT | F_RET,
			       WORDS_STATE, WORDS_EVENT, "event", WORDS_DIR,
			       NULL, NULL, NULL, NULL },
	[LT_SESSION_LEAK] = { F_NAME | F_FILES | F_BYTES | F_DURATION | F_WHAT,
			      0, WORDS_LEAK_REASON, "reason", 0, "age_ns", NULL,
			      "files", "retrieved" },
	[LT_FILE_STATE] = { F_NAME | F_TOKEN | F_COMPAT | F_OLD | F_NEW | F_RET,
			    WORDS_FILE_STATE, 0, NULL, 0, NULL, NULL, NULL,
			    NULL },
	[LT_HANDLER_ENTER] = { F_NAME | F_TOKEN | F_COMPAT | F_WHAT, 0,
			       WORDS_OP, "op", 0, NULL, NULL, NULL, NULL },
	[LT_HANDLER_EXIT] = { F_NAME | F_TOKEN | F_COMPAT | F_WHAT | F_RET |
			      F_DURATION, 0, WORDS_OP, "op", 0, "duration_ns",
			      NULL, NULL, NULL },
#define PART_ENTER { F_COMPAT | F_WHAT, 0, WORDS_OP, "op", 0, NULL, NULL, NULL, \
		     NULL }
#define PART_EXIT { F_COMPAT | F_WHAT | F_RET | F_DURATION, 0, WORDS_OP, "op", \
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
#define MEMORY { F_WHAT | F_SESSIONS | F_FILES | F_RET, 0, WORDS_KHO_KIND, \
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

static void print_text(const struct trace *tr, const struct lt_event *e)
{
	const struct shape *s = &shapes[e->type];
	char name[NAME_BUF], ns[FMT_LEN];
	unsigned int f = s->fields;

	printf("%13.6f %-18s", (e->ts - tr->start) / 1e9,
	       probe_tracepoint(e->type) + strlen("luo_"));
	if (f & F_WHAT)
		printf(" %s", word(s->what, e->what));
	if (f & F_NAME && e->name[0])
		printf(" %s", fmt_name(name, sizeof(name), e->name));
	if (f & F_TOKEN)
		printf("/%llu", (unsigned long long)e->token);
	if (f & F_DIR)
		printf(" %s", word(s->dir, e->dir));
	if (f & F_COMPAT && e->compat[0])
		printf(" %s", fmt_name(name, sizeof(name), e->compat));
	if (f & F_OLD)
		printf(" %s -> %s", word(s->state, e->old),
		       word(s->state, e->new));
	else if (f & F_NEW)
		printf(" %s", word(s->state, e->new));
	if (f & F_SESSIONS)
		printf(" %s=%llu", s->sessions_key,
		       (unsigned long long)e->sessions);
	if (f & F_FILES)
		printf(" %s=%llu", s->files_key, (unsigned long long)e->files);
	if (f & F_BYTES)
		printf(" %s=%llu", s->bytes_key, (unsigned long long)e->bytes);
	if (f & F_DURATION)
		printf(" %s", fmt_ns(ns, e->duration));
	if (f & F_TEXT)
		printf(": %s", fmt_name(name, sizeof(name), e->text));
	if (f & F_RET && e->ret)
		printf(" ret=%d (%s)", e->ret, strerror(-e->ret));
	putchar('\n');
}

static void set(json_t *o, const char *key, json_t *value)
{
	json_object_set_new(o, key, value);
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

static json_t *event_json(const struct trace *tr, const struct lt_event *e)
{
	const struct shape *s = &shapes[e->type];
	unsigned int f = s->fields;
	json_t *o = json_object();

	set(o, "event", json_string(probe_tracepoint(e->type)));
	set(o, "time_ns", json_integer(e->ts - tr->start));
	if (!probe_is_kho(e->type))
		set(o, "number", json_integer(e->number));
	if (f & F_NAME)
		set(o, e->type >= LT_KHO_PRESERVE ? "name" : "session",
		    fmt_json_name(e->name));
	if (f & F_TOKEN)
		set(o, "token", cmd_json_token(e->token));
	if (f & F_COMPAT)
		set(o, compat_key(e->type), fmt_json_name(e->compat));
	if (f & F_WHAT)
		set(o, s->what_key, json_string(word(s->what, e->what)));
	if (f & F_DIR)
		set(o, s->dir == WORDS_SCOPE ? "scope" : "dir",
		    json_string(word(s->dir, e->dir)));
	if (f & F_OLD)
		set(o, "old", json_string(word(s->state, e->old)));
	if (f & F_NEW)
		set(o, f & F_OLD ? "new" : "state",
		    json_string(word(s->state, e->new)));
	if (f & F_SESSIONS)
		set(o, s->sessions_key, json_integer(e->sessions));
	if (f & F_FILES)
		set(o, s->files_key, json_integer(e->files));
	if (f & F_BYTES)
		set(o, s->bytes_key, json_integer(e->bytes));
	if (f & F_DURATION)
		set(o, s->duration_key, json_integer(e->duration));
	if (f & F_TEXT)
		set(o, "reason", json_string(e->text));
	if (f & F_RET)
		set(o, "ret", json_integer(e->ret));
	set(o, "pid", json_integer(e->pid));
	return o;
}

static void print_json(struct trace *tr, json_t *o)
{
	if (cmd_json_print(o, JSON_COMPACT))
		tr->failed = true;
}

/* The state of the machine comes also where the filters do not ask for it. */
static bool wanted(const struct trace *tr, const struct lt_event *e)
{
	const struct tracer_options *t = &tr->o.tracer;

	return e->type != LT_STATE ||
	       (!t->session && !t->handler && t->ops == TRACER_ALL_OPS &&
		(!t->errors || e->ret < 0));
}

static void on_event(const struct lt_event *e, void *data)
{
	struct trace *tr = data;

	if (e->type >= LT_NR_TYPES)
		return;
	if (e->type == LT_STATE && e->new == STATE_FROZEN && tr->o.until_frozen)
		tr->frozen = true;
	if (!wanted(tr, e))
		return;
	if (!tr->start)
		tr->start = e->ts;
	if (tr->o.json)
		print_json(tr, event_json(tr, e));
	else
		print_text(tr, e);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct trace *tr = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &tr->o;
		return 0;
	case 'k':
		tr->kho = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static uint32_t stream_mask(const struct trace *tr)
{
	uint32_t mask = 0;
	int type;

	for (type = 0; type < LT_NR_TYPES; type++) {
		if (!probe_is_kho(type) || tr->kho)
			mask |= 1U << type;
	}
	/* The exit events have all that the enter events have. */
	return mask & ~(1U << LT_HANDLER_ENTER | 1U << LT_SUBSYSTEM_ENTER |
			1U << LT_FLB_ENTER);
}

static int trace_run(struct trace *tr, const struct probe *probe)
{
	struct tracer_lost lost;
	struct tracer *t;
	json_t *end;

	t = tracer_open(probe, &tr->o.tracer, on_event, tr);
	if (!t)
		return EXIT_CANNOT;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (tr->o.json) {
		json_t *head = cmd_json("trace", probe);

		set(head, "event", json_string("start"));
		print_json(tr, head);
	}
	cmd_tracing();
	if (cmd_loop(t, tr->o.duration_ms, &tr->frozen) == LOOP_ERROR)
		tr->failed = true;
	tracer_read_lost(t, &lost);
	if (tr->o.json) {
		end = json_object();
		set(end, "event", json_string("end"));
		set(end, "lost", cmd_json_lost(&lost));
		print_json(tr, end);
	}
	cmd_warn_lost(&lost);
	tracer_close(t);
	return tr->failed ? EXIT_FINDING : EXIT_FINE;
}

int cmd_trace(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "kho", 'k', NULL, 0,
		  "Also memory that is preserved and restored (many lines)", 1 },
		{ 0 },
	};
	static const struct argp_child children[] = {
		{ &cmd_trace_argp, 0, NULL, 0 },
		{ 0 },
	};
	static const struct argp argp = { options, parse, NULL, trace_doc,
		children, NULL, NULL };
	struct trace tr = { .o.tracer.ops = TRACER_ALL_OPS };
	const char *why_not;
	struct probe probe;
	int ret;

	ret = cmd_parse(&argp, argc, argv, &tr);
	if (ret >= 0)
		return ret;

	probe_kernel(&probe);
	why_not = probe_why_not(&probe);
	if (why_not) {
		msg_error("%s", why_not);
		return EXIT_CANNOT;
	}
	tr.o.tracer.stream = stream_mask(&tr);
	return trace_run(&tr, &probe);
}
