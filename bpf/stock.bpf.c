// SPDX-License-Identifier: GPL-2.0

/*
 * Programs for a kernel whose LUO has no trace events: on the functions of that LUO and
 * on those that its file handlers are made of.
 *
 * An operation of a handler is a function with one argument of a certain type. The
 * frontend finds all of these in the kernel's BTF and gives each a pair of the programs
 * below; which operation it is shows when it is called, by its place in the handler's
 * table. The function of LUO around it tells which session it is called for, and which
 * file, or the session's list of files does.
 */

#include "box.bpf.h"
#include "stacks.bpf.h"

#define CO_RE	__attribute__((preserve_access_index))

struct liveupdate_file_handler;

struct liveupdate_file_op_args {
	struct liveupdate_file_handler *handler;
	void *file;
	__u64 serialized_data;
} CO_RE;

struct liveupdate_file_ops {
	void *can_preserve;
	void *preserve;
	void *unpreserve;
	void *freeze;
	void *unfreeze;
	void *retrieve;
	void *can_finish;
	void *finish;
} CO_RE;

struct liveupdate_file_handler {
	const struct liveupdate_file_ops *ops;
	char compatible[LT_COMPAT_LEN];
} CO_RE;

struct list_head {
	struct list_head *next, *prev;
} CO_RE;

struct luo_file {
	struct liveupdate_file_handler *fh;
	void *file;
	__u64 serialized_data;
	struct list_head list;
	__u64 token;
} CO_RE;

struct luo_file_set {
	struct list_head files_list;
	__u64 count;
} CO_RE;

struct luo_session {
	char name[LT_NAME_MAX];
	_Bool retrieved;
	struct luo_file_set file_set;
} CO_RE;

struct file {
	void *private_data;
} CO_RE;

#define EBUSY	16
#define ENOENT	2

/* Return type of each function, by number; set before the programs are loaded. */
const volatile __u8 stock_returns[LT_STOCK_OPS];

/* What a task does: the session LUO calls handlers for, and when each call began. */
struct stock_task {
	char name[LT_NAME_LEN];
	struct luo_file_set *set; /* of an operation on all files of a session, or 0 */
	struct list_head *at; /* its file of the last call that was searched for */
	__u64 token;
	__u64 call_token; /* of the call in flight, if these are kept */
	__u64 start[LT_STOCK_OPS];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct stock_task);
} stock_tasks SEC(".maps");

/* The initial value, too big for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stock_task);
} stock_empty SEC(".maps");

/* The same of the task that reboots, for the box: every lookup prolongs the blackout. */
static struct stock_task stock_rebooting;

/* When that task began with the files of a session. */
static __u64 stock_began;

static struct stock_task *stock_task(void)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct stock_task *t, *empty;

	if (box_rebooting())
		return &stock_rebooting;
	t = bpf_map_lookup_elem(&stock_tasks, &tid);
	if (t)
		return t;
	empty = lookup_single(&stock_empty);
	if (empty)
		bpf_map_update_elem(&stock_tasks, &tid, empty, BPF_NOEXIST);
	return bpf_map_lookup_elem(&stock_tasks, &tid);
}

static __always_inline int stock_op(void *ctx, struct liveupdate_file_handler *fh)
{
	const struct liveupdate_file_ops *ops = fh->ops;
	__u64 ip = bpf_get_func_ip(ctx);

#define IS(_op, _nr) if ((__u64)ops->_op == ip) return _nr
	IS(preserve, OP_PRESERVE);
	IS(unpreserve, OP_UNPRESERVE);
	IS(freeze, OP_FREEZE);
	IS(unfreeze, OP_UNFREEZE);
	IS(retrieve, OP_RETRIEVE);
	IS(can_finish, OP_CAN_FINISH);
	IS(finish, OP_FINISH);
	IS(can_preserve, OP_CAN_PRESERVE);
#undef IS
	return -1;
}

static __always_inline struct luo_file *stock_file(struct list_head *node)
{
	return (void *)node - bpf_core_field_offset(struct luo_file, list);
}

void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym;

