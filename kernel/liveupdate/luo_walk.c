// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Inspection
 *
 * An auditor must see what there is at any time, also what happened before it
 * looked, and must stop nobody by looking. The lock of a session set, which no
 * handler is called under, is held while a walk moves on to the next session and
 * copies it. Files are found by a number that grows and read under RCU without the
 * lock of their session, so that a handler that hangs in a call does not hang who
 * wants to know it.
 *
 * What is shown of one file or session may therefore be of two moments that are
 * very near to each other.
 *
 * /sys/kernel/debug/liveupdate/sessions shows it as text, luo_iter.c gives it to
 * BPF programs.
 */

#include <linux/debugfs.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "luo_file.h"
#include "luo_walk.h"

static const enum luo_dir luo_walk_dirs[] = { LUO_DIR_IN, LUO_DIR_OUT };

/*
 * Who had a session last. If it is open and that process is no more, somebody else has
 * it who has not used it yet.
 */
static void luo_owner_copy(const struct luo_session *session,
			   struct luo_session_info *info)
{
	struct task_struct *task;

	guard(rcu)();
	guard(spinlock)(&luo_owner_lock);

	task = pid_task(session->owner, PIDTYPE_TGID);
	if (task && !atomic_read(&task->signal->live))
		task = NULL;
	if (!session->owner || (info->open && !task))
		return;

	info->owner = pid_nr(session->owner);
	if (task)
		get_task_comm(info->comm, task);
	else
		strscpy(info->comm, session->comm);
}

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
		.finish_ret = READ_ONCE(session->finish_ret),
	};
	strscpy(info->name, session->name);
	luo_owner_copy(session, info);
}

/* The session behind the one where the walk is, which may be gone from its set. */
static struct luo_session *luo_walk_find(const struct luo_walk *walk,
					 struct luo_session_set *set)
{
	struct luo_session *at = walk->session;
	struct luo_session *session;

	if (!at)
		return list_first_entry_or_null(&set->list, struct luo_session,
						list);
	if (at->listed)
		return list_is_last(&at->list, &set->list) ? NULL :
		       list_next_entry(at, list);
	list_for_each_entry(session, &set->list, list) {
		if (session->id > at->id)
			return session;
	}
	return NULL;
}

static void luo_walk_move(struct luo_walk *walk, struct luo_session *to)
{
	if (to)
		refcount_inc(&to->refs);
	if (walk->session)
		luo_session_put(walk->session);
	walk->session = to;
	walk->behind = false;
	walk->file = 0;
}

/**
 * luo_walk_session - the session where a walk is, or the next one
 * @walk: where it is; moved on to the session that is found
 * @info: filled, unless it is NULL
 *
 * Context: may sleep, takes the lock of a session set for a moment.
 * Return: false if there is none left.
 */
bool luo_walk_session(struct luo_walk *walk, struct luo_session_info *info)
{
	struct luo_session_set *set;

	for (; walk->set < ARRAY_SIZE(luo_walk_dirs); walk->set++) {
		set = &luo_sessions[luo_walk_dirs[walk->set]];
		guard(mutex)(&set->lock);
		if (!walk->session || walk->behind || !walk->session->listed)
			luo_walk_move(walk, luo_walk_find(walk, set));
		if (!walk->session)
			continue;
		if (info)
			luo_session_copy(walk->session, info);
		return true;
	}
	return false;
}

/**
 * luo_walk_next_session - move a walk behind the session where it is
 * @walk: the walk
 */
void luo_walk_next_session(struct luo_walk *walk)
{
	walk->behind = true;
}

/**
 * luo_walk_end - let go of what a walk holds, so that it can begin anew
 * @walk: the walk, wherever it is
 */
