// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Inspection
 *
 * An auditor must see what there is at any time, also what happened before it
 * looked, and must stop nobody by looking. A walk goes by numbers that grow: it
 * asks for the first session, or the first file of a session, from a number on,
 * copies what is shown, and lets go. The lock of a session set is held while one
 * session is copied; files are read under RCU without any lock, so that a handler
 * that hangs in a call does not hang who wants to know it.
 *
 * What is shown of one file or session may therefore be of two moments that are
 * very near to each other.
 *
 * /sys/kernel/debug/liveupdate/sessions shows it as text, luo_iter.c gives it to
 * BPF programs.
 */

#include <linux/debugfs.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "luo_file.h"
#include "luo_inspect.h"

static const enum luo_dir luo_walk_dirs[] = { LUO_DIR_IN, LUO_DIR_OUT };

static void luo_session_copy(const struct luo_session *session,
			     struct luo_session_info *info)
{
	const struct luo_file_set *files = &session->files;

	*info = (struct luo_session_info){
		.id = session->id,
		.dir = files->dir,
		.state = READ_ONCE(session->state),
		.files = READ_ONCE(files->count),
		.retrieved = READ_ONCE(files->retrieved),
		.failed = READ_ONCE(files->failed),
		.orphans = READ_ONCE(files->orphans),
		.pages = READ_ONCE(files->pages),
		.born_ns = session->born,
		.opened_ns = session->opened,
		.closed_ns = session->closed,
		.claims = session->claims,
		.open = files->dir == LUO_DIR_OUT || session->claimed,
		.owner = session->owner,
		.finish_ret = READ_ONCE(session->finish_ret),
	};
	strscpy(info->name, session->name);
	strscpy(info->comm, session->comm);
}

/**
 * luo_walk_session - the session where a walk is, or the next one
 * @walk: where it is; moved on to the session that is found
 * @info: filled
 *
 * Context: takes the lock of a session set for a moment.
 * Return: false if there is none left.
 */
bool luo_walk_session(struct luo_walk *walk, struct luo_session_info *info)
{
	struct luo_session_set *set;
	struct luo_session *session;

	for (; walk->set < ARRAY_SIZE(luo_walk_dirs); walk->set++) {
		set = &luo_sessions[luo_walk_dirs[walk->set]];
		scoped_guard(mutex, &set->lock) {
			session = xa_find(&set->by_id, &walk->session,
					  ULONG_MAX, XA_PRESENT);
			if (session) {
				luo_session_copy(session, info);
				return true;
			}
		}
		walk->session = 0;
		walk->file = 0;
	}
	return false;
}

static void luo_file_copy(const struct luo_file *f,
			  const struct luo_session *session,
			  struct luo_file_info *info)
{
	const struct liveupdate_file_handler *fh = READ_ONCE(f->fh);
	enum luo_file_state state = READ_ONCE(f->state);

	*info = (struct luo_file_info){
		.session_id = session->id,
		.token = f->token.token,
		.pages = READ_ONCE(f->pages),
		.dir = session->files.dir,
		.state = state,
		.handler = fh ? 1 : 0,
		.ret = READ_ONCE(f->ret),
		.ret_op = READ_ONCE(f->ret_op),
	};
	if (info->dir == LUO_DIR_IN && state != LUO_FILE_RETRIEVED)
		info->pages = LUO_PAGES_UNKNOWN;
	strscpy(info->session, session->name);
	strscpy(info->compatible, fh ? fh->compatible : f->orphan);
}

/* The session where a walk is, or the next one of its set. */
static struct luo_session *luo_walk_find(struct luo_walk *walk)
{
	unsigned long at = walk->session;
	struct luo_session *session;

	session = xa_find(&luo_sessions[luo_walk_dirs[walk->set]].by_id,
			  &walk->session, ULONG_MAX, XA_PRESENT);
	if (walk->session != at)
		walk->file = 0;
	return session;
}

/**
 * luo_walk_file_of - the file where a walk is, or the next one of its session
 * @walk: where it is; moved on to the file that is found
 * @info: filled
 *
 * Context: any that may take RCU; takes no lock.
 * Return: false if the session has none left, or is gone.
 */
bool luo_walk_file_of(struct luo_walk *walk, struct luo_file_info *info)
{
	unsigned long at = walk->session;
	struct luo_session *session;
	struct luo_file *f;

	guard(rcu)();

	session = luo_walk_find(walk);
	if (!session || walk->session != at)
		return false;
	f = xa_find(&session->files.by_seq, &walk->file, ULONG_MAX, XA_PRESENT);
	if (!f)
		return false;
	luo_file_copy(f, session, info);
	return true;
}

/**
 * luo_walk_next_session - move a walk behind the session where it is
 * @walk: the walk
 */
void luo_walk_next_session(struct luo_walk *walk)
{
	walk->session++;
	walk->file = 0;
}

/**
 * luo_walk_file - the file where a walk is, or the next one of all sessions
 * @walk: where it is; moved on to the file that is found
 * @info: filled
 *
 * Context: may sleep; takes no lock.
 * Return: false if there is none left.
 */
