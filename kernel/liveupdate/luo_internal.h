/* SPDX-License-Identifier: GPL-2.0 */

/**
 * DOC: Layers and locks
 *
 * What all files of LUO share: the layers, the locks and the base types. Each layer
 * has a header of its own and calls only those below it::
 *
 *	luo_core		starts LUO at boot
 *	luo_ioctl		/dev/liveupdate and the calls on a session
 *	luo_ucmd		runs a call
 *	luo_module		notices when a module is loaded or unloaded
 *	luo_state		the global state, the way into kexec
 *	luo_sysfs		/sys/kernel/liveupdate
 *	luo_debugfs, luo_iter	sessions and files as text and for BPF programs
 *	luo_walk		one session and one file after the other
 *	luo_session_all		all sessions at once
 *	luo_device		the session of the open device
 *	luo_session_close	the end of a session
 *	luo_session		one session
 *	luo_session_table	the outgoing and the incoming sessions
 *	luo_session_step	what reboot() does with each session, inlined
 *	luo_file_event		events of one file
 *	luo_file_in, luo_file_out, luo_file
 *				the files of one session
 *	luo_file_step		what reboot() does with each file, inlined
 *	luo_run			calls for one file after the other
 *	luo_recorder_handover	hands the record of a live update over
 *	luo_subsystem		kernel parts with state that is not in files
 *	luo_register		handlers and FLBs register
 *	luo_flb_in, luo_flb	state that several files need, bound to their lifetime
 *	luo_handler		file handlers
 *	luo_attr		what a handler may lose of a file
 *	luo_call		calls callbacks
 *	luo_handover, luo_handover_in
 *				the tables that lead to what one kernel writes and the
 *				next one reads
 *	luo_array		reads the arrays of records
 *	luo_seal		proves that a page is a block, and a record intact
 *	luo_reject		what is rejected of the handover
 *	luo_tally		records calls for one file after the other
 *	luo_recorder_init, luo_recorder_pause, luo_recorder_marks, luo_recorder_tasks,
 *	luo_recorder_move, luo_recorder, luo_recorder_figures, luo_recorder_clock
 *				the record of a live update
 *	luo_notice		messages that may come by the thousand
 *	luo_trace		the trace events
 *	luo_base		whether LUO is on; the global state and its lock
 *
 * Locks, in the order in which they are taken::
 *
 *	luo_state_lock		rwsem. Readers: every ioctl except GET_NAME,
 *				GET_STATE and FD_GET_STATE, which read a single
 *				value, and the release of a session. Writers: transitions of the
 *				global state, which then own all sessions and
 *				files; registering and unregistering a subsystem.
 *				Ioctls take it killably: a writer may wait for a
 *				slow handler, and every reader waits for the
 *				writer.
 *	luo_closed_lock		mutex: the release of sessions that were closed during
 *				a transition. Ioctls and reboot() take it killably.
 *	luo_device_slot.lock	mutex, one per direction: the session of the open
 *				device. Held by calls for its files.
 *	luo_file_set.lock	mutex, one per session: its state and its files.
 *				Ioctls take it killably too. A global transition
 *				needs none of outgoing sessions, as it has
 *				luo_state_lock for writing.
 *	luo_session_set.lock	mutex, one for outgoing and one for incoming
 *				sessions: which sessions exist, which are claimed.
 *				A walk takes it for each session; no callback runs
 *				under it.
 *	luo_flb_out.lock	mutex, one per outgoing FLB: the files that depend
 *	luo_flb_in.lock		on it and its users; the same for incoming FLBs.
 *				Held across its callbacks, which may ask for another
 *				FLB and then take the lock of that one.
 *	luo_flb_lock		mutex: which FLBs exist and which handlers they are
 *				registered with. No callback runs under it.
 *	luo_handler_lock	rwsem: which file handlers are registered. Held
 *				across can_preserve, and no other callback.
 *	luo_owner_lock		spinlock: who used a session last.
 *	luo_notice_lock		spinlock: messages that are being collected.
 *	luo_recorder_lock	spinlock: making a row, keeping a long call, workloads
 *				that pause, reading the record.
 *	luo_busy.lock		spinlock, one per row and one for all ioctls: what
 *				runs in parallel. That of the ioctls is also for the
 *				incoming marks, the open of the device and the end.
 *	luo_tasks.lock		raw spinlock, interrupts off: what agents do, by
 *				task. Also taken by probes under the locks of the
 *				scheduler.
 *
 * Nothing is called under the spinlocks. Below all of these are the locks that
 * handlers and KHO take. No tracer takes any of them: a reader of the trace events
 * never waits for a freeze.
 */

