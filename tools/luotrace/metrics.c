// SPDX-License-Identifier: GPL-2.0

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blackout.h"
#include "enum_name.h"
#include "fmt.h"
#include "metrics.h"
#include "workload.h"

#define NAME_BUF	(4 * LT_NAME_LEN + 1)
/* The first bucket has all shorter calls: 2^10 ns, about a microsecond. */
#define FIRST_BUCKET	10

/* The last finite bucket, 68.7 s: longer calls are in +Inf only. */
#define LAST_BUCKET	35

/* The metrics; a unit is the end of the name. */
static const struct family {
	const char *name;
	const char *unit;
	const char *help;
} families[] = {
#define INFO		0
	{ "luo_info", "", "The kernel; always 1" },
#define STATE		1
	{ "luo_state", "", "Global state: 1 for the current one" },
#define NUMBER		2
	{ "luo_liveupdates", "", "Live updates that this machine has been through" },
#define IN_SESSIONS	3
	{ "luo_incoming_sessions", "", "Unfinished sessions of the previous kernel, by condition" },
#define IN_FILES	4
	{ "luo_incoming_files", "", "Files of those sessions, by condition" },
#define IN_BYTES	5
	{ "luo_incoming_bytes", "bytes", "Memory of those sessions" },
#define OUT_SESSIONS	6
	{ "luo_outgoing_sessions", "", "Sessions for the next kernel, by state" },
#define OUT_FILES	7
	{ "luo_outgoing_files", "", "Files of those sessions" },
#define OUT_BYTES	8
	{ "luo_outgoing_bytes", "bytes", "Memory preserved for those sessions" },
#define LEAKS		9
	{ "luo_leaks", "", "Findings of luotrace audit, by class" },
#define FINISHED	10
	{ "luo_finished_sessions", "", "Sessions of the last live update that were finished" },
#define DISCARDED	11
	{ "luo_discarded_sessions", "", "Sessions of the last live update that were discarded unclaimed" },
#define PHASE		12
	{ "luo_blackout_phase_seconds", "seconds", "Phases of the last blackout" },
#define BLACKOUT	13
	{ "luo_blackout_seconds", "seconds", "The last blackout, if all of it is known" },
#define WINDOW		14
	{ "luo_freeze_window_seconds", "seconds", "From the first freeze to the kexec" },
#define FAILED		15
	{ "luo_failed_reboots", "", "Reboots that failed in LUO before the last live update, and since" },
#define ERRORS		16
	{ "luo_call_errors", "", "Calls that failed, of the last live update" },
#define LOST		17
	{ "luo_recorder_lost_calls", "", "Calls for which the record of LUO had no room" },
#define BLACKOUT_TIME	18
	{ "luo_blackout_timestamp_seconds", "seconds", "When the last blackout began, or, where the old kernel left no record, when this kernel had started; since 1970" },
#define OVER		19
	{ "luo_liveupdate_finished", "", "1 once the last live update is over, 0 until then" },
#define KNOWN		20
	{ "luo_blackout_known_seconds", "seconds", "Known duration of the last blackout; it took at least as long" },
#define CANCELLED	21
	{ "luo_cancelled_prepares", "", "Global PREPAREs that failed or were cancelled before the last live update, and since" },
#define FAILED_ERRORS	22
	{ "luo_failed_attempt_call_errors", "", "Calls that failed, of attempts before the last live update that failed or were cancelled" },
#define WORKLOAD	23
	{ "luo_workload_blackout_seconds", "seconds", "How long workloads stood still in the last live update, where that is known" },
};

static const char *const kinds[] = { "handler", "subsystem", "shared_state" };

static void begin(const struct family *f, const char *type, FILE *out)
{
	fprintf(out, "# HELP %s %s.\n# TYPE %s %s\n", f->name, f->help, f->name,
		type);
	if (*f->unit)
		fprintf(out, "# UNIT %s %s\n", f->name, f->unit);
}

static void head(int family, FILE *out)
{
	begin(&families[family], "gauge", out);
}

static void sample(int family, const char *labels, uint64_t value, FILE *out)
{
	fprintf(out, "%s%s %" PRIu64 "\n", families[family].name, labels, value);
}

/* Nanoseconds as seconds, exactly. */
static char *seconds(char *buf, uint64_t ns)
{
	char *end;

	sprintf(buf, "%" PRIu64 ".%09" PRIu64, ns / 1000000000, ns % 1000000000);
	for (end = buf + strlen(buf) - 1; *end == '0' && end[-1] != '.'; end--)
		*end = '\0';
	return buf;
}

