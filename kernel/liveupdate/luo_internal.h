/* SPDX-License-Identifier: GPL-2.0 */

/*
 * What the files of LUO share. A layer calls only those below it:
 *
 *	luo_core	start
 *	luo_ioctl	/dev/liveupdate and the calls on a session
 *	luo_state	the state of the machine, the way into the jump
 *	luo_inspect	what sessions and files there are, for whoever asks
 *	luo_session	sessions, outgoing and incoming
 *	luo_subsystem	kernel parts with state that is not in files
 *	luo_file	a set of files; knows no session
 *	luo_flb		state that files share
 *	luo_handler	file handlers and the calls to them
 *	luo_module	modules that register any of these
 *	luo_handover	what one kernel writes and the next one reads
 *	luo_seal	what proves that a page is a block of the handover
 *	luo_trace	the trace events
 *	luo_notice	messages that come by the thousand
 *	luo_recorder	the record of a live update; a subsystem too
 *
 * Locks, in the order in which they are taken:
 *
 *	luo_state_lock		rwsem. Readers: every call of an agent but
 *				GET_NAME and GET_STATE, which only read what
 *				is there at that moment, and the release of a
 *				session. Writers: transitions of the machine,
 *				which thereby have all sessions and files to
 *				themselves; and whoever registers or
 *				unregisters a subsystem. Calls of agents take
 *				it killably: a writer may wait behind a
 *				handler for long, and everybody behind the
 *				writer.
 *	luo_file_set.lock	mutex, one a session: its state, its files.
 *				Calls of agents take it killably too.
 *	luo_session_set.lock	mutex, one for the outgoing and one for the
 *				incoming sessions: which there are, which are
 *				claimed. A walk takes it for each session; no
 *				handler is called under it.
 *	luo_flb_out.lock	mutex, one for each outgoing shared state: who
 *	luo_flb_in.lock		depends on it and who uses it; the same for incoming
 *				ones. Held for its operations, which may ask for
 *				another one, and take that one's then.
 *	luo_flb_lock		mutex: which shared state there is, and which handlers
 *				it is registered with. No operation is called under
 *				it.
 *	luo_handler_lock	rwsem: which file handlers there are. Held for
 *				can_preserve, for no other operation.
 *	luo_owner_lock		spinlock: who had a session last. Nothing is called
 *				under it.
 *	luo_notice_lock		spinlock: messages that are collected. Nothing is
 *				called under it.
 *	luo_recorder_lock	spinlock: making a row, keeping a long call,
 *				reading the record. Nothing is called under it.
 *	luo_union.lock		spinlock, one a row and one for all ioctls: what
 *				runs in parallel. Nothing is called under it.
 *
 * Below them are the locks that handlers and KHO take. None of these locks is
 * taken by a tracer: nothing that reads the trace events waits for a freeze.
 */

#ifndef _LINUX_LUO_INTERNAL_H
#define _LINUX_LUO_INTERNAL_H

#include <linux/cleanup.h>
#include <linux/kho_block.h>
#include <linux/ktime.h>
#include <linux/liveupdate.h>
#include <linux/mutex.h>
#include <linux/rhashtable-types.h>
#include <linux/rwsem.h>
#include <linux/xarray.h>
#include <trace/events/luo.h>
#include <uapi/linux/liveupdate_recorder.h>

/* luo_trace.c */

/*
 * Buckets that a hash table begins with, 32 KiB of them: a table is enlarged on the CPU
 * of the agent that filled it, which waits for some microseconds an entry then, but not
 * before there are 3,000. It never shrinks: to move all that is left, again and again
 * while sessions go, costs more than the memory, 2 MiB for 100,000 of them.
 */
#define LUO_MIN_BUCKETS	4096

