// SPDX-License-Identifier: GPL-2.0

#include <stdarg.h>
#include <string.h>

#include "audit.h"
#include "black_box.h"
#include "enum_name.h"
#include "fmt.h"

#define NAME_BUF	(4 * INV_NAME_LEN + 1)

static const char *const class_names[AUDIT_NR] = {
	[AUDIT_CLAIMED]	   = "claimed",
	[AUDIT_WAITING]	   = "waiting",
	[AUDIT_BOX]	   = "box",
	[AUDIT_UNCLAIMED]  = "unclaimed",
	[AUDIT_DROPPED]	   = "dropped",
	[AUDIT_UNFINISHED] = "unfinished",
	[AUDIT_FAILED]	   = "failed",
	[AUDIT_NO_HANDLER] = "no-handler",
	[AUDIT_REJECTED]	   = "refused",
	[AUDIT_GIVEN_UP]   = "given-up",
};

const char *audit_class_name(enum audit_class c)
{
	return class_names[c];
}

bool audit_selects(const struct audit *a, const char *name)
{
	return !a->session || !strcmp(a->session, name);
}

bool audit_selects_given_up(const struct audit *a, unsigned int i)
{
	const struct liveupdate_recorder_part *out = &a->recorder->last_out;
	const char *name = out->given_up_names[i];

	return i < out->given_up && *name && strcmp(name, BLACK_BOX_SESSION) &&
	       audit_selects(a, name);
}

static bool too_old(const struct audit *a, uint64_t since)
{
	/* A stock LUO has no time stamps: 0. */
	return since && a->now > since && a->now - since > a->max_age;
}

/* A session of that name with more than the box is an agent's. */
static bool is_box(const struct inv_session *s)
{
	return s->files <= 1 && !strcmp(s->name, BLACK_BOX_SESSION);
}

/* The worst condition comes first: a claim does not cure it. */
enum audit_class audit_class(const struct audit *a, const struct inv_session *s)
{
	if (is_box(s))
		return AUDIT_BOX;
	if (s->finish_ret)
		return AUDIT_UNFINISHED;
	if (s->orphans)
		return AUDIT_NO_HANDLER;
	if (s->failed)
		return AUDIT_FAILED;
	if (s->open)
		return a->max_age && too_old(a, s->opened_ns) ? AUDIT_UNFINISHED :
							     AUDIT_CLAIMED;
	if (s->claims)
		return AUDIT_DROPPED;
	return a->max_age && !too_old(a, s->born_ns) ? AUDIT_WAITING :
						    AUDIT_UNCLAIMED;
}

/* The number of rejects whose names the record has. */
static unsigned int kept_rejected(const struct liveupdate_recorder_part *in)
{
	return in->nr_refused < LIVEUPDATE_RECORDER_REFUSED ?
	       in->nr_refused : LIVEUPDATE_RECORDER_REFUSED;
}

static void sum_recorded(const struct audit *a, struct audit_sums *sums)
{
	const struct liveupdate_recorder_part *in = &a->recorder->last_in;
	const struct liveupdate_recorder_part *out = &a->recorder->last_out;
	unsigned int i;

	if (!a->session) {
		sums->by_class[AUDIT_REJECTED] = in->nr_refused;
		sums->by_class[AUDIT_GIVEN_UP] = recorder_given_up(out);
		return;
	}
	for (i = 0; i < kept_rejected(in); i++)
		sums->by_class[AUDIT_REJECTED] +=
			audit_selects(a, in->refused[i].name);
	for (i = 0; i < LIVEUPDATE_RECORDER_GIVEN_UP; i++)
		sums->by_class[AUDIT_GIVEN_UP] += audit_selects_given_up(a, i);
}

