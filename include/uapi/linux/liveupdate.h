/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */

/*
 * User-space ABI of the Live Update Orchestrator, /dev/liveupdate.
 */

#ifndef _UAPI_LIVEUPDATE_H
#define _UAPI_LIVEUPDATE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: Calls and errors
 *
 * Every call takes a pointer to a structure whose first member is its size in
 * bytes, as the caller knows it. A kernel that knows a shorter structure takes
 * it if the rest is zero; a kernel that knows a longer one takes the missing
 * rest as zero. The same errno means the same thing in every call:
 *
 *  - EINVAL: the structure is shorter than its first version, or a value in it
 *    is never valid (an empty or unterminated name, a reserved field that is
 *    not zero, an event that this state does not know).
 *  - E2BIG: the structure is longer than this kernel's and the rest is not
 *    zero, or it is longer than a page, whatever is in it.
 *  - ENOTTY: no such call on this file.
 *  - EOPNOTSUPP: the call exists but not for this session: a call that belongs
 *    to outgoing sessions was made on an incoming one or the other way round.
 *  - EFAULT: the structure cannot be read or written. Nothing is created or
 *    claimed then.
 *  - ENOENT: no session of that name, no file of that token, no handler for
 *    that file.
 *  - EEXIST: the name or the token is taken.
 *  - EBUSY: somebody holds it, or its state does not allow the call.
 *  - EAGAIN: not while the machine is prepared or frozen; try again after the
 *    live update or its cancellation.
 *  - EBADF: the file descriptor to preserve is not open.
 *  - EMFILE: no file descriptor is left for the result.
 *  - ENOSPC: the session holds LIVEUPDATE_SESSION_MAX_FILES files, or there are as
 *    many sessions as a handover has room for, some 400,000.
 *  - ENOMEM: out of memory, or the caller's memory cgroup is; nothing has changed.
 *  - EINTR: the caller is killed while it waits for another call.
 *
 * What a call that fails leaves in the out members means nothing.
 *
 * Any other errno of PRESERVE_FD and RETRIEVE_FD is the file handler's own.
 *
 * What the kernel keeps for a session and its files is charged to the memory cgroup of
 * the process that makes the call: about 5 KiB for an empty memfd beside the memfd
 * itself. A preserved file is open without a descriptor, so RLIMIT_NOFILE bounds the
 * sessions of a process, and LIVEUPDATE_SESSION_MAX_FILES the files of each.
 */

/* The ioctl type of all calls; registered in ioctl-number.rst. */
#define LIVEUPDATE_IOCTL_TYPE		0xBA

/* Bytes for a session name, its terminating zero included. */
#define LIVEUPDATE_SESSION_NAME_LENGTH	64

/* Files that one session holds at most */
#define LIVEUPDATE_SESSION_MAX_FILES	262144

/* Calls on /dev/liveupdate */
enum {
	LIVEUPDATE_CMD_BASE = 0x00,
	LIVEUPDATE_CMD_CREATE_SESSION = LIVEUPDATE_CMD_BASE,
	LIVEUPDATE_CMD_RETRIEVE_SESSION = 0x01,
	LIVEUPDATE_CMD_GET_STATE = 0x20,
	LIVEUPDATE_CMD_SET_EVENT = 0x21,
};

/* Calls on a session */
enum {
	LIVEUPDATE_CMD_SESSION_BASE = 0x40,
	LIVEUPDATE_CMD_SESSION_PRESERVE_FD = LIVEUPDATE_CMD_SESSION_BASE,
	LIVEUPDATE_CMD_SESSION_RETRIEVE_FD = 0x41,
	LIVEUPDATE_CMD_SESSION_FINISH = 0x42,
	LIVEUPDATE_CMD_SESSION_GET_NAME = 0x43,
	LIVEUPDATE_CMD_SESSION_UNPRESERVE_FD = 0x60,
	LIVEUPDATE_CMD_SESSION_GET_STATE = 0x61,
	LIVEUPDATE_CMD_SESSION_SET_EVENT = 0x62,
};

/**
 * enum liveupdate_state - state of the machine, or of one session
 * @LIVEUPDATE_STATE_NORMAL:   no live update is under way
 * @LIVEUPDATE_STATE_PREPARED: state is saved, the workload still runs
 * @LIVEUPDATE_STATE_FROZEN:   state is final, the jump comes next
 * @LIVEUPDATE_STATE_UPDATED:  this kernel holds sessions of the previous one
 */
enum liveupdate_state {
	LIVEUPDATE_STATE_NORMAL = 0,
	LIVEUPDATE_STATE_PREPARED = 1,
	LIVEUPDATE_STATE_FROZEN = 2,
	LIVEUPDATE_STATE_UPDATED = 3,
};

