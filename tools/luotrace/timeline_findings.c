// SPDX-License-Identifier: GPL-2.0

/* The findings that a timeline begins with. */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "enum_name.h"
#include "fmt.h"
#include "timeline.h"

#define NAME_BUF	(4 * 64 + 1)

/* What saves less is not worth a sentence: share of the blackout, and ns. */
#define WORTH_PART	100
#define WORTH_NS	1000000

#define TARGETS		3	/* callback targets of a phase that can have a sentence */
#define ROOM		(TIMELINE_FINDINGS + (TARGETS + 1) * SPAN_NR)

struct findings {
	struct finding all[ROOM];
	int n;
};

__attribute__((format(printf, 4, 5)))
static void add_finding(struct findings *f, enum finding_class class, uint64_t ns,
			const char *fmt, ...)
{
	va_list ap;

	if (f->n == ROOM)
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

/* Whether a possible saving is worth a sentence. */
static bool worth(const struct blackout *b, uint64_t ns)
{
	return ns >= WORTH_NS && WORTH_PART * ns >= b->total;
}

/* Time of a phase outside of callbacks that are counted for it. */
static uint64_t outside_targets(const struct liveupdate_recorder *r,
				const struct blackout *b, enum span s)
{
	const struct liveupdate_recorder_row *rows[LIVEUPDATE_RECORDER_ROWS];
	int n = timeline_rows(r, s, rows, LIVEUPDATE_RECORDER_ROWS), i;
	uint64_t ns = b->ns[s], in;
	bool partial;

	for (i = 0; i < n; i++) {
		in = timeline_row_ns(r, b, s, rows[i], &partial);
		ns -= in < ns ? in : ns;
	}
	return ns;
}

/* Time that the agent spent outside of LUO. */
static uint64_t outside_calls(const struct liveupdate_recorder *r,
			      const struct blackout *b, enum span s)
{
	uint64_t in;

	return span_in_calls(r, s, &in) && in < b->ns[s] ? b->ns[s] - in : 0;
}

static uint64_t all_of_it(const struct liveupdate_recorder *r, const struct blackout *b,
			  enum span s)
{
	(void)r;
	return b->ns[s];
}

/* Without a session that is claimed no agent came. */
static uint64_t until_agent(const struct liveupdate_recorder *r,
			    const struct blackout *b, enum span s)
{
	return r->last_in.times[LIVEUPDATE_MARK_OPEN] ? b->ns[s] : 0;
}

/* What could leave each phase at most, other than its callbacks, and how. */
static const struct {
	const char *what;
	uint64_t (*saves)(const struct liveupdate_recorder *r, const struct blackout *b,
			  enum span s);
	const char *how;
} phases[SPAN_NR] = {
	[SPAN_PREPARE] = { "prepare in reboot is", all_of_it,
		"have the agent send PREPARE before the reboot" },
	[SPAN_SHUTDOWN] = { "shutdown of devices and CPUs is", all_of_it,
		"detach devices that no workload uses before the reboot; 'luotrace record --carry' shows which take long" },
	[SPAN_KEXEC] = { "kexec and early boot are", all_of_it,
		"compress the kernel with LZ4, and load a smaller initramfs" },
	[SPAN_INIT] = { "kernel init is", outside_targets,
		"boot with initcall_debug to see what takes long, and make a module of what the restore does not need" },
	[SPAN_USER] = { "user-space start is", until_agent,
		"start the agent earlier, as the first service" },
	[SPAN_RESTORE] = { "restore is", outside_calls,
		"have the agent retrieve all files before it does anything else" },
	[SPAN_FINISH] = { "finish is", outside_calls,
		"start the workloads' processes before the last file is retrieved, with less to set up" },
};

/* The longest initcall, if they were recorded, before what to do; else just that. */
static const char *how_of(const struct liveupdate_recorder *r, enum span s, char *text,
			  size_t size)
{
	const struct liveupdate_recorder_initcall *c = r->inside.init.longest;
	const struct liveupdate_recorder_initcall *longest = c;
	char name[NAME_BUF], ns[FMT_LEN];
	int i;

	for (i = 1; i < LIVEUPDATE_RECORDER_INITCALLS; i++) {
		if (c[i].duration > longest->duration)
			longest = &c[i];
	}
	if (s != SPAN_INIT || !longest->duration)
		return phases[s].how;
	snprintf(text, size,
		 "make a module of what the restore does not need; the longest initcall is %s (%s)",
		 fmt_name(name, sizeof(name), longest->name), fmt_ns(ns, longest->duration));
	return text;
}

static void find_phase(struct findings *f, const struct liveupdate_recorder *r,
		       const struct blackout *b, enum span s)
{
	char of[64], all[FMT_LEN], rest[FMT_LEN], in[FMT_LEN + 32] = "";
	char how[NAME_BUF + 128];
	uint64_t ns;

	if (!phases[s].what || !b->known[s])
		return;
	ns = phases[s].saves(r, b, s);
	if (!worth(b, ns))
		return;
	if (phases[s].saves == outside_calls)
		snprintf(in, sizeof(in), ", %s of it outside of calls of LUO",
			 ns < b->ns[s] ? fmt_ns(rest, ns) : "all");
	add_finding(f, FINDING_SAVING, ns, "%s %s (%s)%s: %s", phases[s].what,
		    share(of, sizeof(of), b, b->ns[s]), fmt_ns(all, b->ns[s]), in,
		    how_of(r, s, how, sizeof(how)));
}

/* What to do with a callback that takes long; a PREPARE can leave the blackout whole. */
static const char *const target_how[] = {
	[OP_FREEZE] = "do in prepare what need not wait for the freeze, and preserve fewer files",
	[OP_RETRIEVE] = "retrieve sessions in parallel, and preserve memory in large folios",
	[OP_CAN_FINISH] = "have it answer from what it knows already, and finish sessions in parallel",
	[OP_FINISH] = "finish sessions in parallel, and free later what need not be freed at once",
	[OP_BOOT] = "move what it does to when its state is used first",
};

static void find_target(struct findings *f, const struct liveupdate_recorder *r,
			const struct blackout *b, enum span s,
			const struct liveupdate_recorder_row *row)
{
	char name[NAME_BUF], session[NAME_BUF], took[FMT_LEN], one[FMT_LEN];
	char where[NAME_BUF + 64] = "";
	struct timeline_call longest;
	bool partial;
	uint64_t ns;

	ns = timeline_row_ns(r, b, s, row, &partial);
	if (!worth(b, ns))
		return;
	if (timeline_calls(r, b, s, &longest, 1) && longest.op == row->op &&
	    !strcmp(longest.call->name, row->name) && longest.call->kind == row->kind) {
		snprintf(where, sizeof(where), ", the longest call %s",
			 fmt_ns(one, longest.call->duration));
		if (longest.call->kind == LIVEUPDATE_KIND_HANDLER)
			snprintf(where + strlen(where), sizeof(where) - strlen(where),
				 " of session %s token %llu",
				 fmt_name(session, sizeof(session), longest.call->session),
				 (unsigned long long)longest.call->token);
	}
	add_finding(f, FINDING_SAVING, ns, "%s %s is %s%.0f %% of %s (%s)%s: %s",
		    timeline_kind(row->kind),
		    *row->name ? fmt_name(name, NAME_BUF, row->name) : "others",
		    partial ? "at least " : "", percent(ns, b->ns[s]), span_label(s),
		    fmt_ns(took, ns), where, target_how[row->op]);
}

static void find_spans(struct findings *f, const struct liveupdate_recorder *r,
		       const struct blackout *b)
{
	const struct liveupdate_recorder_row *rows[TARGETS];
	int s, i, n;

	for (s = 0; s < SPAN_NR; s++) {
		find_phase(f, r, b, s);
		n = b->known[s] ? timeline_rows(r, s, rows, TARGETS) : 0;
		for (i = 0; i < n; i++) {
			if (rows[i]->op < sizeof(target_how) / sizeof(*target_how) &&
			    target_how[rows[i]->op])
				find_target(f, r, b, s, rows[i]);
		}
	}
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
	struct findings f = { .n = 0 };

	find_faults(&f, r, b);
	find_spans(&f, r, b);
	qsort(f.all, f.n, sizeof(*f.all), compare_findings);
	if (f.n > TIMELINE_FINDINGS)
		f.n = TIMELINE_FINDINGS;
	memcpy(all, f.all, f.n * sizeof(*all));
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