/* Memory of the kernel that is read directly; what is not there reads as 0. */
#define CAST(_type, _ptr)						\
	((struct _type *)bpf_rdonly_cast(_ptr,				\
					 bpf_core_type_id_kernel(struct _type)))

/* A type that begins with a word. */
struct timespec64 {
	__s64 tv_sec;
} CO_RE;

int known_name(const struct lt_known *k)
{
	__u32 i;

	for (i = 0; k && i < LT_COMPAT_WORDS && i < k->words; i++) {
		if (CAST(timespec64, (void *)(k->at + 8 * i))->tv_sec != k->name[i])
			return 0;
	}
	return i > 0;
}

/* A search for the file of a call, from the file of the previous search on. */
struct stock_search {
	struct list_head *node, *head;
	struct liveupdate_file_handler *handler;
	void *file;
	__u64 data;
	__u64 token;
};

static long stock_match_file(__u32 i, struct stock_search *s)
{
	struct list_head *node = CAST(list_head, s->node)->next;
	struct luo_file *f;

	s->node = node;
	if (node == s->head)
		return 0;
	f = CAST(luo_file, stock_file(node));
	/* Files that are not retrieved have only their data. */
	if (f->file != s->file || f->fh != s->handler ||
	    (!s->file && f->serialized_data != s->data))
		return 0;
	s->token = f->token;
	return 1;
}

/*
 * The token of the file of a call. Unpreserve and finish of a session start at its last file
 * and remove it after the call. All other operations go along the list, skip files whose
 * handlers lack the operation, and start over after a failure.
 */
static __always_inline __u64 stock_token(struct stock_task *t, int op,
					 struct liveupdate_file_op_args *args)
{
	struct luo_file_set *set = t->set;
	struct stock_search s = {};
	struct luo_file *last;

	if (!set || !args)
		return t->token;
	if (op == OP_UNPRESERVE || op == OP_FINISH) {
		last = stock_file(BPF_CORE_READ(set, files_list.prev));
		return BPF_CORE_READ(last, token);
	}
	s.head = (void *)set + bpf_core_field_offset(struct luo_file_set, files_list);
	s.node = t->at;
	s.handler = args->handler;
	s.file = args->file;
	s.data = args->serialized_data;
	/* Once around, including the head of the list. */
	bpf_loop(BPF_CORE_READ(set, count) + 1, stock_match_file, &s, 0);
	t->at = s.node;
	return s.token;
}

static __always_inline void stock_flight(struct stock_task *t, int op,
					 struct liveupdate_file_handler *fh,
					 struct liveupdate_file_op_args *args)
{
	struct lt_flight call = { .op = op };

	if (keep_flights)
		t->call_token = stock_token(t, op, args);
	call.token = t->call_token;
	__builtin_memcpy(call.session, t->name, sizeof(call.session));
	bpf_core_read_str(call.compatible, sizeof(call.compatible), &fh->compatible);
	flight_begin(&call);
}

/* A call of the task that reboots. */
static __always_inline int stock_box_enter(__u32 nr)
{
	__u64 own = box_own_begin(), now = bpf_ktime_get_ns();

	stock_rebooting.start[nr] = now;
	box_own_end(own, now);
	return 0;
}

static __always_inline int stock_enter(void *ctx, __u32 nr,
				       struct liveupdate_file_handler *fh,
				       struct liveupdate_file_op_args *args)
{
	struct stock_task *t;
	int op;

	if (!ready)
		return 0;
	if (box_rebooting())
		return stock_box_enter(nr);
	t = stock_task();
	if (!t)
		return 0;
	if (keep_flights || want_stacks || count_folios) {
		op = stock_op(ctx, fh);
		/* See stock_exit(). */
		if (op < 0)
			return 0;
		folio_call_begin();
		if (keep_flights || want_stacks)
			stock_flight(t, op, fh, args);
	}
	t->start[nr] = bpf_ktime_get_ns();
	return 0;
}

/* What is known of each function of a handler in the task that reboots. */
static struct box_known stock_known[LT_STOCK_OPS];