/**
 * enum liveupdate_event - what moves the machine, or one session, on
 * @LIVEUPDATE_PREPARE: save state while the workload still runs
 * @LIVEUPDATE_FREEZE:  make the saved state final
 * @LIVEUPDATE_FINISH:  the incoming state is taken back, let go of it
 * @LIVEUPDATE_CANCEL:  undo PREPARE and FREEZE
 */
enum liveupdate_event {
	LIVEUPDATE_PREPARE = 0,
	LIVEUPDATE_FREEZE = 1,
	LIVEUPDATE_FINISH = 2,
	LIVEUPDATE_CANCEL = 3,
};

/**
 * struct liveupdate_ioctl_create_session - LIVEUPDATE_IOCTL_CREATE_SESSION
 * @size: in, bytes in this structure
 * @fd:   out, the new session, close-on-exec
 * @name: in, zero-terminated, not empty
 *
 * Opens a new outgoing session. It lives as long as its file descriptor: an
 * agent holds it until the jump.
 *
 * Errors: EINVAL for the name, EEXIST if an outgoing session has that name,
 * EAGAIN while the machine is prepared or frozen.
 */
struct liveupdate_ioctl_create_session {
	__u32		size;
	__s32		fd;
	__u8		name[LIVEUPDATE_SESSION_NAME_LENGTH];
};

#define LIVEUPDATE_IOCTL_CREATE_SESSION					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_CREATE_SESSION)

/**
 * struct liveupdate_ioctl_retrieve_session - LIVEUPDATE_IOCTL_RETRIEVE_SESSION
 * @size: in, bytes in this structure
 * @fd:   out, the incoming session, close-on-exec
 * @name: in, zero-terminated, as it was given to CREATE_SESSION
 *
 * Claims a session that the previous kernel handed over. A session that was
 * claimed and closed without FINISH can be claimed again, with all its files.
 *
 * Errors: EINVAL for the name, ENOENT if there is no such incoming session,
 * EBUSY while it is claimed and open, EAGAIN once the machine is frozen.
 */
struct liveupdate_ioctl_retrieve_session {
	__u32		size;
	__s32		fd;
	__u8		name[LIVEUPDATE_SESSION_NAME_LENGTH];
};

#define LIVEUPDATE_IOCTL_RETRIEVE_SESSION				\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_RETRIEVE_SESSION)

/**
 * struct liveupdate_ioctl_get_state - LIVEUPDATE_IOCTL_GET_STATE
 * @size:  in, bytes in this structure
 * @state: out, enum liveupdate_state
 *
 * The state of the machine; /sys/kernel/liveupdate/state says it as a word and
 * can be polled. The answer comes at once in any state, also while a transition is
 * under way: then it is the state before it.
 */
struct liveupdate_ioctl_get_state {
	__u32		size;
	__u32		state;
};

#define LIVEUPDATE_IOCTL_GET_STATE					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_GET_STATE)

/**
 * struct liveupdate_ioctl_set_event - LIVEUPDATE_IOCTL_SET_EVENT
 * @size:  in, bytes in this structure
 * @event: in, enum liveupdate_event
 *
 * Moves the whole machine on:
 *
 *  - PREPARE, while NORMAL: every outgoing session that is NORMAL is prepared,
 *    in order of creation; the machine is PREPARED. If one fails, those before
 *    it are cancelled, and the errno is the handler's.
 *  - CANCEL, while PREPARED: every outgoing session is NORMAL again, also those
 *    that were prepared or frozen one by one; the machine is NORMAL.
 *  - FINISH, while UPDATED: claimed sessions are finished, unclaimed ones are
 *    discarded with all they hold; the machine is NORMAL. If one cannot finish
 *    yet (EBUSY), it is left, and so is UPDATED.
 *
 * Errors: EBUSY for PREPARE while UPDATED; EOPNOTSUPP for an unknown event;
 * EINVAL for FREEZE, which is reboot()'s alone, and for any other event that
 * the state does not allow; and those of the handlers.
 */
struct liveupdate_ioctl_set_event {
	__u32		size;
	__u32		event;
};

#define LIVEUPDATE_IOCTL_SET_EVENT					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_SET_EVENT)

/**
 * struct liveupdate_session_preserve_fd - LIVEUPDATE_SESSION_PRESERVE_FD
 * @size:  in, bytes in this structure
 * @fd:    in, the file to preserve
 * @token: in, the caller's name for the file, any u64, unique in the session
 *
 * Outgoing sessions only. Runs the file handler's preserve; the file stays
 * usable, but what its handler does not allow any more (resizing a memfd, for
 * one) fails until it is given back.
 *
 * Errors: EBADF, EEXIST if the token is taken, ENOENT if no handler takes this
 * kind of file, EBUSY if the file is preserved already, in this session or
 * another, or if the session is not NORMAL, ENOSPC if the session holds
 * LIVEUPDATE_SESSION_MAX_FILES, and those of the handler.
 */
