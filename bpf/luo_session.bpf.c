// SPDX-License-Identifier: GPL-2.0

/*
 * The program on the iterator luo_session: a line of text or a record for each session.
 *
 *	bpftool iter pin luo_session.bpf.o /sys/fs/bpf/luo_session
 */

#include "iter.bpf.h"

char LICENSE[] SEC("license") = "GPL";

struct luo_session_info {
	__u64 id;
	char name[INV_NAME_LEN];
	__u32 dir;
	__u32 state;
	__u64 files;
	__u64 retrieved;
	__u64 failed;
	__u64 orphans;
	__u64 pages;
	__u64 born_ns;
	__u64 opened_ns;
	__u64 closed_ns;
	__u32 claims;
	__u32 open;
	__s32 owner;
	__s32 finish_ret;
	char comm[INV_COMM_LEN];
} CO_RE;

struct bpf_iter__luo_session {
	struct bpf_iter_meta *meta;
	struct luo_session_info *session;
} CO_RE;

static const char states[4][WORD] = { "normal", "prepared", "frozen", "updated" };

static void print(struct seq_file *seq, struct inv_session *s)
{
	printable(s->name, sizeof(s->name));
	printable(s->comm, sizeof(s->comm));
	BPF_SEQ_PRINTF(seq, "session=%s dir=%s state=%s files=%llu retrieved=%llu failed=%llu orphans=%llu",
		       s->name, s->dir ? "in" : "out", states[s->state % 4],
		       s->files, s->retrieved, s->failed, s->orphans);
	if (s->pages == INV_UNKNOWN)
		BPF_SEQ_PRINTF(seq, " pages=-");
	else
		BPF_SEQ_PRINTF(seq, " pages=%llu", s->pages);
	BPF_SEQ_PRINTF(seq, " born_ns=%llu opened_ns=%llu closed_ns=%llu claims=%u open=%u owner=%d comm=%s finish_ret=%d\n",
		       s->born_ns, s->opened_ns, s->closed_ns, s->claims, s->open,
		       s->owner, s->comm, s->finish_ret);
}

SEC("iter/luo_session")
int dump_session(struct bpf_iter__luo_session *ctx)
{
	struct luo_session_info *from = ctx->session;
	struct inv_session s = {};

	if (!from || (only_dir != ~0U && from->dir != only_dir))
		return 0;

	s.id = from->id;
	s.files = from->files;
	s.retrieved = from->retrieved;
	s.failed = from->failed;
	s.orphans = from->orphans;
	s.pages = from->pages;
	s.born_ns = from->born_ns;
	s.opened_ns = from->opened_ns;
	s.closed_ns = from->closed_ns;
	s.dir = from->dir;
	s.state = from->state;
	s.claims = from->claims;
	s.open = from->open;
	s.owner = from->owner;
	s.finish_ret = from->finish_ret;
	bpf_core_read_str(s.comm, sizeof(s.comm), &from->comm);
	bpf_core_read_str(s.name, sizeof(s.name), &from->name);
	if (binary)
		bpf_seq_write(ctx->meta->seq, &s, sizeof(s));
	else
		print(ctx->meta->seq, &s);
	return 0;
}
