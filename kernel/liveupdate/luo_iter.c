// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: BPF iterators
 *
 * ``luo_session`` and ``luo_file`` call a BPF program for each session or each file of
 * all sessions, incoming ones first, and once more with NULL at the end. The program
 * receives a copy, so that it cannot block anyone, however long it takes.
 */

#define pr_fmt(fmt) "luo: " fmt

#include <linux/bpf.h>
#include <linux/btf_ids.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/printk.h>
#include <linux/seq_file.h>

#include "luo_walk.h"

/**
 * struct luo_iter - state of an open iterator
 * @walk:    position
 * @session: the session, for luo_session
 * @file:    the file, for luo_file
 */
struct luo_iter {
	struct luo_walk walk;
	union {
		struct luo_session_info session;
		struct luo_file_info file;
	};
};

struct bpf_iter__luo_session {
	__bpf_md_ptr(struct bpf_iter_meta *, meta);
	__bpf_md_ptr(struct luo_session_info *, session);
};

struct bpf_iter__luo_file {
	__bpf_md_ptr(struct bpf_iter_meta *, meta);
	__bpf_md_ptr(struct luo_file_info *, file);
};

/* A further read continues at the position of the walk, whatever @pos is. */
static void *luo_iter_session_start(struct seq_file *seq, loff_t *pos)
{
	struct luo_iter *it = seq->private;

	return luo_walk_session(&it->walk, &it->session) ? it : NULL;
}

static void *luo_iter_session_next(struct seq_file *seq, void *v, loff_t *pos)
{
	struct luo_iter *it = v;

	++*pos;
	luo_walk_next_session(&it->walk);
	return luo_walk_session(&it->walk, &it->session) ? it : NULL;
}

static void *luo_iter_file_start(struct seq_file *seq, loff_t *pos)
{
	struct luo_iter *it = seq->private;

	return luo_walk_file(&it->walk, &it->file) ? it : NULL;
}

static void *luo_iter_file_next(struct seq_file *seq, void *v, loff_t *pos)
{
	struct luo_iter *it = v;

	++*pos;
	it->walk.file++;
	return luo_walk_file(&it->walk, &it->file) ? it : NULL;
}

static int luo_iter_session_run(struct seq_file *seq, struct luo_iter *it,
				bool in_stop)
{
	struct bpf_iter_meta meta = { .seq = seq };
	struct bpf_iter__luo_session ctx = {
		.meta = &meta,
		.session = it ? &it->session : NULL,
	};
	struct bpf_prog *prog = bpf_iter_get_info(&meta, in_stop);

	return prog ? bpf_iter_run_prog(prog, &ctx) : 0;
}

static int luo_iter_file_run(struct seq_file *seq, struct luo_iter *it,
			     bool in_stop)
{
	struct bpf_iter_meta meta = { .seq = seq };
	struct bpf_iter__luo_file ctx = {
		.meta = &meta,
		.file = it ? &it->file : NULL,
	};
	struct bpf_prog *prog = bpf_iter_get_info(&meta, in_stop);

	return prog ? bpf_iter_run_prog(prog, &ctx) : 0;
}

static int luo_iter_session_show(struct seq_file *seq, void *v)
{
	return luo_iter_session_run(seq, v, false);
}

static void luo_iter_session_stop(struct seq_file *seq, void *v)
{
	if (!v)
		luo_iter_session_run(seq, NULL, true);
}

static int luo_iter_file_show(struct seq_file *seq, void *v)
{
	return luo_iter_file_run(seq, v, false);
}

static void luo_iter_file_stop(struct seq_file *seq, void *v)
{
	if (!v)
		luo_iter_file_run(seq, NULL, true);
}

static const struct seq_operations luo_iter_session_ops = {
	.start	= luo_iter_session_start,
	.next	= luo_iter_session_next,
	.stop	= luo_iter_session_stop,
	.show	= luo_iter_session_show,
};

static const struct seq_operations luo_iter_file_ops = {
	.start	= luo_iter_file_start,
	.next	= luo_iter_file_next,
	.stop	= luo_iter_file_stop,
	.show	= luo_iter_file_show,
};

static void luo_iter_end(void *private)
{
	struct luo_iter *it = private;

	luo_walk_end(&it->walk);
}

static const struct bpf_iter_seq_info luo_iter_session_info = {
	.seq_ops		= &luo_iter_session_ops,
	.fini_seq_private	= luo_iter_end,
	.seq_priv_size		= sizeof(struct luo_iter),
};

static const struct bpf_iter_seq_info luo_iter_file_info = {
	.seq_ops		= &luo_iter_file_ops,
	.fini_seq_private	= luo_iter_end,
	.seq_priv_size		= sizeof(struct luo_iter),
};

static struct bpf_iter_reg luo_iter_session_reg = {
	.target			= "luo_session",
	.feature		= BPF_ITER_RESCHED,
	.ctx_arg_info_size	= 1,
	.ctx_arg_info		= {
		{ offsetof(struct bpf_iter__luo_session, session),
		  PTR_TO_BTF_ID_OR_NULL | PTR_TRUSTED },
	},
	.seq_info		= &luo_iter_session_info,
};

static struct bpf_iter_reg luo_iter_file_reg = {
	.target			= "luo_file",
	.feature		= BPF_ITER_RESCHED,
	.ctx_arg_info_size	= 1,
	.ctx_arg_info		= {
		{ offsetof(struct bpf_iter__luo_file, file),
		  PTR_TO_BTF_ID_OR_NULL | PTR_TRUSTED },
	},
	.seq_info		= &luo_iter_file_info,
};

DEFINE_BPF_ITER_FUNC(luo_session, struct bpf_iter_meta *meta,
		     struct luo_session_info *session)
DEFINE_BPF_ITER_FUNC(luo_file, struct bpf_iter_meta *meta,
		     struct luo_file_info *file)

BTF_ID_LIST(luo_iter_btf_ids)
BTF_ID(struct, luo_session_info)
BTF_ID(struct, luo_file_info)

static int __init luo_iter_init(void)
{
	int err;

	if (!liveupdate_enabled())
		return 0;

	luo_iter_session_reg.ctx_arg_info[0].btf_id = luo_iter_btf_ids[0];
	luo_iter_file_reg.ctx_arg_info[0].btf_id = luo_iter_btf_ids[1];
	err = bpf_iter_reg_target(&luo_iter_session_reg);
	err = err ?: bpf_iter_reg_target(&luo_iter_file_reg);
	if (err)
		pr_warn("BPF programs cannot walk sessions and files: %pe\n", ERR_PTR(err));
	return err;
}
late_initcall(luo_iter_init);