struct liveupdate_session_preserve_fd {
	__u32		size;
	__s32		fd;
	__aligned_u64	token;
};

#define LIVEUPDATE_SESSION_PRESERVE_FD					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_SESSION_PRESERVE_FD)

/**
 * struct liveupdate_session_retrieve_fd - LIVEUPDATE_SESSION_RETRIEVE_FD
 * @size:  in, bytes in this structure
 * @fd:    out, the file, close-on-exec
 * @token: in, as it was given to PRESERVE_FD
 *
 * Incoming sessions only, in any order. A second call gives another descriptor
 * of the same open file. A retrieve that failed keeps failing with its errno.
 *
 * Errors: ENOENT if the session has no such token, or no handler of the file's
 * kind is there (a handler that comes later is found then), and those of the
 * handler.
 */
struct liveupdate_session_retrieve_fd {
	__u32		size;
	__s32		fd;
	__aligned_u64	token;
};

#define LIVEUPDATE_SESSION_RETRIEVE_FD					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_SESSION_RETRIEVE_FD)

/* Another name for the same call */
#define LIVEUPDATE_SESSION_RESTORE_FD	LIVEUPDATE_SESSION_RETRIEVE_FD

/**
 * struct liveupdate_session_finish - LIVEUPDATE_SESSION_FINISH
 * @size:     in, bytes in this structure
 * @reserved: in, zero
 *
 * Incoming sessions only: the caller is done, all or nothing. First every
 * file's handler is asked; if one cannot finish yet, nothing changes and the
 * call can be made again. Then every file is finished, last preserved first. A
 * file that was never retrieved is discarded with its content.
 *
 * Errors: EBUSY if a handler cannot finish yet, EINVAL if the session is
 * finished already or @reserved is not zero.
 */
struct liveupdate_session_finish {
	__u32		size;
	__u32		reserved;
};

#define LIVEUPDATE_SESSION_FINISH					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_SESSION_FINISH)

/**
 * struct liveupdate_session_get_name - LIVEUPDATE_SESSION_GET_NAME
 * @size:     in, bytes in this structure
 * @reserved: in, zero
 * @name:     out, zero-terminated
 *
 * For a process that was passed a session and does not know its name.
 */
struct liveupdate_session_get_name {
	__u32		size;
	__u32		reserved;
	__u8		name[LIVEUPDATE_SESSION_NAME_LENGTH];
};

#define LIVEUPDATE_SESSION_GET_NAME					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_SESSION_GET_NAME)

/**
 * struct liveupdate_session_unpreserve_fd - LIVEUPDATE_SESSION_UNPRESERVE_FD
 * @size:     in, bytes in this structure
 * @reserved: in, zero
 * @token:    in, as it was given to PRESERVE_FD
 *
 * Outgoing sessions only. Gives one file back.
 *
 * Errors: ENOENT if there is no such token, EBUSY if the session is not NORMAL.
 */
struct liveupdate_session_unpreserve_fd {
	__u32		size;
	__u32		reserved;
	__aligned_u64	token;
};

#define LIVEUPDATE_SESSION_UNPRESERVE_FD				\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_SESSION_UNPRESERVE_FD)

/**
 * struct liveupdate_session_get_state - LIVEUPDATE_SESSION_GET_STATE
 * @size:  in, bytes in this structure
 * @state: out, enum liveupdate_state; NORMAL in a finished session
 *
 * The answer comes at once, as that of LIVEUPDATE_IOCTL_GET_STATE.
 */
struct liveupdate_session_get_state {
	__u32		size;
	__u32		state;
};

#define LIVEUPDATE_SESSION_GET_STATE					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_SESSION_GET_STATE)

/**
 * struct liveupdate_session_set_event - LIVEUPDATE_SESSION_SET_EVENT
 * @size:  in, bytes in this structure
 * @event: in, enum liveupdate_event
 *
 * Moves this session on, whatever the others do:
 *
 *  - PREPARE, an outgoing one while NORMAL, to PREPARED
 *  - FREEZE, an outgoing one while PREPARED, to FROZEN; a failure leads back to
 *    NORMAL
 *  - CANCEL, an outgoing one while PREPARED or FROZEN, to NORMAL
 *  - FINISH, an incoming one while UPDATED: as LIVEUPDATE_SESSION_FINISH
 *
 * Errors: EOPNOTSUPP for an unknown event; EINVAL for an event that the state
 * does not allow; EBUSY for FINISH if a handler cannot finish yet; and those of
 * the handlers.
 */
struct liveupdate_session_set_event {
	__u32		size;
	__u32		event;
};

#define LIVEUPDATE_SESSION_SET_EVENT					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_SESSION_SET_EVENT)

#endif /* _UAPI_LIVEUPDATE_H */