/* Emit a trace event; nothing that it says is looked up while nobody listens. */
#define luo_emit(event, ...)						\
do {									\
	if (trace_##event##_enabled())					\
		trace_##event(__VA_ARGS__);				\
} while (0)

enum luo_kind { LUO_KIND_HANDLER, LUO_KIND_SUBSYSTEM, LUO_KIND_FLB };

/**
 * struct luo_call - what the events of one call say about it
 * @kind:       who is called
 * @slot:       from luo_recorder_slot()
 * @number:     the live update
 * @session:    name of the session; a file handler's call only
 * @token:      of the file; a file handler's call only
 * @compatible: of the handler or the shared state, or the subsystem's name
 */
struct luo_call {
	enum luo_kind kind;
	unsigned int slot;
	u64 number;
	const char *session;
	u64 token;
	const char *compatible;
};

u64 luo_call_enter(const struct luo_call *call, enum luo_op op);
void luo_call_exit(const struct luo_call *call, enum luo_op op, int ret,
		   u64 start);

/* luo_notice.c */

void luo_notice(const char *text, const char *what, const char *reason,
		const char *name, const u64 *token);
void luo_notice_flush(void);
void luo_notice_start(void);

/* luo_handover.c */

/**
 * struct luo_array - an array of records in the handover
 * @data:  physical address of its first block, 0 if there is none
 * @pgcnt: blocks
 * @count: records in use
 */
struct luo_array {
	u64 data;
	u64 pgcnt;
	u64 count;
};

/**
 * struct luo_totals - how much a handover holds
 * @sessions: sessions
 * @files:    files of all sessions
 * @orphans:  those of them whose handler is not there
 * @bytes:    preserved memory for the tree and the arrays
 * @reserved: incoming: pages, at least, that are refused, not restored and not freed
 */
struct luo_totals {
	u64 sessions;
	u64 files;
	u64 orphans;
	u64 bytes;
	u64 reserved;
};

/**
 * struct luo_blocks - what became of the blocks of an array
 * @restored: that were read and freed
 * @left:     that were not read and stay reserved, at least
 */
struct luo_blocks {
	u64 restored;
	u64 left;
};

/**
 * struct luo_value - what one subsystem hands over
 * @name: of the subsystem
 * @data: its value
 */
struct luo_value {
	const char *name;
	u64 data;
};

/**
 * struct luo_contents - what a handover says
 * @sessions:  where the sessions are
 * @flbs:      where the shared state is
 * @values:    of the subsystems
 * @nr_values: how many
 */
struct luo_contents {
	struct luo_array sessions;
	struct luo_array flbs;
	struct luo_value values[LIVEUPDATE_SUBSYSTEM_MAX];
	unsigned int nr_values;
};

/* luo_module.c */

bool luo_module_live(const struct module *owner);
bool luo_module_get(struct module *owner);
int luo_module_init(void);

/* luo_recorder.c, luo_recorder_marks.c, luo_recorder_handover.c */

struct kobject;

#ifdef CONFIG_LIVEUPDATE_RECORDER
void luo_recorder_stamp_start(void);
int luo_recorder_early_init(void);
int luo_recorder_init(void);
int luo_recorder_sysfs_init(struct kobject *kobj);
unsigned int luo_recorder_slot(enum luo_kind kind, const char *name);
u64 luo_recorder_enter(const struct luo_call *call, enum luo_op op);
u64 luo_recorder_exit(const struct luo_call *call, enum luo_op op, int ret,
		      u64 start);
bool luo_recorder_ioctl_begin(void);
void luo_recorder_ioctl_end(bool counted);
void luo_recorder_session(enum luo_dir dir, enum luo_phase phase,
			  const char *name, u64 files, int ret, u64 duration);
void luo_recorder_mark(enum liveupdate_recorder_mark mark);
void luo_recorder_scope(enum liveupdate_recorder_scope scope);
void luo_recorder_failed(int err);
void luo_recorder_cancelled(void);
void luo_recorder_end(u64 since);
void luo_recorder_totals(enum luo_dir dir, const struct luo_totals *totals);
void luo_recorder_give_up(const char *name);
void luo_recorder_finished(u64 files, bool claimed);
void luo_recorder_add_reject(const char *what, const char *name, u64 token,
			     const char *reason);
void luo_recorder_del_reject(const char *what, const char *name);
#else
static inline void luo_recorder_stamp_start(void)
{
}

static inline int luo_recorder_early_init(void)
{
	return 0;
}

static inline int luo_recorder_init(void)
{
	return 0;
}

static inline int luo_recorder_sysfs_init(struct kobject *kobj)
{
	return 0;
}

static inline unsigned int luo_recorder_slot(enum luo_kind kind,
					     const char *name)
{
	return 0;
}

static inline u64 luo_recorder_enter(const struct luo_call *call,
				     enum luo_op op)
{
	return ktime_get_ns();
}

static inline u64 luo_recorder_exit(const struct luo_call *call,
				    enum luo_op op, int ret, u64 start)
{
	return ktime_get_ns() - start;
}

static inline bool luo_recorder_ioctl_begin(void)
{
	return false;
}

static inline void luo_recorder_ioctl_end(bool counted)
{
}

static inline void luo_recorder_session(enum luo_dir dir, enum luo_phase phase,
					const char *name, u64 files, int ret,
					u64 duration)
{
}

static inline void luo_recorder_mark(enum liveupdate_recorder_mark mark)
{
}

static inline void luo_recorder_scope(enum liveupdate_recorder_scope scope)
{
}

static inline void luo_recorder_failed(int err)
{
}

static inline void luo_recorder_cancelled(void)
{
}

static inline void luo_recorder_end(u64 since)
{
}

static inline void luo_recorder_totals(enum luo_dir dir,
				       const struct luo_totals *totals)
{
}

static inline void luo_recorder_give_up(const char *name)
{
}

static inline void luo_recorder_finished(u64 files, bool claimed)
{
}

static inline void luo_recorder_add_reject(const char *what, const char *name,
					   u64 token, const char *reason)
{
}

static inline void luo_recorder_del_reject(const char *what, const char *name)
{
}
#endif

/* For the time from here to the end of a function, an ioctl of LUO. */
DEFINE_CLASS(luo_recorder_ioctl, bool, luo_recorder_ioctl_end(_T),
	     luo_recorder_ioctl_begin(), void)

/* Called for each record of an array; what it refuses it reports itself. */
typedef void (*luo_record_fn)(const void *record, void *data);

/* Called for the value of each subsystem; returns why it is refused, or NULL. */
typedef const char *(*luo_value_fn)(const char *name, u64 data);

int luo_handover_read(struct luo_array *sessions, struct luo_array *flbs);
void luo_handover_read_values(luo_value_fn fn);
struct luo_blocks
luo_handover_read_array(const struct luo_array *array, size_t record_size,
			const char *what, const char *name, luo_record_fn fn,
			void *data);
void luo_handover_trace_reject(const char *what, const char *name, u64 token,
			       const char *reason);
void luo_handover_reject(const char *what, const char *name, u64 token,
			 const char *reason);
int luo_handover_init_out(void);
int luo_handover_serialize(const struct luo_contents *contents);
void *luo_handover_fdt(void);
void luo_handover_seal_blocks(const struct kho_block_set *blocks, const char *name);
void luo_array_from_blocks(const struct kho_block_set *blocks, u64 count,
			   struct luo_array *array);
bool luo_string_ok(const char *s, size_t size);
#if IS_ENABLED(CONFIG_KUNIT)
bool luo_fdt_check(const void *fdt, size_t size);
const char *luo_fdt_u64(const void *fdt, int node, const char *prop, u64 *val);
#endif
u64 luo_number(enum luo_dir dir);

/* luo_seal.c */

/**
 * struct luo_seal - how the blocks of one array are sealed
 * @mark:	 of the tree
 * @record_size: bytes of a record
 * @owner:	 hash of the name of the session whose files they are
 */
struct luo_seal {
	u64 mark;
	u64 record_size;
	u64 owner;
};

void luo_seal_init(struct luo_seal *seal, u64 mark, size_t record_size,
		   const char *name);
void luo_seal_blocks(const struct luo_seal *seal,
		     const struct kho_block_set *blocks);
bool luo_seal_ok(const struct luo_seal *seal, void *block, u64 number);
void luo_seal_set_init(struct kho_block_set *blocks, size_t record_size);

/* luo_handler.c */

struct liveupdate_file_handler *luo_handler_get_for(const struct luo_call *call,
						    struct file *file);
struct liveupdate_file_handler *luo_handler_get(const char *compatible);
void luo_handler_put(struct liveupdate_file_handler *fh);
bool luo_handler_has(const struct liveupdate_file_handler *fh, enum luo_op op);
int luo_handler_run(const struct luo_call *call, enum luo_op op,
		    struct liveupdate_file_op_args *args);
bool luo_handler_registered(const struct liveupdate_file_handler *fh);

#ifdef CONFIG_LIVEUPDATE_TEST
/* The base's lib/tests/liveupdate.c */
void liveupdate_test_register(struct liveupdate_file_handler *fh);
#else
static inline void liveupdate_test_register(struct liveupdate_file_handler *fh)
{
}
#endif

/* luo_flb.c, luo_flb_in.c */

int luo_flb_file_preserve(struct liveupdate_file_handler *fh, u64 *seq);
void luo_flb_file_unpreserve(struct liveupdate_file_handler *fh, u64 seq);
void luo_flb_init(void);
void luo_flb_serialize_all(struct luo_array *array);
u64 luo_flb_deserialize_all(const struct luo_array *array);
void luo_flb_file_incoming(struct liveupdate_file_handler *fh);
void luo_flb_file_bind(struct liveupdate_file_handler *fh);
void luo_flb_file_finish(struct liveupdate_file_handler *fh);
void luo_flb_finish_all(void);
void luo_flb_unregister_all(struct liveupdate_file_handler *fh);
void luo_flb_module_live(const struct module *module);
void luo_flb_module_going(const struct module *module);

/* luo_file.c, luo_file_out.c, luo_file_in.c */

/**
 * struct luo_file_set - the files of one session
 * @lock:   guards the set, its files and the session they belong to
 * @name:   of the session, for events and messages
 * @dir:    outgoing or incoming
 * @files:  &struct luo_file, in order of preservation
 * @count:  files
 * @by_seq: the files by a number that grows, for walks without the lock
 * @next:   the next such number
 * @retrieved: incoming: files that were taken back
 * @failed: files whose last operation failed
 * @orphans: incoming: files that have not found their handler
 * @pages:  outgoing: preserved for its files; incoming: what the previous
 *	    kernel said of that, LUO_PAGES_UNKNOWN if that cannot be
 * @blocks: the preserved memory for the records; outgoing sets only
 */
struct luo_file_set {
	struct mutex lock; /* the session's */
	const char *name;
	enum luo_dir dir;
	struct list_head files;
	u64 count;
	struct xarray by_seq;
	unsigned long next;
	u64 retrieved;
	u64 failed;
	u64 orphans;
	u64 pages;
	struct kho_block_set blocks;
};

#define LUO_PAGES_UNKNOWN	U64_MAX

void luo_file_trace_reject(const struct luo_file_set *set, u64 token, int ret);
int luo_file_init(void);
void luo_file_set_init(struct luo_file_set *set, const char *name,
		       enum luo_dir dir);
void luo_file_set_destroy(struct luo_file_set *set);
int luo_file_preserve(struct luo_file_set *set, struct file *file, u64 token);
void luo_file_set_unpreserve(struct luo_file_set *set);
int luo_file_unpreserve(struct luo_file_set *set, u64 token);
int luo_file_set_prepare(struct luo_file_set *set);
void luo_file_set_cancel(struct luo_file_set *set);
int luo_file_set_freeze(struct luo_file_set *set);
void luo_file_set_unfreeze(struct luo_file_set *set);
struct luo_blocks luo_file_set_deserialize(struct luo_file_set *set,
					   const struct luo_array *array);
int luo_file_retrieve(struct luo_file_set *set, u64 token, struct file **filep);
int luo_file_set_finish(struct luo_file_set *set);

/* luo_subsystem.c */

void luo_subsystem_checkpoint_all(void);
int luo_subsystem_prepare_all(void);
int luo_subsystem_freeze_all(void);
void luo_subsystem_unfreeze_all(void);
void luo_subsystem_rollback_all(void);
void luo_subsystem_cancel_all(void);
void luo_subsystem_serialize_all(struct luo_contents *contents);
void luo_subsystem_deserialize_all(void);
void luo_subsystem_report_all(void);
void luo_subsystem_finish_all(void);
void luo_subsystem_module_live(const struct module *module);

/* luo_session.c, luo_session_close.c, luo_session_table.c, luo_session_all.c */

struct luo_session;

int luo_session_init(void);
void luo_session_deserialize_all(const struct luo_array *array,
				 struct luo_totals *totals);
u64 luo_session_count(enum luo_dir dir);
struct luo_session *luo_session_create(const u8 *name);
struct luo_session *luo_session_claim(const u8 *name);
void luo_session_trace_create(const u8 *name, int ret);
void luo_session_trace_retrieve(struct luo_session *session, const u8 *name, int ret);
void luo_session_set_owner(struct luo_session *session);
void luo_session_close(struct luo_session *session);
void luo_session_release_closed(void);
void luo_session_release(struct luo_session *session);
void luo_session_trace_reject_file(const struct luo_session *session, u64 token,
				   int ret);
void luo_session_trace_reject_event(const struct luo_session *session, u32 event,
				    int ret);
const char *luo_session_name(const struct luo_session *session);
enum luo_dir luo_session_dir(const struct luo_session *session);
int luo_session_preserve(struct luo_session *session, struct file *file,
			 u64 token);
int luo_session_retrieve(struct luo_session *session, u64 token,
			 struct file **filep);
int luo_session_unpreserve(struct luo_session *session, u64 token);
int luo_session_finish(struct luo_session *session);
enum liveupdate_state luo_session_state(const struct luo_session *session);
int luo_session_event(struct luo_session *session, u32 event);
void luo_session_trace_reject_finish(const struct luo_session *session, int ret);
void luo_session_checkpoint_all(void);
int luo_session_prepare_all(void);
void luo_session_cancel_all(void);
int luo_session_freeze_all(struct luo_array *array, struct luo_totals *totals);
void luo_session_rollback_all(void);
int luo_session_finish_all(void);
void luo_session_give_up_all(void);

/* luo_state.c */

extern struct rw_semaphore luo_state_lock;

enum liveupdate_state luo_state(void);
void luo_state_init_updated(void);
void luo_state_init_normal(void);
int luo_state_event(u32 event);
void luo_state_trace_reject(u32 event, int ret);
void luo_state_check_finished(void);
int luo_state_init(void);

/* luo_test_damage.c */

#ifdef CONFIG_LIVEUPDATE_SELFTEST
int luo_test_damage_set(const void __user *arg);
int luo_test_damage(const struct luo_contents *contents);
#else
static inline int luo_test_damage(const struct luo_contents *contents)
{
	return 0;
}
#endif

/* luo_walk.c */

void luo_debugfs_init(void);

/* luo_ioctl.c */

int luo_ioctl_init(void);

#endif /* _LINUX_LUO_INTERNAL_H */