static __always_inline int stock_result(void *ctx, __u32 nr, int op)
{
	__u64 ret = 0;

	if (stock_returns[nr] == LT_RETURNS_VOID)
		return 0;
	bpf_get_func_ret(ctx, &ret);
	if (stock_returns[nr] == LT_RETURNS_INT)
		return ret;
	return (__u8)ret ? 0 : op == OP_CAN_PRESERVE ? -ENOENT : -EBUSY;
}

/*
 * A call of the task that reboots. Hardly any is longer than those that are kept, so that
 * the others need neither names nor token.
 */
static __always_inline void stock_box_exit(void *ctx, __u32 nr, __u64 now,
					   struct liveupdate_file_handler *fh,
					   struct liveupdate_file_op_args *args)
{
	struct box_known *known = &stock_known[nr];
	struct stock_task *t = &stock_rebooting;
	__u64 start = t->start[nr], name;
	struct lt_slow call = {};
	int ret, op;

	t->start[nr] = 0;
	if (known->target != (__u64)fh || known->began != box.reboot.began) {
		op = stock_op(ctx, fh);
		/* See stock_exit(). */
		if (op < 0)
			return;
		known->target = (__u64)fh;
		known->began = box.reboot.began;
		known->op = op;
		/* Read again as a number, which is what a global function takes. */
		name = *(volatile __u64 *)&known->target +
		       bpf_core_field_offset(struct liveupdate_file_handler, compatible);
		known->row = box_row(name, op, LT_HANDLER);
	}
	ret = stock_result(ctx, nr, known->op);
	if (!start || !box_count(known, now - start, ret))
		return;
	call.ts = now;
	call.duration_ns = now - start;
	call.op = known->op;
	call.ret = ret;
	call.token = stock_token(t, known->op, args);
	__builtin_memcpy(call.session, t->name, sizeof(call.session));
	bpf_core_read_str(call.compatible, sizeof(call.compatible), &fh->compatible);
	box_keep(&call);
}

static __always_inline int stock_exit(void *ctx, __u32 nr,
				      struct liveupdate_file_handler *fh,
				      struct liveupdate_file_op_args *args)
{
	__u64 now = bpf_ktime_get_ns();
	struct lt_slow call = {};
	struct stock_task *t;
	int op;

	if (!ready)
		return 0;
	if (box_rebooting()) {
		BOX_TIMED(stock_box_exit(ctx, nr, now, fh, args));
		return 0;
	}
	t = stock_task();
	op = stock_op(ctx, fh);
	/* A helper of a handler has the type of an operation, but is in no table. */
	if (op < 0)
		return 0;
	flight_end(LT_HANDLER);
	if (!t || !t->start[nr])
		return 0;
	call.duration_ns = now - t->start[nr];
	t->start[nr] = 0;
	/* To search for it twice would go along the list twice. */
	call.token = keep_flights ? t->call_token : stock_token(t, op, args);
	call.op = op;
	call.ret = stock_result(ctx, nr, op);
	__builtin_memcpy(call.session, t->name, sizeof(call.session));
	bpf_core_read_str(call.compatible, sizeof(call.compatible), &fh->compatible);
	folio_call_end(&call);
	call_end(LT_HANDLER_EXIT, 0, &call);
	return 0;
}

