// SPDX-License-Identifier: GPL-2.0

/*
 * What there is on a kernel whose LUO has no iterators: its lists of sessions and
 * files are walked, read-only and without its locks. Every pointer is read as one that
 * may be wrong; a list that changes under the walk may end it early, which is counted.
 */

#include "types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "inventory.h"

#define CO_RE	__attribute__((preserve_access_index))

char LICENSE[] SEC("license") = "GPL";

struct list_head {
	struct list_head *next;
} CO_RE;

struct kho_block_set {
	long nblocks;
} CO_RE;

struct luo_session_header {
	struct list_head list;
	struct kho_block_set block_set;
	_Bool active;
} CO_RE;

struct luo_session_global {
	struct luo_session_header incoming;
	struct luo_session_header outgoing;
} CO_RE;

struct luo_file_set {
	struct list_head files_list;
	__u64 count;
} CO_RE;

struct luo_session {
	char name[INV_NAME_LEN];
	struct list_head list;
	_Bool retrieved;
	struct luo_file_set file_set;
} CO_RE;

struct liveupdate_file_handler {
	char compatible[INV_COMPAT_LEN];
} CO_RE;

struct luo_file {
	struct liveupdate_file_handler *fh;
	int retrieve_status;
	struct list_head list;
	__u64 token;
} CO_RE;

/* Where the lists are; it is in the kernel's table of symbols. */
extern const void luo_session_global __ksym;

#define FILE_PRESERVED	1
#define FILE_INCOMING	4
#define FILE_RETRIEVED	5
#define FILE_FAILED	7
#define OP_RETRIEVE	7
#define STATE_NORMAL	0
#define STATE_UPDATED	3
#define MAX_STEPS	(1 << 20)

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 25);
} sessions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 25);
} files SEC(".maps");

const volatile __u32 only_dir;
const volatile _Bool only_bad;

__u64 lost;	/* records for which there was no room, lists that did not end */
_Bool unread;	/* this LUO reads what came when its device is opened first */

/* A walk along a list: where it is, and what it is for. */
struct walk {
	struct list_head *at;
	struct list_head *head;
	struct inv_session session;
};

/* Of what is not the kernel's own the fields are where they are. */
static __always_inline struct list_head *next_of(struct list_head *at)
{
	return BPF_CORE_READ(at, next);
}

#define container(_ptr, _type, _member)					\
	((void *)(_ptr) - bpf_core_field_offset(_type, _member))

static long on_file(__u32 step, struct walk *w)
{
	struct luo_file *f = container(w->at, struct luo_file, list);
	struct inv_file *to;
	int status;

	if (!w->at || w->at == w->head)
		return 1;
	status = BPF_CORE_READ(f, retrieve_status);
	w->session.retrieved += status > 0;
	w->session.failed += status < 0;
	if (!only_bad || status < 0) {
		to = bpf_ringbuf_reserve(&files, sizeof(*to), 0);
		if (to) {
			__builtin_memset(to, 0, sizeof(*to));
			to->session = w->session.id;
			to->token = BPF_CORE_READ(f, token);
			to->pages = INV_UNKNOWN;
			to->dir = only_dir;
			to->state = !only_dir ? FILE_PRESERVED :
				    status > 0 ? FILE_RETRIEVED :
				    status < 0 ? FILE_FAILED : FILE_INCOMING;
			to->handler = 1;
			to->ret = status < 0 ? status : 0;
			to->op = OP_RETRIEVE;
			BPF_CORE_READ_STR_INTO(&to->compat, f, fh, compatible);
			bpf_ringbuf_submit(to, BPF_RB_NO_WAKEUP);
		} else {
			lost++;
		}
	}
	w->at = next_of(w->at);
	return 0;
}

static long on_session(__u32 step, struct walk *all)
{
	struct luo_session *s = container(all->at, struct luo_session, list);
	struct inv_session *to;
	struct walk w = {};
	_Bool claimed;

	if (!all->at || all->at == all->head)
		return 1;
	claimed = BPF_CORE_READ(s, retrieved);
	w.session.id = step + 1;
	w.session.files = BPF_CORE_READ(s, file_set.count);
	w.session.pages = INV_UNKNOWN;
	w.session.dir = only_dir;
	w.session.state = only_dir ? STATE_UPDATED : STATE_NORMAL;
	w.session.claims = w.session.open = !only_dir || claimed;
	BPF_CORE_READ_STR_INTO(&w.session.name, s, name);
	w.head = (void *)s + bpf_core_field_offset(struct luo_session,
						   file_set.files_list);
	w.at = next_of(w.head);
	if (bpf_loop(MAX_STEPS, on_file, &w, 0) == MAX_STEPS)
		lost++;

	to = bpf_ringbuf_reserve(&sessions, sizeof(*to), 0);
	if (to) {
		*to = w.session;
		bpf_ringbuf_submit(to, BPF_RB_NO_WAKEUP);
	} else {
		lost++;
	}
	all->at = next_of(all->at);
	return 0;
}

SEC("syscall")
int walk_sessions(void *ctx)
{
	const struct luo_session_global *global = (const void *)&luo_session_global;
	struct walk all = {};

	unread = only_dir && BPF_CORE_READ(global, incoming.active) &&
		 BPF_CORE_READ(global, incoming.block_set.nblocks);

	all.head = (void *)&luo_session_global + (only_dir ?
		bpf_core_field_offset(struct luo_session_global, incoming.list) :
		bpf_core_field_offset(struct luo_session_global, outgoing.list));
	all.at = next_of(all.head);
	if (bpf_loop(MAX_STEPS, on_session, &all, 0) == MAX_STEPS)
		lost++;
	return 0;
}
