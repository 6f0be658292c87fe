// SPDX-License-Identifier: GPL-2.0

#include <string.h>
#include <unistd.h>

#include "audit.h"
#include "enum_name.h"
#include "fmt.h"
#include "json.h"

#define NAME_BUF	(4 * INV_NAME_LEN + 1)
#define NAME_WIDTH	20	/* columns for the name of a session */
#define SENTENCES	20	/* findings of one class that are printed one by one */

/* Call @fn for each session that is audited. */
static void each_session(const struct audit *a,
			 void (*fn)(const struct audit *a,
				    const struct inv_session *s, void *data),
			 void *data)
{
	const struct inv_session *s;
	size_t n;

	for (n = 0; n < a->inv->nr_sessions; n++) {
		s = &a->inv->sessions[n];
		if (audit_selects(a, s->name))
			fn(a, s, data);
	}
}

static uint64_t bytes_of(uint64_t pages)
{
	return pages * sysconf(_SC_PAGESIZE);
}

static char *fmt_pages(char *buf, uint64_t pages)
{
	return pages == INV_UNKNOWN ? strcpy(buf, "-") :
				      fmt_bytes(buf, bytes_of(pages));
}

static void print_verdict(const struct audit *a, const struct audit_sums *sums,
			  bool colour, FILE *f)
{
	char held[FMT_LEN], name[NAME_BUF];
	const char *sep = ": ";
	int c;

	if (!audit_found(a, sums)) {
		fprintf(f, "not found: no incoming session %s; 'luotrace audit' lists unfinished sessions\n",
			fmt_name(name, sizeof(name), a->session));
		return;
	}
	fmt_bytes(held, bytes_of(sums->pages));
	if (colour)
		fputs(sums->leaks ? "\033[1;31m" : a->inv->torn ? "\033[1;33m" :
							      "\033[1;32m", f);
	if (sums->leaks) {
		fprintf(f, "LEAK: %llu finding%s", (unsigned long long)sums->leaks,
			sums->leaks == 1 ? "" : "s");
		for (c = AUDIT_LEAKS; c < AUDIT_NR; c++) {
			if (!sums->by_class[c])
				continue;
			fprintf(f, "%s%llu %s", sep,
				(unsigned long long)sums->by_class[c],
				audit_class_name(c));
			sep = ", ";
		}
	} else {
		fputs(a->inv->torn ? "unknown" : "clean", f);
	}
	if (colour)
		fputs("\033[0m", f);
	if (a->inv->torn)
		fputs("; the sessions changed while they were read, others may exist", f);
	if (sums->sessions)
		fprintf(f, "; %llu session%s with %llu file%s hold%s %s%s\n",
			(unsigned long long)sums->sessions,
			sums->sessions == 1 ? "" : "s",
			(unsigned long long)sums->files,
			sums->files == 1 ? "" : "s",
			sums->sessions == 1 ? "s" : "",
			sums->pages_unknown ? "at least " : "", held);
	else if (a->inv->torn)
		fputc('\n', f);
	else if (a->session)
		fprintf(f, "; no incoming session %s\n",
			fmt_name(name, sizeof(name), a->session));
	else
		fputs(a->inv->unread ? "; incoming sessions are not known\n" :
				       "; no incoming session is left\n", f);
}

static void print_recorded(const struct audit *a, FILE *f)
{
	const struct liveupdate_recorder_part *in;

	if (a->session)
		return;
	if (!a->recorder) {
		fputs("refused, given up, finished: -, this kernel has no record\n", f);
		return;
	}
	in = &a->recorder->last_in;
	if (!in->number) {
		fmt_wrapped(f, "", recorder_unread_reason(a->recorder) ?
			    RECORDER_UNREAD "." : "This kernel was not booted by a live update.");
		return;
	}
	fprintf(f, "Live update %llu: %llu session%s with %llu file%s finished",
		(unsigned long long)in->number,
		(unsigned long long)in->finished, in->finished == 1 ? "" : "s",
		(unsigned long long)in->finished_files,
		in->finished_files == 1 ? "" : "s");
	if (in->discarded)
		fprintf(f, ", %llu discarded unclaimed",
			(unsigned long long)in->discarded);
	fputs(".\n", f);
}