#ifndef _LINUX_LUO_INTERNAL_H
#define _LINUX_LUO_INTERNAL_H

#include <linux/cleanup.h>
#include <linux/liveupdate.h>
#include <linux/rwsem.h>
#include <linux/string.h>
#include <linux/types.h>
#include <trace/events/luo.h>
#include <uapi/linux/liveupdate_recorder.h>

/* Who has callbacks */
enum luo_kind { LUO_KIND_HANDLER, LUO_KIND_SUBSYSTEM, LUO_KIND_FLB };

#define LUO_NR_OPS	(LUO_OP_BOOT + 1)

/**
 * luo_op_dir - direction of an operation
 * @op: the operation
 *
 * Return: LUO_DIR_IN if it is called for what the previous kernel handed over.
 */
static inline enum luo_dir luo_op_dir(enum luo_op op)
{
	switch (op) {
	case LUO_OP_RETRIEVE:
	case LUO_OP_CAN_FINISH:
	case LUO_OP_FINISH:
	case LUO_OP_BOOT:
		return LUO_DIR_IN;
	default:
		return LUO_DIR_OUT;
	}
}

/**
 * struct luo_call - what one callback is called for, as events and recorder show it
 * @kind:       who is called
 * @slot:       from luo_recorder_slot()
 * @session:    name of the session; file handlers only
 * @tool:       the file is incoming, and its session that of the tool that records
 * @token:      of the file; file handlers only
 * @compatible: of the handler or the FLB, or the name of the subsystem
 */
struct luo_call {
	enum luo_kind kind;
	unsigned int slot;
	const char *session;
	bool tool;
	u64 token;
	const char *compatible;
};

/**
 * struct luo_totals - how much a handover holds
 * @sessions: sessions
 * @files:    files of all sessions
 * @orphans:  files whose handler is not registered
 * @bytes:    preserved memory of the two tables and the arrays; incoming: as far as it
 *	      is accepted
 * @kept:     incoming: so many pages of blocks are read, but stay reserved as nothing
 *	      proves them
 * @reserved: incoming: at least so many pages are rejected, neither restored nor freed
 * @rejected: incoming: rejected records, whose memory is unknown
 */
struct luo_totals {
	u64 sessions;
	u64 files;
	u64 orphans;
	u64 bytes;
	u64 kept;
	u64 reserved;
	u64 rejected;
};

/**
 * luo_string_ok - check that a fixed-size string field holds a name
 * @s:	  the field
 * @size: its size in bytes
 *
 * Return: true if it is neither empty nor unterminated.
 */
static inline bool luo_string_ok(const char *s, size_t size)
{
	size_t len = strnlen(s, size);

	return len && len < size;
}

/* luo_base.c */

extern bool luo_enabled;
extern struct rw_semaphore luo_state_lock;
extern enum liveupdate_state luo_global_state;

/**
 * luo_state - read the global state
 *
 * Context: any; the answer is stable only under luo_state_lock.
 * Return: the state.
 */
static inline enum liveupdate_state luo_state(void)
{
	return READ_ONCE(luo_global_state);
}

#ifdef CONFIG_LIVEUPDATE_TEST
/* The base's lib/tests/liveupdate.c */
void liveupdate_test_register(struct liveupdate_file_handler *fh);
#else
static inline void liveupdate_test_register(struct liveupdate_file_handler *fh)
{
}
#endif

#endif /* _LINUX_LUO_INTERNAL_H */
