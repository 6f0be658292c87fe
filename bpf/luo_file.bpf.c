// SPDX-License-Identifier: GPL-2.0

/*
 * The program on the iterator luo_file: a line of text or a record for each file.
 *
 *	bpftool iter pin luo_file.bpf.o /sys/fs/bpf/luo_file
 */

#include "iter.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Only files without a handler, or whose last operation failed. */
const volatile _Bool only_bad;

struct luo_file_info {
	__u64 session_id;
	char session[INV_NAME_LEN];
	char compatible[INV_COMPAT_LEN];
	__u64 token;
	__u64 pages;
	__u32 dir;
	__u32 state;
	__u32 handler;
	__s32 ret;
	__u32 ret_op;
} CO_RE;

struct bpf_iter__luo_file {
	struct bpf_iter_meta *meta;
	struct luo_file_info *file;
} CO_RE;

static const char states[8][WORD] = {
	"none", "preserved", "prepared", "frozen", "incoming", "retrieved",
	"finished", "failed",
};

static const char ops[16][WORD] = {
	"can_preserve", "preserve", "unpreserve", "prepare", "cancel", "freeze",
	"unfreeze", "retrieve", "can_finish", "finish", "boot",
};

static void print(struct seq_file *seq, struct luo_file_info *from,
		  struct inv_file *f)
{
	char session[INV_NAME_LEN] = {};

	bpf_core_read_str(session, sizeof(session), &from->session);
	printable(session, sizeof(session));
	printable(f->compatible, sizeof(f->compatible));
	BPF_SEQ_PRINTF(seq, "session=%s dir=%s token=%llu compatible=%s state=%s handler=%u",
		       session, f->dir ? "in" : "out", f->token, f->compatible,
		       states[f->state % 8], f->handler);
	if (f->pages == INV_UNKNOWN)
		BPF_SEQ_PRINTF(seq, " pages=-");
	else
		BPF_SEQ_PRINTF(seq, " pages=%llu", f->pages);
	BPF_SEQ_PRINTF(seq, " ret=%d", f->ret);
	if (f->ret)
		BPF_SEQ_PRINTF(seq, " op=%s", ops[f->ret_op % 16]);
	BPF_SEQ_PRINTF(seq, "\n");
}

SEC("iter/luo_file")
int dump_file(struct bpf_iter__luo_file *ctx)
{
	struct luo_file_info *from = ctx->file;
	struct inv_file f = {};

	if (!from || (only_dir != ~0U && from->dir != only_dir) ||
	    (only_bad && from->handler && !from->ret))
		return 0;

	f.session_id = from->session_id;
	f.token = from->token;
	f.pages = from->pages;
	f.dir = from->dir;
	f.state = from->state;
	f.handler = from->handler;
	f.ret = from->ret;
	f.ret_op = from->ret_op;
	bpf_core_read_str(f.compatible, sizeof(f.compatible), &from->compatible);
	if (binary)
		bpf_seq_write(ctx->meta->seq, &f, sizeof(f));
	else
		print(ctx->meta->seq, from, &f);
	return 0;
}