struct sentences {
	FILE *f;
	uint64_t shown[AUDIT_NR];
};

static void print_sentence(const struct audit *a, const struct inv_session *s,
			   void *data)
{
	enum audit_class c = audit_class(a, s);
	struct sentences *to = data;
	char text[AUDIT_TEXT];

	if (c < AUDIT_LEAKS || to->shown[c]++ >= SENTENCES)
		return;
	audit_explain(a, s, text);
	fmt_wrapped(to->f, "* ", text);
}

static void print_rejected(const struct audit *a, struct sentences *to)
{
	const struct liveupdate_recorder_part *in = &a->recorder->last_in;
	char text[AUDIT_TEXT];
	unsigned int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_REFUSED && i < in->nr_refused; i++) {
		if (!audit_selects(a, in->refused[i].name))
			continue;
		to->shown[AUDIT_REJECTED]++;
		audit_explain_rejected(&in->refused[i], text);
		fmt_wrapped(to->f, "* ", text);
	}
}

static void print_findings(const struct audit *a, const struct audit_sums *sums,
			   FILE *f)
{
	struct sentences to = { .f = f };
	char text[AUDIT_TEXT];
	int c;

	if (!sums->leaks)
		return;
	fputc('\n', f);
	if (a->inv->unread) {
		to.shown[AUDIT_UNCLAIMED]++;
		audit_explain_unread(text);
		fmt_wrapped(f, "* ", text);
	}
	each_session(a, print_sentence, &to);
	if (a->recorder) {
		print_rejected(a, &to);
		if (sums->by_class[AUDIT_GIVEN_UP]) {
			to.shown[AUDIT_GIVEN_UP] = sums->by_class[AUDIT_GIVEN_UP];
			audit_explain_given_up(&a->recorder->last_out, text);
			fmt_wrapped(f, "* ", text);
		}
	}
	for (c = AUDIT_LEAKS; c < AUDIT_NR; c++) {
		uint64_t shown = c < AUDIT_REJECTED && to.shown[c] > SENTENCES ?
				SENTENCES : to.shown[c];

		if (sums->by_class[c] > shown)
			fprintf(f, "* and %llu more that are %s\n",
				(unsigned long long)(sums->by_class[c] - shown),
				audit_class_name(c));
	}
}

static void print_files(const struct audit *a, const struct inv_session *s,
			FILE *f)
{
	const struct inv_file *files;
	char compat[4 * INV_COMPAT_LEN + 1], pages[FMT_LEN];
	size_t nr, i;

	files = audit_files(a, s, &nr);
	for (i = 0; i < nr; i++) {
		fprintf(f, "    token %-14llu %-10s %8s  %s",
			(unsigned long long)files[i].token,
			audit_file_state(&files[i]),
			fmt_pages(pages, files[i].pages),
			fmt_name(compat, sizeof(compat), files[i].compatible));
		if (files[i].ret)
			fprintf(f, ", %s: %s", enum_name(ENUM_OP, files[i].ret_op),
				fmt_errno(files[i].ret));
		fputc('\n', f);
	}
}

static void print_session(const struct audit *a, const struct inv_session *s,
			  void *data)
{
	char name[NAME_BUF], held[FMT_LEN], age[FMT_LEN], comm[4 * INV_COMM_LEN + 1];
	char owner[sizeof(comm) + 16];
	FILE *f = data;

	fmt_name(name, sizeof(name), s->name);
	if (s->owner)
		snprintf(owner, sizeof(owner), "%s[%d]",
			 fmt_name(comm, sizeof(comm), s->comm), s->owner);
	else
		strcpy(owner, "-");
	if (s->born_ns)
		fmt_age(age, a->now - s->born_ns);
	else
		strcpy(age, "-");
	fputs("  ", f);
	if (fmt_padded(f, name, NAME_WIDTH) > NAME_WIDTH)
		fprintf(f, "\n  %-*s", NAME_WIDTH, "");
	fprintf(f, " %-10s %6llu %6llu %8s %7s  %s\n",
		audit_class_name(audit_class(a, s)),
		(unsigned long long)s->files, (unsigned long long)s->retrieved,
		fmt_pages(held, s->pages), age, owner);
	print_files(a, s, f);
}