static void sample_ns(int family, const char *labels, uint64_t ns, FILE *out)
{
	char buf[40];

	fprintf(out, "%s%s %s\n", families[family].name, labels, seconds(buf, ns));
}

__attribute__((format(printf, 2, 3)))
static const char *labels(char *buf, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, 2 * NAME_BUF, fmt, ap);
	va_end(ap);
	return buf;
}

/* A label value: names are escaped by fmt_name(), whose backslash needs another. */
static char *value(char *buf, const char *name)
{
	char text[NAME_BUF], *to = buf;
	const char *from;

	fmt_name(text, sizeof(text), name);
	for (from = text; *from && to < buf + 2 * NAME_BUF - 3; from++) {
		if (*from == '\\' || *from == '"')
			*to++ = '\\';
		*to++ = *from;
	}
	*to = '\0';
	return buf;
}

static void write_machine(const struct metrics *m, FILE *out)
{
	char name[2 * NAME_BUF], buf[2 * NAME_BUF + 64];
	unsigned int s;

	head(INFO, out);
	sample(INFO, labels(buf, "{kernel=\"%s\"}",
			    value(name, m->probe->release)), 1, out);
	if (*m->state) {
		head(STATE, out);
		for (s = 0; s < enum_count(ENUM_STATE); s++)
			sample(STATE, labels(buf, "{state=\"%s\"}",
					     enum_name(ENUM_STATE, s)),
			       !strcmp(enum_name(ENUM_STATE, s), m->state), out);
	}
	if (m->number >= 0) {
		head(NUMBER, out);
		sample(NUMBER, "", m->number, out);
	}
}

/* Rejected entries, and sessions given up, are known from the kernel's own record only. */
static bool has_class(const struct audit *a, int class)
{
	return class < AUDIT_REJECTED ||
	       (a->recorder && recorder_present(&a->recorder->next_out));
}

static void write_incoming(const struct audit *a, FILE *out)
{
	static const char *const states[] = { "unclaimed", "retrieved", "failed",
					      "no-handler" };
	uint64_t by_state[4] = {};
	struct audit_sums sums;
	char buf[2 * NAME_BUF];
	size_t i, s;
	int c;

	audit_sum(a, &sums);
	head(IN_SESSIONS, out);
	for (c = 0; c < AUDIT_REJECTED; c++)
		sample(IN_SESSIONS, labels(buf, "{state=\"%s\"}",
					   audit_class_name(c)),
		       sums.by_class[c], out);
	for (i = 0; i < a->inv->nr_files; i++) {
		for (s = 0; s < 4; s++)
			by_state[s] += !strcmp(states[s],
					       audit_file_state(&a->inv->files[i]));
	}
	head(IN_FILES, out);
	for (s = 0; s < 4; s++)
		sample(IN_FILES, labels(buf, "{state=\"%s\"}", states[s]),
		       by_state[s], out);
	/* An incomplete sum would be taken for all of the memory. */
	if (!sums.pages_unknown) {
		head(IN_BYTES, out);
		sample(IN_BYTES, "", sums.pages * sysconf(_SC_PAGESIZE), out);
	}
	head(LEAKS, out);
	for (c = AUDIT_LEAKS; c < AUDIT_NR; c++) {
		if (!has_class(a, c))
			continue;
		sample(LEAKS, labels(buf, "{class=\"%s\"}", audit_class_name(c)),
		       sums.by_class[c], out);
	}
}

static void write_outgoing(const struct inventory *inv, FILE *out)
{
	uint64_t by_state[8] = {}, files = 0, pages = 0;
	char buf[2 * NAME_BUF];
	bool unknown = false;
	unsigned int s;
	size_t i;

	for (i = 0; i < inv->nr_sessions; i++) {
		by_state[inv->sessions[i].state % 8]++;
		files += inv->sessions[i].files;
		pages += inv->sessions[i].pages;
		unknown |= inv->sessions[i].pages == INV_UNKNOWN;
	}
	head(OUT_SESSIONS, out);
	for (s = 0; s <= STATE_FROZEN; s++)
		sample(OUT_SESSIONS, labels(buf, "{state=\"%s\"}",
					    enum_name(ENUM_STATE, s)), by_state[s], out);
	head(OUT_FILES, out);
	sample(OUT_FILES, "", files, out);
	if (unknown)
		return;
	head(OUT_BYTES, out);
	sample(OUT_BYTES, "", pages * sysconf(_SC_PAGESIZE), out);
}

