// SPDX-License-Identifier: GPL-2.0

/*
 * /sys/kernel/debug/liveupdate/sessions: one line for each session and for each of
 * its files
 */

#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "luo_debugfs.h"
#include "luo_trace.h"
#include "luo_walk.h"

/* The words of the trace events, generated from their lists */
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
 * struct luo_debugfs_iter - state of an open file
 * @walk:    position
 * @in_file: true if the position is a file, false if it is a session
 * @session: the session
 * @file:    the file
 */
struct luo_debugfs_iter {
	struct luo_walk walk;
	bool in_file;
	struct luo_session_info session;
	struct luo_file_info file;
};

static void *luo_debugfs_current(struct luo_debugfs_iter *it)
{
	if (it->in_file) {
		if (luo_walk_file_of(&it->walk, &it->file))
			return it;
		it->in_file = false;
		luo_walk_next_session(&it->walk);
	}
	return luo_walk_session(&it->walk, &it->session) ? it : NULL;
}

static void *luo_debugfs_start(struct seq_file *m, loff_t *pos)
{
	struct luo_debugfs_iter *it = m->private;

	if (!*pos) {
		luo_walk_end(&it->walk);
		it->in_file = false;
	}
	return luo_debugfs_current(it);
}

static void *luo_debugfs_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct luo_debugfs_iter *it = v;

	++*pos;
	if (it->in_file)
		it->walk.file++;
	it->in_file = true;
	return luo_debugfs_current(it);
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
	/* An escaped byte takes up to four. */
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
	struct luo_debugfs_iter *it = v;

	if (it->in_file)
		luo_debugfs_show_file(m, &it->file);
	else
		luo_debugfs_show_session(m, &it->session);
	return 0;
}

static const struct seq_operations luo_debugfs_seq_ops = {
	.start	= luo_debugfs_start,
	.next	= luo_debugfs_next,
	.stop	= luo_debugfs_stop,
	.show	= luo_debugfs_show,
};

static int luo_debugfs_open(struct inode *inode, struct file *file)
{
	return seq_open_private(file, &luo_debugfs_seq_ops,
				sizeof(struct luo_debugfs_iter));
}

static int luo_debugfs_release(struct inode *inode, struct file *file)
{
	struct luo_debugfs_iter *it = ((struct seq_file *)file->private_data)->private;

	luo_walk_end(&it->walk);
	return seq_release_private(inode, file);
}

static const struct file_operations luo_debugfs_fops = {
	.owner	 = THIS_MODULE,
	.open	 = luo_debugfs_open,
	.read	 = seq_read,
	.llseek	 = seq_lseek,
	.release = luo_debugfs_release,
};

/**
 * luo_debugfs_init - create the sessions file in debugfs
 *
 * Context: once, at boot. Does nothing without debugfs.
 */
void luo_debugfs_init(void)
{
	debugfs_create_file("sessions", 0400,
			    debugfs_create_dir("liveupdate", NULL), NULL,
			    &luo_debugfs_fops);
}
