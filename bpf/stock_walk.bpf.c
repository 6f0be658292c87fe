// SPDX-License-Identifier: GPL-2.0

/*
 * Sessions and files on a kernel whose LUO has no iterators: a walk along its lists, read-only
 * and without its locks. Every pointer is read as one that can be invalid, and what was read
 * of an entry counts only if the entry is still linked to the previous one afterwards. If it
 * is not, or if the list does not end at its head, the walk is torn: it stops, and the
 * frontend tries again.
 */

#include "types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "luo_iter.h"

#define CO_RE	__attribute__((preserve_access_index))

char LICENSE[] SEC("license") = "GPL";

struct list_head {
	struct list_head *next, *prev;
} CO_RE;

struct kho_block_set {
	long nblocks;
} CO_RE;

struct luo_session_header {
	long count;
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

/* The lists; the address is in the kernel's symbol table. */
extern const void luo_session_global __ksym;

#define FILE_PRESERVED	1
#define FILE_INCOMING	4
#define FILE_RETRIEVED	5
#define FILE_FAILED	7
#define OP_RETRIEVE	7
#define STATE_NORMAL	0
#define STATE_UPDATED	3
#define MAX_STEPS	(1 << 20)

/* The frontend enlarges them as needed; most machines have few sessions. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} sessions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} files SEC(".maps");

const volatile __u32 only_dir;
const volatile _Bool only_bad;

__u64 nr_sessions;	/* records, including those without room */
__u64 nr_files;
__u64 lost;		/* records without room */
_Bool torn;		/* a list changed while it was walked */
_Bool unread;		/* this LUO reads the handover when its device is first opened */

/* A walk along a list: current and previous entry, head, and the session it reads. */
struct walk {
	struct list_head *at;
	struct list_head *before;
	struct list_head *head;
	__u64 steps;
	_Bool whole;	/* it has reached the head */
};

/* The session that is read; too large for the stack. */
static struct inv_session session;

static __always_inline struct list_head *next_of(struct list_head *at)
{
	return BPF_CORE_READ(at, next);
}

#define container(_ptr, _type, _member)					\
	((void *)(_ptr) - bpf_core_field_offset(_type, _member))

static __always_inline void begin(struct walk *w, struct list_head *head)
{
	w->head = head;
	w->before = head;
	w->at = next_of(head);
}

/* Whether the entry just read is still in the list. */
static __always_inline _Bool linked(struct walk *w)
{
	/* Through variables: CO-RE would look for struct walk in the kernel's types. */
	struct list_head *before = w->before, *at = w->at;

	return at && BPF_CORE_READ(before, next) == at && BPF_CORE_READ(at, prev) == before;
}

/* Whether a walk has seen as many entries as its list had at its begin or end. */
static __always_inline _Bool counted(struct walk *w, __u64 old, __u64 now)
{
	return w->whole && w->steps >= (old < now ? old : now) &&
	       w->steps <= (old < now ? now : old);
}

/* Step to the next entry; returns 0 for bpf_loop() to continue. */
static __always_inline long step_on(struct walk *w)
{
	w->before = w->at;
	w->at = next_of(w->at);
	w->steps++;
	return 0;
}

static __always_inline _Bool at_end(struct walk *w)
{
	struct list_head *head = w->head;

	w->whole = w->at == head && BPF_CORE_READ(head, prev) == w->before;
	return !w->at || w->at == head;
}

static __always_inline void put_file(struct walk *w, struct luo_file *f, int status)
{
	struct inv_file *to = bpf_ringbuf_reserve(&files, sizeof(*to), 0);

	nr_files++;
	if (!to) {
		lost++;
		return;
	}
	__builtin_memset(to, 0, sizeof(*to));
	to->session_id = session.id;
	to->token = BPF_CORE_READ(f, token);
	to->pages = INV_UNKNOWN;
	to->dir = only_dir;
	to->state = !only_dir ? FILE_PRESERVED :
		    status > 0 ? FILE_RETRIEVED :
		    status < 0 ? FILE_FAILED : FILE_INCOMING;
	to->handler = 1;
	to->ret = status < 0 ? status : 0;
	to->ret_op = OP_RETRIEVE;
	BPF_CORE_READ_STR_INTO(&to->compatible, f, fh, compatible);
	if (linked(w))
		bpf_ringbuf_submit(to, BPF_RB_NO_WAKEUP);
	else
		bpf_ringbuf_discard(to, BPF_RB_NO_WAKEUP);
}

static long on_file(__u32 step, struct walk *w)
{
	struct luo_file *f = container(w->at, struct luo_file, list);
	int status;

	if (at_end(w))
		return 1;
	status = BPF_CORE_READ(f, retrieve_status);
	session.retrieved += status > 0;
	session.failed += status < 0;
	if (!only_bad || status < 0)
		put_file(w, f, status);
	return linked(w) ? step_on(w) : 1;
}

static __always_inline void put_session(void)
{
	struct inv_session *to = bpf_ringbuf_reserve(&sessions, sizeof(*to), 0);

	nr_sessions++;
	if (!to) {
		lost++;
		return;
	}
	*to = session;
	bpf_ringbuf_submit(to, BPF_RB_NO_WAKEUP);
}

/*
 * Read the session at an address, and its files. Whether all could be read. A global
 * function: the verifier looks at it once, not for each way through a step to it.
 */
int read_session(__u64 at, __u32 id)
{
	struct luo_session *s = (void *)at;
	struct walk w = {};
	_Bool claimed = BPF_CORE_READ(s, retrieved);

	__builtin_memset(&session, 0, sizeof(session));
	session.id = id;
	session.files = BPF_CORE_READ(s, file_set.count);
	session.pages = INV_UNKNOWN;
	session.dir = only_dir;
	session.state = only_dir ? STATE_UPDATED : STATE_NORMAL;
	session.claims = session.open = !only_dir || claimed;
	BPF_CORE_READ_STR_INTO(&session.name, s, name);
	begin(&w, (void *)s + bpf_core_field_offset(struct luo_session,
						    file_set.files_list));
	bpf_loop(MAX_STEPS, on_file, &w, 0);
	/* A file that was added or removed meanwhile is no reason to start over. */
	if (!counted(&w, session.files, BPF_CORE_READ(s, file_set.count)) ||
	    !session.name[0])
		return 0;
	session.files = w.steps;
	return 1;
}

static long on_session(__u32 step, struct walk *all)
{
	struct luo_session *s = container(all->at, struct luo_session, list);

	if (at_end(all) || !read_session((__u64)s, step + 1) || !linked(all))
		return 1;
	put_session();
	return step_on(all);
}

SEC("syscall")
int walk_sessions(void *ctx)
{
	const struct luo_session_global *global = (const void *)&luo_session_global;
	const struct luo_session_header *header = (void *)&luo_session_global +
		(only_dir ? bpf_core_field_offset(struct luo_session_global, incoming) :
			    bpf_core_field_offset(struct luo_session_global, outgoing));
	__u64 count = BPF_CORE_READ(header, count);
	struct walk all = {};

	unread = only_dir && BPF_CORE_READ(global, incoming.active) &&
		 BPF_CORE_READ(global, incoming.block_set.nblocks);

	begin(&all, (void *)header + bpf_core_field_offset(struct luo_session_header,
							   list));
	bpf_loop(MAX_STEPS, on_session, &all, 0);
	torn = !counted(&all, count, BPF_CORE_READ(header, count));
	return 0;
}