/* A span's name as a label: "kernel_init". */
static const char *phase_label(char *buf, enum span s)
{
	const char *from = span_name(s);
	char *to = buf;

	for (; *from; from++) {
		if (isalnum((unsigned char)*from))
			*to++ = *from;
		else if (*from == ' ' || *from == '-')
			*to++ = '_';
	}
	*to = '\0';
	return buf;
}

static void write_blackout(const struct liveupdate_recorder *r, FILE *out)
{
	char buf[2 * NAME_BUF], name[64];
	struct blackout b;
	int s;

	blackout_measure(r, &b);
	/* Tells a blackout of today from one of last month. */
	if (r->last_out.wall_ns || r->last_in.wall_ns) {
		head(BLACKOUT_TIME, out);
		sample_ns(BLACKOUT_TIME, "", r->last_out.wall_ns ?
			  r->last_out.wall_ns : r->last_in.wall_ns, out);
	}
	head(PHASE, out);
	for (s = 0; s < SPAN_NR; s++) {
		if (b.known[s])
			sample_ns(PHASE, labels(buf, "{phase=\"%s\",kernel=\"%s\"}",
						phase_label(name, s),
						s < SPAN_KEXEC ? "old" : "new"),
				  b.ns[s], out);
	}
	if (b.whole) {
		head(BLACKOUT, out);
		sample_ns(BLACKOUT, "", b.total, out);
	}
	head(KNOWN, out);
	sample_ns(KNOWN, "", b.total, out);
	head(OVER, out);
	sample(OVER, "", b.over, out);
	if (b.known[SPAN_FREEZE] && b.known[SPAN_SHUTDOWN]) {
		head(WINDOW, out);
		sample_ns(WINDOW, "", b.ns[SPAN_FREEZE] + b.ns[SPAN_SHUTDOWN], out);
	}
}

static void write_workloads(const struct liveupdate_recorder *r, FILE *out)
{
	char name[2 * NAME_BUF], buf[2 * NAME_BUF + 64];
	struct workload all[WORKLOADS];
	struct blackout b;
	int i, n;

	blackout_measure(r, &b);
	n = workloads_find(r, &b, all);
	if (n)
		head(WORKLOAD, out);
	for (i = 0; i < n && all[i].known; i++)
		sample_ns(WORKLOAD, labels(buf, "{workload=\"%s\"}",
					   value(name, all[i].name)), all[i].ns, out);
}

/*
 * Call @fn for each row of the last live update, of both kernels; or of attempts
 * before it that failed.
 */
static void each_row(const struct liveupdate_recorder *r, bool failed,
		     const char *metric, FILE *out,
		     void (*fn)(const char *metric,
				const struct liveupdate_recorder_row *row,
				const char *labels, FILE *out))
{
	static struct liveupdate_recorder_row rows[LIVEUPDATE_RECORDER_ROWS];
	const struct liveupdate_recorder_part *parts[] = { &r->last_out,
							   &r->last_in };
	char name[2 * NAME_BUF], buf[2 * NAME_BUF];
	int i, n, p;

	for (p = 0; p < 2; p++) {
		if (!recorder_present(parts[p]))
			continue;
		n = recorder_sum(parts[p], failed ? RECORDER_SCOPE(FAILED) :
						    RECORDER_UPDATE, rows);
		for (i = 0; i < n; i++)
			fn(metric, &rows[i],
			   labels(buf, "kind=\"%s\",name=\"%s\",op=\"%s\"",
				  kinds[rows[i].kind % 3],
				  *rows[i].name ? value(name, rows[i].name) :
						  "others",
				  enum_name(ENUM_OP, rows[i].op)), out);
	}
}

static void write_histogram(const char *metric,
			    const struct liveupdate_recorder_row *row,
			    const char *labels, FILE *out)
{
	uint64_t below = 0;
	char buf[40];
	int b;

	for (b = 0; b < LIVEUPDATE_RECORDER_BUCKETS - 1; b++) {
		below += row->hist[b];
		if (b >= FIRST_BUCKET - 1)
			fprintf(out, "%s_bucket{%s,le=\"%s\"} %" PRIu64 "\n",
				metric, labels, seconds(buf, 2ULL << b), below);
	}
	/*
	 * Of the calls beyond the record's buckets only the longest is known. All of them
	 * count as that long, so that no quantile is too short.
	 */
	for (; b <= LAST_BUCKET; b++)
		fprintf(out, "%s_bucket{%s,le=\"%s\"} %" PRIu64 "\n",
			metric, labels, seconds(buf, 2ULL << b),
			row->max >= 1ULL << (LIVEUPDATE_RECORDER_BUCKETS - 1) &&
			row->max <= 2ULL << b ?
			below + row->hist[LIVEUPDATE_RECORDER_BUCKETS - 1] : below);
	/* The longest calls, and those counted while the record was read. */
	below += row->hist[LIVEUPDATE_RECORDER_BUCKETS - 1];
	fprintf(out, "%s_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n", metric, labels,
		below);
	fprintf(out, "%s_sum{%s} %s\n", metric, labels, seconds(buf, row->total));
	fprintf(out, "%s_count{%s} %" PRIu64 "\n", metric, labels, below);
}