#define STOCK(_nr, _arg, _handler, _args)				\
	SEC("?fentry")							\
	int BPF_PROG(stock_enter_##_nr, _arg)				\
	{								\
		return stock_enter(ctx, _nr, _handler, _args);		\
	}								\
									\
	SEC("?fexit")							\
	int BPF_PROG(stock_exit_##_nr, _arg)				\
	{								\
		return stock_exit(ctx, _nr, _handler, _args);		\
	}

#define STOCK_OP(_nr)							\
	STOCK(_nr, struct liveupdate_file_op_args *args, args->handler, args)
#define STOCK_CAN_PRESERVE(_nr)							\
	STOCK(_nr, struct liveupdate_file_handler *handler, handler, 0)

/* As many as LT_STOCK_ARGS says. */
STOCK_OP(0) STOCK_OP(1) STOCK_OP(2) STOCK_OP(3) STOCK_OP(4) STOCK_OP(5)
STOCK_OP(6) STOCK_OP(7) STOCK_OP(8) STOCK_OP(9) STOCK_OP(10) STOCK_OP(11)
STOCK_OP(12) STOCK_OP(13) STOCK_OP(14) STOCK_OP(15) STOCK_OP(16) STOCK_OP(17)
STOCK_OP(18) STOCK_OP(19) STOCK_OP(20) STOCK_OP(21) STOCK_OP(22) STOCK_OP(23)

/* can_preserve has the handler for its argument. */
STOCK_CAN_PRESERVE(24) STOCK_CAN_PRESERVE(25) STOCK_CAN_PRESERVE(26) STOCK_CAN_PRESERVE(27)
STOCK_CAN_PRESERVE(28) STOCK_CAN_PRESERVE(29) STOCK_CAN_PRESERVE(30) STOCK_CAN_PRESERVE(31)

/* LUO is about to call the handlers of a session. */
static __always_inline int stock_begin(struct luo_file_set *set, __u64 token, int all)
{
	struct stock_task *t = ready ? stock_task() : 0;
	_Bool reboots = box_rebooting();
	__u64 own = t && reboots ? box_own_begin() : 0;
	struct luo_session *s;

	if (!t)
		return 0;
	s = (void *)set - bpf_core_field_offset(struct luo_session, file_set);
	set_name(t->name, (void *)s + bpf_core_field_offset(struct luo_session, name));
	t->set = all ? set : 0;
	t->at = (void *)set + bpf_core_field_offset(struct luo_file_set, files_list);
	t->token = token;
	if (reboots) {
		stock_began = bpf_ktime_get_ns();
		box_own_end(own, stock_began);
	}
	return 0;
}

/* Work on all files of a session is over in the task that reboots. */
static __always_inline void stock_session_end(struct luo_file_set *set, __u32 list,
					      int ret)
{
	struct box_work work = { .list = list };
	struct luo_session *s;

	s = (void *)set - bpf_core_field_offset(struct luo_session, file_set);
	bpf_probe_read_kernel_str(work.session.name, sizeof(work.session.name),
				  (void *)s + bpf_core_field_offset(struct luo_session,
								    name));
	work.session.end = bpf_ktime_get_ns();
	work.session.duration = work.session.end - stock_began;
	work.session.files = BPF_CORE_READ(set, count);
	work.session.ret = ret;
	box_session_end(&work);
}

/* It has called them; @new is the state of the file if it was a single one, else 0. */
static __always_inline int stock_end(__u32 old, __u32 new, int ret)
{
	struct stock_task *t = ready ? stock_task() : 0;
	struct lt_event *e;

	if (!t)
		return 0;
	e = new ? event_reserve(LT_FILE_STATE, ret) : 0;
	if (e) {
		e->file.token = t->token;
		e->file.old = old;
		e->file.new = ret ? (old ? FILE_FAILED : FILE_NONE) : new;
		__builtin_memcpy(e->session, t->name, sizeof(e->session));
		event_commit(e, event_wanted(e, 0), 0);
	}
	__builtin_memset(t->name, 0, sizeof(t->name));
	t->set = 0;
	t->token = 0;
	return 0;
}

SEC("?fentry/luo_preserve_file")
int BPF_PROG(stock_luo_preserve_file, struct luo_file_set *set, __u64 token)
{
	return stock_begin(set, token, 0);
}

SEC("?fexit/luo_preserve_file")
int BPF_PROG(stock_luo_preserve_file_end, struct luo_file_set *set, __u64 token,
	     int fd, int ret)
{
	return stock_end(FILE_NONE, FILE_PRESERVED, ret);
}

SEC("?fentry/luo_retrieve_file")
int BPF_PROG(stock_luo_retrieve_file, struct luo_file_set *set, __u64 token)
{
	return stock_begin(set, token, 0);
}

SEC("?fexit/luo_retrieve_file")
int BPF_PROG(stock_luo_retrieve_file_end, struct luo_file_set *set, __u64 token,
	     void *filep, int ret)
{
	return stock_end(FILE_INCOMING, FILE_RETRIEVED, ret);
}

#define STOCK_SET(_fn, _list)						\
	SEC("?fentry/" #_fn)						\
	int BPF_PROG(stock_##_fn, struct luo_file_set *set)		\
	{								\
		return stock_begin(set, 0, 1);				\
	}								\
									\
	SEC("?fexit/" #_fn)						\
	int BPF_PROG(stock_##_fn##_end, struct luo_file_set *set,	\
		     void *ser, int ret)				\
	{								\
		if (box_rebooting())					\
			BOX_TIMED(stock_session_end(set, _list,		\
					_list == BOX_FREEZE ? ret : 0)); \
		return stock_end(0, 0, 0);				\
	}

/* Only freeze has two arguments and a result that the box needs. */
STOCK_SET(luo_file_freeze, BOX_FREEZE)
STOCK_SET(luo_file_unfreeze, BOX_OTHER)
STOCK_SET(luo_file_unpreserve_files, BOX_OTHER)
STOCK_SET(luo_file_finish, BOX_OTHER)

/*
 * When the device was opened, and how long an ioctl was in progress, for the timeline of the
 * kernel that restores. Two tasks that enter and leave at the very same time can be off by
 * the time between their first and their last instruction here.
 */
SEC("?fentry/luo_open")
int BPF_PROG(stock_luo_open)
{
	luo_opened = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int stock_ioctl_begin(void)
{
	if (ready && !__sync_fetch_and_add(&luo_busy.depth, 1))
		luo_busy.since = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int stock_ioctl_end(void)
{
	__u64 now = bpf_ktime_get_ns(), since = luo_busy.since;

	/* It can have begun before the trace. */
	if (!ready || luo_busy.depth <= 0)
		return 0;
	if (__sync_fetch_and_add(&luo_busy.depth, -1) == 1 && now > since)
		__sync_fetch_and_add(&luo_busy.total, now - since);
	return 0;
}

#define STOCK_IOCTL(_fn)						\
	SEC("?fentry/" #_fn)						\
	int BPF_PROG(stock_##_fn)					\
	{								\
		return stock_ioctl_begin();				\
	}								\
									\
	SEC("?fexit/" #_fn)						\
	int BPF_PROG(stock_##_fn##_end)					\
	{								\
		return stock_ioctl_end();				\
	}

STOCK_IOCTL(luo_ioctl)
STOCK_IOCTL(luo_session_ioctl)

SEC("?fexit/luo_session_create")
int BPF_PROG(stock_luo_session_create, const char *name, void *filep, int ret)
{
	return session_event(LT_SESSION_CREATE, 0, name, 0, STATE_NORMAL, 0, ret);
}

SEC("?fexit/luo_session_retrieve")
int BPF_PROG(stock_luo_session_retrieve, const char *name, void *filep, int ret)
{
	return session_event(LT_SESSION_RETRIEVE, 0, name, 1, STATE_UPDATED, 0, ret);
}

/* On entry, as the session is gone on exit. */
SEC("?fentry/luo_session_release")
int BPF_PROG(stock_luo_session_release, void *inode, struct file *file)
{
	struct luo_session *s = file->private_data;
	_Bool in = BPF_CORE_READ(s, retrieved);

	return session_event(LT_SESSION_RELEASE, 0,
			     (void *)s + bpf_core_field_offset(struct luo_session, name),
			     in, in ? STATE_UPDATED : STATE_NORMAL,
			     BPF_CORE_READ(s, file_set.count), 0);
}

SEC("?fexit/luo_session_finish")
int BPF_PROG(stock_luo_session_finish, struct luo_session *s, void *ucmd, int ret)
{
	return session_event(LT_SESSION_FINISH, 0, s->name, 1,
			     ret ? STATE_UPDATED : STATE_NORMAL, s->file_set.count, ret);
}

SEC("?fexit/liveupdate_reboot")
int BPF_PROG(stock_liveupdate_reboot, int ret)
{
	struct lt_event *e;

	/* To wake a reader now would prolong the blackout, and it has the box. */
	if (box_rebooting())
		return 0;
	e = event_reserve(LT_STATE, ret);
	if (!e)
		return 0;
	e->state.old = STATE_NORMAL;
	e->state.new = ret ? STATE_NORMAL : STATE_FROZEN;
	e->state.event = EVENT_FREEZE;
	event_commit(e, event_wanted(e, 0), BPF_RB_FORCE_WAKEUP);
	return 0;
}
