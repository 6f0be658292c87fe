// SPDX-License-Identifier: GPL-2.0

/* The findings that a timeline begins with. */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "fmt.h"
#include "timeline.h"

#define NAME_BUF	(4 * 64 + 1)

/* A phase that took less is not worth a sentence: share of the whole, ns. */
#define WORTH_SHARE	0.05
#define WORTH_NS	1000000
/* A workload notices this, however long the rest takes. */
#define LONG_NS		50000000

struct findings {
	struct finding *all;
	int n;
};

__attribute__((format(printf, 4, 5)))
static void add_finding(struct findings *f, enum finding_class class, uint64_t ns,
			const char *fmt, ...)
{
	va_list ap;

	if (f->n == TIMELINE_FINDINGS)
		return;
	f->all[f->n].class = class;
	f->all[f->n].ns = ns;
	va_start(ap, fmt);
	vsnprintf(f->all[f->n++].text, TIMELINE_TEXT, fmt, ap);
	va_end(ap);
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * part / whole : 0;
}

/* "49 % of the blackout", or of what is known of it. */
static char *share(char *buf, size_t size, const struct blackout *b, uint64_t ns)
{
	snprintf(buf, size, "%.0f %% of %s", percent(ns, b->total),
		 b->whole ? "the blackout" : "what is known of the blackout");
	return buf;
}

/* Whether a span is long enough to be mentioned. */
static bool worth(const struct blackout *b, enum span s)
{
	return b->known[s] && b->ns[s] >= WORTH_NS &&
	       b->ns[s] >= WORTH_SHARE * b->total;
}

/* Whether the possible saving is worth a sentence. */
static bool worth_saving(const struct blackout *b, uint64_t ns)
{
	return ns >= b->total / 100 || ns >= LONG_NS;
}

/* The callback target that takes most of a span, if one does. */
static void find_target(struct findings *f, const struct liveupdate_recorder *r,
			const struct blackout *b, enum span s)
{
	const struct liveupdate_recorder_row *row;
	struct timeline_call longest;
	char name[NAME_BUF], session[NAME_BUF], took[FMT_LEN], one[FMT_LEN];
	char where[2 * NAME_BUF + 64] = "";
	bool partial;
	uint64_t ns;

	if (!b->known[s] || b->ns[s] < WORTH_NS ||
	    !timeline_rows(r, s, &row, 1))
		return;
	ns = timeline_row_ns(r, b, s, row, &partial);
	if (ns < b->ns[s] / 4 || !worth_saving(b, ns))
		return;
	if (timeline_calls(r, b, s, &longest, 1) &&
	    !strcmp(longest.call->name, row->name)) {
		snprintf(where, sizeof(where), "; the longest call took %s",
			 fmt_ns(one, longest.call->duration));
		if (longest.call->kind == LIVEUPDATE_KIND_HANDLER)
			snprintf(where + strlen(where),
				 sizeof(where) - strlen(where),
				 ": session %s token %llu",
				 fmt_name(session, sizeof(session),
					  longest.call->session),
				 (unsigned long long)longest.call->token);
	}
	add_finding(f, FINDING_TARGET, ns, "%s %s is %s%.0f %% of %s (%s)%s",
		    timeline_kind(row->kind),
		    *row->name ? fmt_name(name, NAME_BUF, row->name) : "others",
		    partial ? "at least " : "", percent(ns, b->ns[s]), span_label(s),
		    fmt_ns(took, ns), where);
}

/* How much of a span that user space controls was spent in calls of LUO. */
static void find_agent(struct findings *f, const struct liveupdate_recorder *r,
		       const struct blackout *b, enum span s)
{
	char all[FMT_LEN], calls[FMT_LEN], of[64], in[80];
	uint64_t ns;

	if (!worth(b, s) || !span_in_calls(r, s, &ns))
		return;
	if (ns)
		snprintf(in, sizeof(in), "%s in calls of LUO, the rest outside of them",
			 fmt_ns(calls, ns));
	else
		snprintf(in, sizeof(in), "none of it in calls of LUO");
	add_finding(f, FINDING_MACHINE, b->ns[s], "%s is %s (%s): %s", span_label(s),
		    share(of, sizeof(of), b, b->ns[s]), fmt_ns(all, b->ns[s]),
		    ns < b->ns[s] ? in : "all of it in calls of LUO");
}