void audit_sum(const struct audit *a, struct audit_sums *sums)
{
	const struct inv_session *s;
	size_t n;
	int c;

	memset(sums, 0, sizeof(*sums));
	for (n = 0; n < a->inv->nr_sessions; n++) {
		s = &a->inv->sessions[n];
		if (!audit_selects(a, s->name))
			continue;
		sums->sessions++;
		sums->files += s->files;
		if (s->pages == INV_UNKNOWN)
			sums->pages_unknown++;
		else
			sums->pages += s->pages;
		sums->by_class[audit_class(a, s)]++;
	}
	sums->by_class[AUDIT_UNCLAIMED] += a->inv->unread;
	if (a->recorder)
		sum_recorded(a, sums);
	for (c = AUDIT_LEAKS; c < AUDIT_NR; c++)
		sums->leaks += sums->by_class[c];
}

bool audit_found(const struct audit *a, const struct audit_sums *sums)
{
	return !a->session || sums->sessions || sums->leaks || a->inv->unread ||
	       a->inv->torn;
}

bool audit_unknown(const struct audit *a, const struct audit_sums *sums)
{
	return a->inv->torn && !sums->leaks;
}

/* Files come session by session, so theirs are together. */
const struct inv_file *audit_files(const struct audit *a,
				   const struct inv_session *s, size_t *nr)
{
	const struct inv_file *files = a->inv->files;
	size_t low = 0, high = a->inv->nr_files, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (files[mid].session_id < s->id)
			low = mid + 1;
		else
			high = mid;
	}
	for (*nr = 0; low + *nr < a->inv->nr_files &&
		      files[low + *nr].session_id == s->id; ++*nr)
		;
	return files + low;
}

const char *audit_file_state(const struct inv_file *f)
{
	if (!f->handler)
		return "no-handler";
	if (f->ret)
		return "failed";
	return f->state == FILE_RETRIEVED ? "retrieved" : "unclaimed";
}

struct sentence {
	char *buf;
	size_t used;
};

__attribute__((format(printf, 2, 3)))
static void say(struct sentence *s, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(s->buf + s->used, AUDIT_TEXT - s->used, fmt, ap);
	va_end(ap);
	if (n > 0)
		s->used = s->used + n < AUDIT_TEXT ? s->used + n : AUDIT_TEXT - 1;
}

static void say_owner(struct sentence *to, const struct inv_session *s)
{
	char name[4 * INV_COMM_LEN + 1];

	if (s->owner)
		say(to, "%s (pid %d)", fmt_name(name, sizeof(name), s->comm),
		    s->owner);
	else
		say(to, "an unknown process");
}

/* The file at fault, and the number of others. */
static void say_file(struct sentence *to, const struct audit *a,
		     const struct inv_session *s, bool orphan)
{
	const struct inv_file *files, *bad = NULL;
	char compat[4 * INV_COMPAT_LEN + 1];
	size_t nr, i, more = 0;

	files = audit_files(a, s, &nr);
	for (i = 0; i < nr; i++) {
		if (orphan ? files[i].handler : !files[i].ret)
			continue;
		if (bad)
			more++;
		else
			bad = &files[i];
	}
	if (!bad)
		return;
	fmt_name(compat, sizeof(compat), bad->compatible);
	if (orphan)
		say(to, "token %llu needs handler %s, which this kernel does not have",
		    (unsigned long long)bad->token, compat);
	else
		say(to, "%s of token %llu by handler %s failed with %s",
		    enum_name(ENUM_OP, bad->ret_op), (unsigned long long)bad->token,
		    compat, fmt_errno(bad->ret));
	if (more)
		say(to, ", and %zu more file%s", more, more == 1 ? "" : "s");
}

#define OR_LOST	"or it is given up at the next live update"

static void explain_unfinished(struct sentence *to, const struct audit *a,
			       const struct inv_session *s)
{
	char age[FMT_LEN];

	if (!s->finish_ret) {
		say_owner(to, s);
		say(to, " has held it for %s without FINISH; see what it waits for",
		    fmt_age(age, a->now - s->opened_ns));
		return;
	}
	say(to, "FINISH failed with %s", fmt_errno(s->finish_ret));
	if (s->failed) {
		say(to, ": ");
		say_file(to, a, s, false);
	}
	say(to, "; %sfinish it when the handler can, " OR_LOST,
	    s->open ? "" : "claim it again by its name and ");
}