bool luo_walk_file(struct luo_walk *walk, struct luo_file_info *info)
{
	bool more;

	for (; walk->set < ARRAY_SIZE(luo_walk_dirs); walk->set++) {
		for (;;) {
			scoped_guard(rcu)
				more = luo_walk_find(walk);
			if (!more)
				break;
			if (luo_walk_file_of(walk, info))
				return true;
			luo_walk_next_session(walk);
			cond_resched();
		}
		walk->session = 0;
		walk->file = 0;
	}
	return false;
}

/* The words of the trace events, from their lists. */
#undef EM
#undef E_
#define EM(a, b) \
	[a] = b,
#define E_(a, b) \
	[a] = b

static const char *const luo_dir_words[] = { LUO_DIRS };
static const char *const luo_state_words[] = { LUO_STATES };
static const char *const luo_file_state_words[] = { LUO_FILE_STATES };
static const char *const luo_op_words[] = { LUO_OPS };

/**
 * struct luo_show - one reading of the file in debugfs
 * @walk:    where it is
 * @in_file: it is at a file, not at a session
 * @session: the session
 * @file:    the file
 */
struct luo_show {
	struct luo_walk walk;
	bool in_file;
	struct luo_session_info session;
	struct luo_file_info file;
};

static void *luo_show_here(struct luo_show *show)
{
	if (show->in_file) {
		if (luo_walk_file_of(&show->walk, &show->file))
			return show;
		show->in_file = false;
		luo_walk_next_session(&show->walk);
	}
	return luo_walk_session(&show->walk, &show->session) ? show : NULL;
}

static void *luo_show_start(struct seq_file *m, loff_t *pos)
{
	struct luo_show *show = m->private;

	if (!*pos)
		*show = (struct luo_show){};
	return luo_show_here(show);
}

static void *luo_show_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct luo_show *show = v;

	++*pos;
	if (show->in_file)
		show->walk.file++;
	show->in_file = true;
	return luo_show_here(show);
}

static void luo_show_stop(struct seq_file *m, void *v)
{
}

static void luo_show_pages(struct seq_file *m, u64 pages)
{
	if (pages == LUO_PAGES_UNKNOWN)
		seq_puts(m, " pages=-");
	else
		seq_printf(m, " pages=%llu", pages);
}

static void luo_show_name(struct seq_file *m, const char *key, const char *name)
{
	/* Each byte may take four. */
	char shown[4 * LIVEUPDATE_SESSION_NAME_LENGTH];

	luo_trace_name(shown, name);
	seq_printf(m, "%s=%s", key, shown);
}

static void luo_show_session(struct seq_file *m, const struct luo_session_info *s)
{
	luo_show_name(m, "session", s->name);
	seq_printf(m, " dir=%s state=%s files=%llu retrieved=%llu failed=%llu orphans=%llu",
		   luo_dir_words[s->dir], luo_state_words[s->state], s->files,
		   s->retrieved, s->failed, s->orphans);
	luo_show_pages(m, s->pages);
	seq_printf(m, " born_ns=%llu opened_ns=%llu closed_ns=%llu claims=%u open=%u owner=%d",
		   s->born_ns, s->opened_ns, s->closed_ns, s->claims, s->open,
		   s->owner);
	luo_show_name(m, " comm", s->comm);
	seq_printf(m, " finish_ret=%d\n", s->finish_ret);
}

static void luo_show_file(struct seq_file *m, const struct luo_file_info *f)
{
	seq_printf(m, "  token=%llu", f->token);
	luo_show_name(m, " compatible", f->compatible);
	seq_printf(m, " state=%s handler=%u", luo_file_state_words[f->state],
		   f->handler);
	luo_show_pages(m, f->pages);
	seq_printf(m, " ret=%d", f->ret);
	if (f->ret)
		seq_printf(m, " op=%s", luo_op_words[f->ret_op]);
	seq_putc(m, '\n');
}

static int luo_show(struct seq_file *m, void *v)
{
	struct luo_show *show = v;

	if (show->in_file)
		luo_show_file(m, &show->file);
	else
		luo_show_session(m, &show->session);
	return 0;
}

static const struct seq_operations luo_show_ops = {
	.start	= luo_show_start,
	.next	= luo_show_next,
	.stop	= luo_show_stop,
	.show	= luo_show,
};

static int luo_show_open(struct inode *inode, struct file *file)
{
	return seq_open_private(file, &luo_show_ops, sizeof(struct luo_show));
}

static const struct file_operations luo_show_fops = {
	.owner	 = THIS_MODULE,
	.open	 = luo_show_open,
	.read	 = seq_read,
	.llseek	 = seq_lseek,
	.release = seq_release_private,
};

/**
 * luo_inspect_init - offer what there is as text
 *
 * Context: once, at boot. Without debugfs it does nothing.
 */
void luo_inspect_init(void)
{
	debugfs_create_file("sessions", 0400,
			    debugfs_create_dir("liveupdate", NULL), NULL,
			    &luo_show_fops);
}