/* Spans that depend on the machine. */
static void find_machine(struct findings *f, const struct liveupdate_recorder *r,
			 const struct blackout *b)
{
	static const struct {
		enum span span;
		const char *what, *more;
	} spans[] = {
		{ SPAN_SHUTDOWN, "shutdown of devices and CPUs is", "" },
		{ SPAN_KEXEC, "kexec and early boot are",
		  ": unpacking the kernel, setting up memory" },
		{ SPAN_INIT, "kernel init is",
		  "; initcall_debug on its command line says which" },
	};
	char ns[FMT_LEN], of[64];
	size_t i;

	for (i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		if (!worth(b, spans[i].span))
			continue;
		add_finding(f, FINDING_MACHINE, b->ns[spans[i].span], "%s %s (%s)%s",
			    spans[i].what,
			    share(of, sizeof(of), b, b->ns[spans[i].span]),
			    fmt_ns(ns, b->ns[spans[i].span]), spans[i].more);
	}
	/* Without a session that is claimed no agent came. */
	if (worth(b, SPAN_USER) && r->last_in.times[LIVEUPDATE_MARK_OPEN])
		add_finding(f, FINDING_MACHINE, b->ns[SPAN_USER],
			    "the agent came %s after kernel init, %s; start it earlier",
			    fmt_ns(ns, b->ns[SPAN_USER]),
			    share(of, sizeof(of), b, b->ns[SPAN_USER]));
}

static void find_spans(struct findings *f, const struct liveupdate_recorder *r,
		       const struct blackout *b)
{
	char ns[FMT_LEN];
	int s;

	if (b->known[SPAN_PREPARE] && b->ns[SPAN_PREPARE] >= WORTH_NS &&
	    worth_saving(b, b->ns[SPAN_PREPARE]))
		add_finding(f, FINDING_TARGET, b->ns[SPAN_PREPARE],
			    "prepare ran inside reboot: %s could leave the blackout; have the agent send PREPARE before it",
			    fmt_ns(ns, b->ns[SPAN_PREPARE]));
	for (s = 0; s < SPAN_NR; s++)
		find_target(f, r, b, s);
	find_agent(f, r, b, SPAN_RESTORE);
	find_agent(f, r, b, SPAN_FINISH);
	find_machine(f, r, b);
}

/* Why the span across the kexec is unknown. */
static void find_across(struct findings *f, const struct liveupdate_recorder *r,
			const struct blackout *b)
{
	char counted[FMT_LEN], wall[FMT_LEN];

	switch (b->across) {
	case ACROSS_KNOWN:
		break;
	case ACROSS_NO_RECORD:
		add_finding(f, FINDING_FAULT, 4,
			    "the %s kernel left no record that this luotrace can read: its phases are unknown",
			    recorder_present(&r->last_out) ? "new" : "previous");
		break;
	case ACROSS_NO_COUNTER:
		add_finding(f, FINDING_FAULT, 4,
			    "the %s kernel has no reliable counter: the span across the kexec is unknown",
			    b->timebase[0] == TIMEBASE_COUNTER ? "new" : "old");
		break;
	case ACROSS_RATE:
		add_finding(f, FINDING_FAULT, 4,
			    "the counter of the new kernel runs at another rate than that of the old one: the span across the kexec is unknown");
		break;
	case ACROSS_BACKWARDS:
		add_finding(f, FINDING_FAULT, 4,
			    "the counter went backwards across the kexec: that span is unknown");
		break;
	case ACROSS_WALL:
		add_finding(f, FINDING_FAULT, 4,
			    "from reboot to the end of kernel init it is %s by the counter, %s by the wall clocks: the span across the kexec is unknown",
			    fmt_ns(counted, b->counted), fmt_ns(wall, b->wall));
		break;
	}
}