static void explain_dropped(struct sentence *to, const struct audit *a,
			    const struct inv_session *s)
{
	char age[FMT_LEN];

	say_owner(to, s);
	say(to, " had it last, and it was closed without FINISH %s ago",
	    fmt_age(age, a->now - s->closed_ns));
	if (s->retrieved < s->files)
		say(to, ", %llu of its %llu file%s %s not retrieved",
		    (unsigned long long)(s->files - s->retrieved),
		    (unsigned long long)s->files, fmt_s(s->files),
		    s->files - s->retrieved == 1 ? "was" : "were");
	say(to, "; claim it again by its name and finish it, " OR_LOST);
}

void audit_explain(const struct audit *a, const struct inv_session *s, char *buf)
{
	struct sentence to = { .buf = buf };
	char name[NAME_BUF], age[FMT_LEN];
	enum audit_class class = audit_class(a, s);

	*buf = '\0';
	say(&to, "%s session %s: ", class_names[class],
	    fmt_name(name, sizeof(name), s->name));
	switch (class) {
	case AUDIT_UNCLAIMED:
		say(&to, "not claimed");
		if (s->born_ns)
			say(&to, " in the %s since this kernel read it",
			    fmt_age(age, a->now - s->born_ns));
		say(&to, "; claim it by its name and finish it, " OR_LOST);
		break;
	case AUDIT_DROPPED:
		explain_dropped(&to, a, s);
		break;
	case AUDIT_UNFINISHED:
		explain_unfinished(&to, a, s);
		break;
	case AUDIT_FAILED:
		say_file(&to, a, s, false);
		say(&to, ", and will again; %sfinish the session to let go of it",
		    s->open ? "" : "claim and ");
		break;
	case AUDIT_NO_HANDLER:
		say_file(&to, a, s, true);
		say(&to, "; load its module, then retrieve it; a FINISH without it leaves its memory out of use until the next live update");
		break;
	default:
		break;
	}
}

void audit_explain_unread(char *buf)
{
	struct sentence to = { .buf = buf };

	*buf = '\0';
	say(&to, "unclaimed sessions: this LUO reads what the previous kernel left when /dev/liveupdate is first opened, which has not happened; the sessions are not known; start their agent, " OR_LOST);
}

void audit_explain_rejected(const struct liveupdate_recorder_refused *refused,
			    char *buf)
{
	struct sentence to = { .buf = buf };
	char name[NAME_BUF];

	*buf = '\0';
	say(&to, "refused %s", fmt_name(name, sizeof(name), refused->what));
	if (*refused->name)
		say(&to, " %s%s", strcmp(refused->what, "file") ? "" :
							    "of session ",
		    fmt_name(name, sizeof(name), refused->name));
	if (!strcmp(refused->what, "file"))
		say(&to, " token %llu", (unsigned long long)refused->token);
	if (!strcmp(refused->reason, "no-subsystem"))
		say(&to, ": it is not registered in this kernel; load its module, or what was handed over to it is freed at the next live update");
	else
		say(&to, ": %s; its memory is out of use until the next live update",
		    fmt_name(name, sizeof(name), refused->reason));
}

void audit_explain_given_up(const struct liveupdate_recorder_part *out, char *buf)
{
	struct sentence to = { .buf = buf };
	const char *sep = ": ";
	char name[NAME_BUF];
	unsigned int i;

	*buf = '\0';
	say(&to, "given-up sessions: %llu handed over to kernel %s were not finished when it was replaced and are lost",
	    (unsigned long long)recorder_given_up(out),
	    fmt_name(name, sizeof(name), out->release));
	for (i = 0; i < LIVEUPDATE_RECORDER_GIVEN_UP && i < out->given_up; i++) {
		if (!strcmp(out->given_up_names[i], BLACK_BOX_SESSION))
			continue;
		say(&to, "%s%s", sep,
		    fmt_name(name, sizeof(name), out->given_up_names[i]));
		sep = ", ";
	}
	say(&to, "%s; audit before the next live update",
	    out->given_up > LIVEUPDATE_RECORDER_GIVEN_UP ? ", ..." : "");
}