void audit_text(const struct audit *a, const struct audit_sums *sums,
		bool colour, FILE *f)
{
	print_verdict(a, sums, colour, f);
	print_recorded(a, f);
	print_findings(a, sums, f);
	if (!sums->sessions)
		return;
	fprintf(f, "\n  %-*s %-10s %6s %6s %8s %7s  %s\n", NAME_WIDTH, "session",
		"state", "files", "taken", "held", "age", "last owner");
	each_session(a, print_session, f);
}

static json_t *age_json(uint64_t now, uint64_t since)
{
	return since ? json_integer(now - since) : json_null();
}

static json_t *pages_json(uint64_t pages)
{
	return pages == INV_UNKNOWN ? json_null() : json_integer(pages);
}

static json_t *bytes_json(uint64_t pages)
{
	return pages == INV_UNKNOWN ? json_null() :
				      json_integer(bytes_of(pages));
}

static json_t *file_json(const struct inv_file *f)
{
	return json_pack("{so, so, ss, so, so, so, so}",
			 "token", json_token(f->token),
			 "handler", fmt_json_name(f->compatible),
			 "state", audit_file_state(f),
			 "pages", pages_json(f->pages),
			 "bytes", bytes_json(f->pages),
			 "errno", f->ret ? json_integer(-f->ret) : json_null(),
			 "op", f->ret ? json_string(enum_name(ENUM_OP, f->ret_op)) :
					json_null());
}

static void session_json(const struct audit *a, const struct inv_session *s,
			 void *data)
{
	json_t *all = json_array(), *o, *owner = json_null();
	const struct inv_file *files;
	size_t nr, i;

	files = audit_files(a, s, &nr);
	for (i = 0; i < nr; i++)
		json_array_append_new(all, file_json(&files[i]));
	if (s->owner)
		owner = json_pack("{si, so}", "pid", s->owner, "comm",
				  fmt_json_name(s->comm));
	o = json_pack("{so, ss, sI, sI, sI, sI, so, so, so, so, so, si, sb, so, so, so}",
		      "name", fmt_json_name(s->name),
		      "state", audit_class_name(audit_class(a, s)),
		      "files", (json_int_t)s->files,
		      "retrieved", (json_int_t)s->retrieved,
		      "failed", (json_int_t)s->failed,
		      "no_handler", (json_int_t)s->orphans,
		      "pages", pages_json(s->pages),
		      "bytes", bytes_json(s->pages),
		      "age_ns", age_json(a->now, s->born_ns),
		      "since_claim_ns", age_json(a->now, s->opened_ns),
		      "since_close_ns", age_json(a->now, s->closed_ns),
		      "claims", (int)s->claims, "open", (int)s->open,
		      "owner", owner,
		      "finish_errno", s->finish_ret ?
				      json_integer(-s->finish_ret) : json_null(),
		      "file_list", all);
	json_array_append_new(data, o);
}

static void finding_json(const struct audit *a, const struct inv_session *s,
			 void *data)
{
	enum audit_class c = audit_class(a, s);
	char text[AUDIT_TEXT];

	if (c < AUDIT_LEAKS)
		return;
	audit_explain(a, s, text);
	json_array_append_new(data, json_pack("{ss, so, so}",
			      "class", audit_class_name(c),
			      "session", fmt_json_name(s->name),
			      "text", fmt_json_text(text)));
}