static void write_errors(const char *metric,
			 const struct liveupdate_recorder_row *row,
			 const char *labels, FILE *out)
{
	fprintf(out, "%s{%s} %" PRIu64 "\n", metric, labels,
		(uint64_t)row->errors);
}

static void write_calls(const struct liveupdate_recorder *r, FILE *out)
{
	static const struct family calls[] = {
		{ "luo_call_seconds", "seconds",
		  "Calls of handlers, subsystems and FLBs, of the last live update" },
		{ "luo_failed_attempt_call_seconds", "seconds",
		  "The same of attempts before it that failed or were cancelled" },
	};
	static const int errors[] = { ERRORS, FAILED_ERRORS };
	int failed;

	for (failed = 0; failed < 2; failed++) {
		begin(&calls[failed], "histogram", out);
		each_row(r, failed, calls[failed].name, out, write_histogram);
		head(errors[failed], out);
		each_row(r, failed, families[errors[failed]].name, out,
			 write_errors);
	}
}

/* Failures before the last live update, and since. */
static void write_failed(int family, const struct liveupdate_recorder *r,
			 uint64_t last, uint64_t next, FILE *out)
{
	head(family, out);
	if (recorder_present(&r->last_out))
		sample(family, "{update=\"last\"}", last, out);
	if (recorder_present(&r->next_out))
		sample(family, "{update=\"next\"}", next, out);
}

static void write_recorded(const struct liveupdate_recorder *r, FILE *out)
{
	if (recorder_updated(r)) {
		head(FINISHED, out);
		sample(FINISHED, "", r->last_in.finished, out);
		head(DISCARDED, out);
		sample(DISCARDED, "", r->last_in.discarded, out);
		write_blackout(r, out);
		write_workloads(r, out);
		write_calls(r, out);
	}
	write_failed(FAILED, r, r->last_out.failed, r->next_out.failed, out);
	write_failed(CANCELLED, r, r->last_out.cancelled, r->next_out.cancelled,
		     out);
	head(LOST, out);
	sample(LOST, "", r->last_out.lost_calls + r->last_in.lost_calls +
			 r->next_out.lost_calls, out);
}

void metrics_write(const struct metrics *m, FILE *f)
{
	write_machine(m, f);
	if (m->audit->inv)
		write_incoming(m->audit, f);
	if (m->outgoing)
		write_outgoing(m->outgoing, f);
	if (m->audit->recorder)
		write_recorded(m->audit->recorder, f);
	fputs("# EOF\n", f);
}

/* Parse one label, key="value", and return what follows. */
static const char *label_json(const char *at, json_t *to)
{
	char key[64], text[2 * NAME_BUF];
	size_t k = 0, n = 0;

	while (*at && *at != '=' && k < sizeof(key) - 1)
		key[k++] = *at++;
	key[k] = '\0';
	for (at += strlen("=\""); *at && *at != '"'; at++) {
		if (*at == '\\' && at[1])
			at++;
		if (n < sizeof(text) - 1)
			text[n++] = *at;
	}
	text[n] = '\0';
	json_object_set_new(to, key, json_string(text));
	at += *at == '"';
	return at + (*at == ',');
}

json_t *metrics_json(const char *text)
{
	json_t *all = json_array(), *labels;
	const char *at = text, *name;
	size_t len;

	for (; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		if (*at == '#')
			continue;
		name = at;
		len = strcspn(at, "{ ");
		at += len;
		labels = json_object();
		if (*at == '{') {
			for (at++; *at && *at != '}';)
				at = label_json(at, labels);
			at++;
		}
		json_array_append_new(all, json_pack("{so, so, sf}",
			"name", json_stringn(name, len), "labels", labels,
			"value", strtod(at, NULL)));
	}
	return all;
}