/* "1 reboot failed, the last with EIO after 20.1ms", say. */
char *timeline_failures(const struct liveupdate_recorder_part *p, char *text)
{
	char after[FMT_LEN + 8] = "", ns[FMT_LEN];
	size_t len = 0;

	if (!p->failed && !p->cancelled)
		return NULL;
	if (p->failed_ns)
		snprintf(after, sizeof(after), " after %s",
			 fmt_ns(ns, p->failed_ns));
	if (p->failed)
		len = snprintf(text, TIMELINE_TEXT, "%llu reboot%s failed%s with %s%s",
			       (unsigned long long)p->failed,
			       fmt_s(p->failed),
			       p->failed == 1 ? "" : ", the last",
			       fmt_errno(p->failed_ret), after);
	if (p->cancelled)
		snprintf(text + len, TIMELINE_TEXT - len,
			 "%s%llu PREPARE%s failed or %s cancelled", len ? "; " : "",
			 (unsigned long long)p->cancelled, fmt_s(p->cancelled),
			 p->cancelled == 1 ? "was" : "were");
	return text;
}

/* Faults, and why something is unknown; these come first. */
static void find_faults(struct findings *f, const struct liveupdate_recorder *r,
			const struct blackout *b)
{
	const struct liveupdate_recorder_part *out = &r->last_out;
	uint64_t given_up = recorder_given_up(out);
	char ns[FMT_LEN];

	find_across(f, r, b);
	if (!b->over)
		add_finding(f, FINDING_FAULT, 3,
			    "the live update is not finished: sessions have to be claimed or finished");
	if (out->failed)
		add_finding(f, FINDING_FAULT, 2,
			    "%llu reboot%s failed before this one, %s%s%s%s; %s calls are counted apart",
			    (unsigned long long)out->failed, fmt_s(out->failed),
			    out->failed == 1 ? "with " : "the last with ",
			    fmt_errno(out->failed_ret), out->failed_ns ? " after " : "",
			    out->failed_ns ? fmt_ns(ns, out->failed_ns) : "",
			    out->failed == 1 ? "its" : "their");
	if (given_up)
		add_finding(f, FINDING_FAULT, 1,
			    "%llu session%s of the previous update %s given up by it",
			    (unsigned long long)given_up, fmt_s(given_up),
			    given_up == 1 ? "was" : "were");
}

bool timeline_failed(const struct liveupdate_recorder *r)
{
	return r->last_out.failed || recorder_given_up(&r->last_out);
}

static int compare_findings(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	if (x->class != y->class)
		return (int)x->class - (int)y->class;
	return x->ns < y->ns ? 1 : x->ns > y->ns ? -1 : 0;
}

int timeline_findings(const struct liveupdate_recorder *r, const struct blackout *b,
		      struct finding *all)
{
	struct findings f = { .all = all };

	find_faults(&f, r, b);
	find_spans(&f, r, b);
	qsort(all, f.n, sizeof(*all), compare_findings);
	return f.n;
}

/* Whether a phase that has ended, other than the kexec, is unknown. */
static bool some_unknown(const struct blackout *b)
{
	enum span last = b->over ? SPAN_FINISH : SPAN_INIT;
	int s;

	for (s = 0; s <= (int)last; s++) {
		if (s != SPAN_KEXEC && !b->known[s])
			return true;
	}
	return false;
}

char *timeline_headline(const struct liveupdate_recorder *r,
			const struct blackout *b, char *text)
{
	const char *why[3];
	char ns[FMT_LEN];
	int n = 0, i;

	if (b->whole) {
		snprintf(text, TIMELINE_TEXT, "blackout %s", fmt_ns(ns, b->total));
		return text;
	}
	if (!recorder_present(&r->last_out))
		why[n++] = "the phases of the old kernel are unknown";
	else if (!b->known[SPAN_KEXEC])
		why[n++] = "the span across the kexec is unknown";
	if (recorder_present(&r->last_out) && some_unknown(b))
		why[n++] = "other phases are unknown";
	if (!b->over)
		why[n++] = "it is not over";
	snprintf(text, TIMELINE_TEXT, "blackout at least %s (",
		 fmt_ns(ns, b->total));
	for (i = 0; i < n; i++)
		snprintf(text + strlen(text), TIMELINE_TEXT - strlen(text),
			 "%s%s", i ? ", " : "", why[i]);
	snprintf(text + strlen(text), TIMELINE_TEXT - strlen(text), ")");
	return text;
}