static void recorded_json(const struct audit *a, json_t *findings, json_t *root)
{
	const struct liveupdate_recorder_part *in = &a->recorder->last_in;
	const struct liveupdate_recorder_part *out = &a->recorder->last_out;
	json_t *refused = json_array(), *given_up = json_array();
	const struct liveupdate_recorder_refused *one;
	char text[AUDIT_TEXT];
	unsigned int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_REFUSED && i < in->nr_refused; i++) {
		one = &in->refused[i];
		if (!audit_selects(a, one->name))
			continue;
		audit_explain_rejected(one, text);
		json_array_append_new(findings, json_pack("{ss, so, so}",
			"class", audit_class_name(AUDIT_REJECTED), "session",
			*one->name ? fmt_json_name(one->name) : json_null(),
			"text", fmt_json_text(text)));
		json_array_append_new(refused, json_pack("{so, so, so, so}",
			"what", fmt_json_name(one->what), "name", fmt_json_name(one->name),
			"token", json_token(one->token),
			"reason", fmt_json_name(one->reason)));
	}
	for (i = 0; i < LIVEUPDATE_RECORDER_GIVEN_UP; i++) {
		if (!audit_selects_given_up(a, i))
			continue;
		audit_explain_given_up(out, text);
		json_array_append_new(findings, json_pack("{ss, so, so}",
			"class", audit_class_name(AUDIT_GIVEN_UP), "session",
			fmt_json_name(out->given_up_names[i]), "text",
			fmt_json_text(text)));
		json_array_append_new(given_up,
				      fmt_json_name(out->given_up_names[i]));
	}
	json_object_set_new(root, "liveupdate_number", json_integer(in->number));
	json_object_set_new(root, "refused", json_pack("{sI, so}",
			    "count", (json_int_t)in->nr_refused,
			    "first", refused));
	json_object_set_new(root, "given_up", json_pack("{sI, so}",
			    "count", (json_int_t)recorder_given_up(out),
			    "first", given_up));
	json_object_set_new(root, "finished", json_pack("{sI, sI, sI}",
			    "sessions", (json_int_t)in->finished,
			    "files", (json_int_t)in->finished_files,
			    "discarded", (json_int_t)in->discarded));
}

void audit_json(const struct audit *a, const struct audit_sums *sums,
		json_t *root)
{
	json_t *sessions = json_array(), *findings = json_array();
	json_t *classes = json_object();
	char text[AUDIT_TEXT];
	int c;

	each_session(a, session_json, sessions);
	if (a->inv->unread) {
		audit_explain_unread(text);
		json_array_append_new(findings, json_pack("{ss, sn, ss}", "class",
			audit_class_name(AUDIT_UNCLAIMED), "session", "text",
			text));
	}
	each_session(a, finding_json, findings);
	for (c = 0; c < AUDIT_NR; c++)
		json_object_set_new(classes, audit_class_name(c),
				    json_integer(sums->by_class[c]));
	/* A missing session is not clean, an incomplete list is unknown. */
	json_object_set_new(root, "clean",
			    audit_unknown(a, sums) ? json_null() :
			    json_boolean(!sums->leaks && audit_found(a, sums)));
	json_object_set_new(root, "complete", json_boolean(!a->inv->torn));
	json_object_set_new(root, "session_found",
			    !a->session || (a->inv->torn && !sums->sessions) ?
			    json_null() : json_boolean(audit_found(a, sums)));
	json_object_set_new(root, "unread", json_boolean(a->inv->unread));
	json_object_set_new(root, "leaks", json_integer(sums->leaks));
	json_object_set_new(root, "files", json_integer(sums->files));
	json_object_set_new(root, "pages", sums->pages_unknown ? json_null() :
					   json_integer(sums->pages));
	json_object_set_new(root, "bytes", sums->pages_unknown ? json_null() :
					   json_integer(bytes_of(sums->pages)));
	json_object_set_new(root, "states", classes);
	if (a->recorder) {
		recorded_json(a, findings, root);
	} else {
		json_object_set_new(root, "liveupdate_number", json_null());
		json_object_set_new(root, "refused", json_null());
		json_object_set_new(root, "given_up", json_null());
		json_object_set_new(root, "finished", json_null());
	}
	json_object_set_new(root, "findings", findings);
	json_object_set_new(root, "sessions", sessions);
}