void luo_walk_end(struct luo_walk *walk)
{
	luo_walk_move(walk, NULL);
	walk->set = 0;
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

/**
 * luo_walk_file_of - the file where a walk is, or the next one of its session
 * @walk: where it is, at a session; moved on to the file that is found
 * @info: filled
 *
 * Context: any that may take RCU; takes no lock.
 * Return: false if the session has none left.
 */
bool luo_walk_file_of(struct luo_walk *walk, struct luo_file_info *info)
{
	struct luo_file *f;

	guard(rcu)();

	f = xa_find(&walk->session->files.by_seq, &walk->file, ULONG_MAX,
		    XA_PRESENT);
	if (!f)
		return false;
	luo_file_copy(f, walk->session, info);
	return true;
}

/**
 * luo_walk_file - the file where a walk is, or the next one of all sessions
 * @walk: where it is; moved on to the file that is found
 * @info: filled
 *
 * Context: may sleep, takes the lock of a session set for a moment.
 * Return: false if there is none left.
 */
bool luo_walk_file(struct luo_walk *walk, struct luo_file_info *info)
{
	while (luo_walk_session(walk, NULL)) {
		if (luo_walk_file_of(walk, info))
			return true;
		luo_walk_next_session(walk);
		cond_resched();
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

static void *luo_debugfs_show_here(struct luo_show *show)
{
	if (show->in_file) {
		if (luo_walk_file_of(&show->walk, &show->file))
			return show;
		show->in_file = false;
		luo_walk_next_session(&show->walk);
	}
	return luo_walk_session(&show->walk, &show->session) ? show : NULL;
}

static void *luo_debugfs_start(struct seq_file *m, loff_t *pos)
{
	struct luo_show *show = m->private;

	if (!*pos) {
		luo_walk_end(&show->walk);
		show->in_file = false;
	}
	return luo_debugfs_show_here(show);
}

static void *luo_debugfs_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct luo_show *show = v;

	++*pos;
	if (show->in_file)
		show->walk.file++;
	show->in_file = true;
	return luo_debugfs_show_here(show);
}

static void luo_debugfs_stop(struct seq_file *m, void *v)
{
}

static void luo_debugfs_show_pages(struct seq_file *m, u64 pages)
{
	if (pages == LUO_PAGES_UNKNOWN)
		seq_puts(m, " pages=-");
	else
		seq_printf(m, " pages=%llu", pages);
}

static void luo_debugfs_show_name(struct seq_file *m, const char *key, const char *name)
{
	/* Each byte may take four. */
	char shown[4 * LIVEUPDATE_SESSION_NAME_LENGTH];

	luo_trace_name(shown, name);
	seq_printf(m, "%s=%s", key, shown);
}

static void luo_debugfs_show_session(struct seq_file *m, const struct luo_session_info *s)
{
	luo_debugfs_show_name(m, "session", s->name);
	seq_printf(m, " dir=%s state=%s files=%llu retrieved=%llu failed=%llu orphans=%llu",
		   luo_dir_words[s->dir], luo_state_words[s->state], s->files,
		   s->retrieved, s->failed, s->orphans);
	luo_debugfs_show_pages(m, s->pages);
	seq_printf(m, " born_ns=%llu opened_ns=%llu closed_ns=%llu claims=%u open=%u owner=%d",
		   s->born_ns, s->opened_ns, s->closed_ns, s->claims, s->open,
		   s->owner);
	luo_debugfs_show_name(m, " comm", s->comm);
	seq_printf(m, " finish_ret=%d\n", s->finish_ret);
}

static void luo_debugfs_show_file(struct seq_file *m, const struct luo_file_info *f)
{
	seq_printf(m, "  token=%llu", f->token);
	luo_debugfs_show_name(m, " compatible", f->compatible);
	seq_printf(m, " state=%s handler=%u", luo_file_state_words[f->state],
		   f->handler);
	luo_debugfs_show_pages(m, f->pages);
	seq_printf(m, " ret=%d", f->ret);
	if (f->ret)
		seq_printf(m, " op=%s", luo_op_words[f->ret_op]);
	seq_putc(m, '\n');
}

static int luo_debugfs_show(struct seq_file *m, void *v)
{
	struct luo_show *show = v;

	if (show->in_file)
		luo_debugfs_show_file(m, &show->file);
	else
		luo_debugfs_show_session(m, &show->session);
	return 0;
}

static const struct seq_operations luo_show_ops = {
	.start	= luo_debugfs_start,
	.next	= luo_debugfs_next,
	.stop	= luo_debugfs_stop,
	.show	= luo_debugfs_show,
};

static int luo_debugfs_open(struct inode *inode, struct file *file)
{
	return seq_open_private(file, &luo_show_ops, sizeof(struct luo_show));
}

static int luo_debugfs_release(struct inode *inode, struct file *file)
{
	struct luo_show *show = ((struct seq_file *)file->private_data)->private;

	luo_walk_end(&show->walk);
	return seq_release_private(inode, file);
}

static const struct file_operations luo_show_fops = {
	.owner	 = THIS_MODULE,
	.open	 = luo_debugfs_open,
	.read	 = seq_read,
	.llseek	 = seq_lseek,
	.release = luo_debugfs_release,
};

/**
 * luo_debugfs_init - offer what there is as text
 *
 * Context: once, at boot. Without debugfs it does nothing.
 */
void luo_debugfs_init(void)
{
	debugfs_create_file("sessions", 0400,
			    debugfs_create_dir("liveupdate", NULL), NULL,
			    &luo_show_fops);
}
