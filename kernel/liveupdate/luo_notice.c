// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Collected messages
 *
 * An agent that dies may leave thousands of sessions, and a damaged handover may hold
 * thousands of bad records. One line for each would push everything else out of the
 * log and keep a serial console busy. Notices of the same kind are therefore collected
 * for a second and printed as one line: the first names and the total number. The
 * trace events report each of them.
 */

#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/seq_buf.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "luo_internal.h"
#include "luo_notice.h"

#define LUO_NOTICE_KINDS	16	/* kinds that are collected at a time */
#define LUO_NOTICE_NAMES	3	/* names in a line */
#define LUO_NOTICE_LINE		1000	/* in bytes, less than a record of the log */

/**
 * struct luo_notice_name - subject of a notice
 * @name:  name of a session or of another object; may be empty
 * @token: token of a file
 * @file:  true for a file
 */
struct luo_notice_name {
	char name[LIVEUPDATE_SESSION_NAME_LENGTH];
	u64 token;
	bool file;
};

/**
 * struct luo_notice_kind - notices of the same kind
 * @text:   what happened; identifies the kind together with @what and @reason
 * @what:   what it happened to
 * @reason: a word for the reason, or NULL
 * @count:  number of notices
 * @first:  subjects of the first of them
 */
struct luo_notice_kind {
	const char *text;
	const char *what;
	const char *reason;
	u64 count;
	struct luo_notice_name first[LUO_NOTICE_NAMES];
};

static DEFINE_SPINLOCK(luo_notice_lock); /* protects what is collected */
static struct luo_notice_kind luo_notices[LUO_NOTICE_KINDS];
static unsigned int luo_nr_notices;
static u64 luo_notices_lost; /* notices for which no kind was free */
static bool luo_notice_started;

static void luo_notice_work_fn(struct work_struct *work)
{
	luo_notice_flush();
}

static DECLARE_DELAYED_WORK(luo_notice_work, luo_notice_work_fn);

static struct luo_notice_kind *
luo_notice_find(const char *text, const char *what, const char *reason)
{
	struct luo_notice_kind *n;

	for (n = luo_notices; n < luo_notices + luo_nr_notices; n++) {
		if (!strcmp(n->text, text) && !strcmp(n->what, what) &&
		    !strcmp(n->reason ?: "", reason ?: ""))
			return n;
	}
	if (luo_nr_notices == LUO_NOTICE_KINDS)
		return NULL;

	luo_nr_notices++;
	*n = (struct luo_notice_kind){
		.text = text, .what = what, .reason = reason,
	};
	return n;
}

/**
 * luo_notice - report an event that can occur in large numbers
 * @text:   what happened, such as "rejected"; not copied
 * @what:   what it happened to, such as "session"; not copied
 * @reason: a word for the reason, or NULL; not copied
 * @name:   name of the object or of its session; may be empty
 * @token:  token of the file, NULL for anything else
 *
 * Context: any that may take a spinlock, except interrupts.
 */
void luo_notice(const char *text, const char *what, const char *reason,
		const char *name, const u64 *token)
{
	struct luo_notice_name *one;
	struct luo_notice_kind *n;

	scoped_guard(spinlock, &luo_notice_lock) {
		n = luo_notice_find(text, what, reason);
		if (!n) {
			luo_notices_lost++;
		} else if (n->count++ < LUO_NOTICE_NAMES) {
			one = &n->first[n->count - 1];
			strscpy(one->name, name);
			one->token = token ? *token : 0;
			one->file = token;
		}
	}
	/* During boot, luo_notice_start() prints all of them at the end. */
	if (READ_ONCE(luo_notice_started))
		schedule_delayed_work(&luo_notice_work, HZ);
}

static bool luo_notice_dequeue(struct luo_notice_kind *to)
{
	guard(spinlock)(&luo_notice_lock);

	if (!luo_nr_notices)
		return false;

	*to = luo_notices[0];
	luo_nr_notices--;
	memmove(&luo_notices[0], &luo_notices[1],
		luo_nr_notices * sizeof(luo_notices[0]));
	return true;
}

static void luo_notice_print(const struct luo_notice_kind *n)
{
	static char line[LUO_NOTICE_LINE]; /* under the mutex of luo_notice_flush() */
	const struct luo_notice_name *one;
	const char *sep = ": ";
	struct seq_buf s;
	u64 i;

	seq_buf_init(&s, line, sizeof(line));
	seq_buf_printf(&s, "%s %s", n->what, n->text);
	if (n->reason)
		seq_buf_printf(&s, " (%s)", n->reason);
	for (i = 0; i < n->count && i < LUO_NOTICE_NAMES; i++) {
		one = &n->first[i];
		if (!*one->name && !one->file)
			continue;
		seq_buf_printf(&s, "%s'%*pEhp'", sep, (int)strlen(one->name),
			       one->name);
		if (one->file)
			seq_buf_printf(&s, " token %llu", one->token);
		sep = ", ";
	}
	if (n->count > LUO_NOTICE_NAMES)
		seq_buf_printf(&s, ", ... (%llu in all)", n->count);
	pr_warn("luo: %s\n", seq_buf_str(&s));
}

/**
 * luo_notice_flush - print the collected notices
 *
 * Context: may sleep.
 */
void luo_notice_flush(void)
{
	static DEFINE_MUTEX(printing); /* notice, and the line of luo_notice_print() */
	static struct luo_notice_kind notice;
	u64 lost;

	guard(mutex)(&printing);

	while (luo_notice_dequeue(&notice))
		luo_notice_print(&notice);
	scoped_guard(spinlock, &luo_notice_lock) {
		lost = luo_notices_lost;
		luo_notices_lost = 0;
	}
	if (lost)
		pr_warn("luo: %llu more notices not shown, see the trace events\n",
			lost);
}

/**
 * luo_notice_start - print the notices of boot, and later ones within a second
 *
 * Context: at the end of boot; again, if live update is turned off then.
 */
void __init luo_notice_start(void)
{
	WRITE_ONCE(luo_notice_started, true);
	luo_notice_flush();
}
