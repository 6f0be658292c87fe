/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */

/*
 * User-space ABI of the Live Update Orchestrator, /dev/liveupdate
 */

#ifndef _UAPI_LIVEUPDATE_H
#define _UAPI_LIVEUPDATE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: Calls and errors
 *
 * Every call takes a pointer to a structure whose first member is its size in
 * bytes, as known to the caller. If the structure is longer than the kernel's, the
 * kernel accepts it as long as the excess is zero; if it is shorter, the kernel
 * treats the missing members as zero. An errno has the same meaning in every call:
 *
 *  - EINVAL: the structure is shorter than its first version, or a value in it
 *    is not valid (an empty or unterminated name, a reserved field that is not
 *    zero, an event that the current state does not allow).
 *  - E2BIG: the structure is longer than the kernel's and the excess is not
 *    zero, or it is longer than a page, whatever its contents.
 *  - ENOTTY: the file does not have this call.
 *  - EOPNOTSUPP: the call exists but does not apply to this session: a call for
 *    outgoing sessions was made on an incoming one or the other way round.
 *  - EFAULT: the structure cannot be read or written. Nothing is created or
 *    claimed in this case.
 *  - ENOENT: no session has that name, no file has that token, or no handler
 *    accepts that file.
 *  - EEXIST: the name or the token is already in use.
 *  - EBUSY: the object is in use, or its state does not allow the call.
 *  - EAGAIN: the global state is PREPARED or FROZEN; try again after the live
 *    update or its cancellation.
 *  - EBADF: the file descriptor to preserve is not open, or is one of O_PATH.
 *  - EMFILE: no file descriptor is available for the result.
 *  - ENFILE: the system has no open file left for a session, or for a restored file
 *    that is opened once more with its access mode, and the caller has no
 *    CAP_SYS_ADMIN.
 *  - ENOSPC: the session holds LIVEUPDATE_SESSION_MAX_FILES files, or the number of
 *    sessions has reached what a handover can hold, about 400,000, or that of the
 *    preserved FLBs, 56.
 *  - ENODEV: the file needs an FLB whose module is being loaded or unloaded.
 *  - ENOMEM: out of memory, or the memory cgroup of the caller has reached its
 *    limit; nothing has changed, except that a file has failed if the retrieve of
 *    its handler returned it.
 *  - EINTR: the caller was killed while it waited for another call.
 *
 * The output members of a call that fails are undefined.
 *
 * Any other errno of PRESERVE_FD and RETRIEVE_FD comes from the file handler, or of
 * RETRIEVE_FD from a security module that does not let the file be opened.
 *
 * Kernel memory for a session and its files is charged to the memory cgroup of the
 * calling process: about 5 KiB for an empty memfd, in addition to the memfd itself.
 * A preserved file stays open without a descriptor, so RLIMIT_NOFILE limits the
 * sessions of a process, and LIVEUPDATE_SESSION_MAX_FILES the files of each session.
 */

/* The ioctl type of all calls; registered in ioctl-number.rst */
#define LIVEUPDATE_IOCTL_TYPE		0xBA

/* Size of a session name in bytes, including the terminating zero */
#define LIVEUPDATE_SESSION_NAME_LENGTH	64

/* Maximum number of files in a session */
#define LIVEUPDATE_SESSION_MAX_FILES	262144

/*
 * Name of the session that FD_PRESERVE and FD_RESTORE use. It belongs to the open
 * device; one that was handed over under this name does, too.
 */
#define LIVEUPDATE_DEVICE_SESSION	"device"

/* Calls on /dev/liveupdate */
enum {
	LIVEUPDATE_CMD_BASE = 0x00,
	LIVEUPDATE_CMD_CREATE_SESSION = LIVEUPDATE_CMD_BASE,
	LIVEUPDATE_CMD_RETRIEVE_SESSION = 0x01,
	LIVEUPDATE_CMD_GET_STATE = 0x20,
	LIVEUPDATE_CMD_SET_EVENT = 0x21,
	LIVEUPDATE_CMD_FD_PRESERVE = 0x22,
	LIVEUPDATE_CMD_FD_UNPRESERVE = 0x23,
	LIVEUPDATE_CMD_FD_RESTORE = 0x24,
	LIVEUPDATE_CMD_FD_GET_STATE = 0x25,
	LIVEUPDATE_CMD_FD_SET_EVENT = 0x26,
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
	LIVEUPDATE_CMD_SESSION_FD_GET_STATE = 0x63,
	LIVEUPDATE_CMD_SESSION_FD_SET_EVENT = 0x64,
};

/**
 * enum liveupdate_state - global state, or state of one session or file
 * @LIVEUPDATE_STATE_NORMAL:   no live update is in progress
 * @LIVEUPDATE_STATE_PREPARED: state is saved, the workload still runs
 * @LIVEUPDATE_STATE_FROZEN:   the saved state is final, kexec comes next
 * @LIVEUPDATE_STATE_UPDATED:  this kernel holds it for the previous one
 */
enum liveupdate_state {
	LIVEUPDATE_STATE_NORMAL = 0,
	LIVEUPDATE_STATE_PREPARED = 1,
	LIVEUPDATE_STATE_FROZEN = 2,
	LIVEUPDATE_STATE_UPDATED = 3,
};

/**
 * enum liveupdate_event - event that changes the global state or that of a session or
 * a file
 * @LIVEUPDATE_PREPARE: save state while the workload still runs
 * @LIVEUPDATE_FREEZE:  make the saved state final
 * @LIVEUPDATE_FINISH:  release the incoming state, which is restored
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
 * @size: in, size of this structure in bytes
 * @fd:   out, the new session, close-on-exec
 * @name: in, zero-terminated, not empty
 *
 * Creates an outgoing session. It exists as long as its file descriptor is open:
 * the agent keeps it open until kexec.
 *
 * Errors: EINVAL for the name, EEXIST if an outgoing session has that name,
 * EAGAIN while the global state is PREPARED or FROZEN, ENOSPC if a handover has no
 * room for another session.
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
 * @size: in, size of this structure in bytes
 * @fd:   out, the incoming session, close-on-exec
 * @name: in, zero-terminated, as passed to CREATE_SESSION
 *
 * Claims a session that the previous kernel handed over. A session that is claimed
 * and closed without FINISH can be claimed again, with all its files.
 *
 * Errors: EINVAL for the name, ENOENT if no incoming session has that name,
 * EBUSY while it is claimed and open, EAGAIN once the global state is FROZEN.
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
 * @size:  in, size of this structure in bytes
 * @state: out, enum liveupdate_state
 *
 * Returns the global state; /sys/kernel/liveupdate/state holds it as a word and can
 * be polled. The call never waits: while a transition is in progress it returns the
 * state before it.
 */
struct liveupdate_ioctl_get_state {
	__u32		size;
	__u32		state;
};

#define LIVEUPDATE_IOCTL_GET_STATE					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_GET_STATE)

/**
 * struct liveupdate_ioctl_set_event - LIVEUPDATE_IOCTL_SET_EVENT
 * @size:  in, size of this structure in bytes
 * @event: in, enum liveupdate_event
 *
 * Changes the global state:
 *
 *  - PREPARE, while NORMAL: prepares every outgoing session that is NORMAL, in
 *    order of creation; the global state becomes PREPARED. If one fails, those
 *    prepared before it are cancelled, and the errno is that of the handler.
 *  - CANCEL, while PREPARED: returns every outgoing session to NORMAL, including
 *    those that were prepared or frozen individually; the global state becomes
 *    NORMAL.
 *  - FINISH, while UPDATED: finishes claimed sessions and discards unclaimed ones
 *    with everything they hold; the global state becomes NORMAL. A session that
 *    cannot finish yet (EBUSY) stays, and so does UPDATED.
 *
 * Errors: EBUSY for PREPARE while UPDATED; EOPNOTSUPP for an unknown event;
 * EINVAL for FREEZE, which is reserved for reboot(), and for any other event that
 * the state does not allow; and the errors of the handlers.
 */
struct liveupdate_ioctl_set_event {
	__u32		size;
	__u32		event;
};

#define LIVEUPDATE_IOCTL_SET_EVENT					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_SET_EVENT)

/**
 * struct liveupdate_ioctl_fd_preserve - LIVEUPDATE_IOCTL_FD_PRESERVE
 * @size:  in, size of this structure in bytes
 * @fd:    in, the file to preserve
 * @token: in, the caller's name for the file, any u64
 *
 * For an agent that needs no sessions: as LIVEUPDATE_SESSION_PRESERVE_FD, in the
 * outgoing session LIVEUPDATE_DEVICE_SESSION, which exists as long as it holds a file
 * and the device is open. Closing the device before kexec unpreserves all its files.
 *
 * Errors: those of LIVEUPDATE_SESSION_PRESERVE_FD; EAGAIN while the global state is
 * PREPARED or FROZEN and the session does not exist; EEXIST also if CREATE_SESSION has
 * made a session of that name; ENOSPC also if there is no room for the session.
 */
struct liveupdate_ioctl_fd_preserve {
	__u32		size;
	__s32		fd;
	__aligned_u64	token;
};

#define LIVEUPDATE_IOCTL_FD_PRESERVE					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_FD_PRESERVE)

/**
 * struct liveupdate_ioctl_fd_unpreserve - LIVEUPDATE_IOCTL_FD_UNPRESERVE
 * @size:     in, size of this structure in bytes
 * @reserved: in, zero
 * @token:    in, as passed to FD_PRESERVE
 *
 * Errors: those of LIVEUPDATE_SESSION_UNPRESERVE_FD.
 */
struct liveupdate_ioctl_fd_unpreserve {
	__u32		size;
	__u32		reserved;
	__aligned_u64	token;
};

#define LIVEUPDATE_IOCTL_FD_UNPRESERVE					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_FD_UNPRESERVE)

/**
 * struct liveupdate_ioctl_fd_restore - LIVEUPDATE_IOCTL_FD_RESTORE
 * @size:  in, size of this structure in bytes
 * @fd:    out, the file, close-on-exec
 * @token: in, as passed to FD_PRESERVE in the previous kernel
 *
 * As LIVEUPDATE_SESSION_RETRIEVE_FD, in the incoming session
 * LIVEUPDATE_DEVICE_SESSION, which the first call claims for the open device. A device
 * that is closed before that session is finished leaves it to the process that opens the device
 * next. The session is finished with its last file, see FD_SET_EVENT, or by the global
 * FINISH.
 *
 * Errors: those of LIVEUPDATE_SESSION_RETRIEVE_FD; EBUSY if RETRIEVE_SESSION has
 * claimed the session.
 */
struct liveupdate_ioctl_fd_restore {
	__u32		size;
	__s32		fd;
	__aligned_u64	token;
};

#define LIVEUPDATE_IOCTL_FD_RESTORE					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_FD_RESTORE)

/**
 * struct liveupdate_ioctl_fd_get_state - LIVEUPDATE_IOCTL_FD_GET_STATE
 * @size:     in, size of this structure in bytes
 * @state:    out, enum liveupdate_state
 * @token:    in, as passed to FD_PRESERVE
 * @incoming: in, 0 for a file that is preserved for the next kernel, 1 for one of the
 *	      previous kernel; they have separate tokens
 * @reserved: in, zero
 *
 * The call never waits, claims nothing, and also works while the global state is
 * FROZEN.
 *
 * Errors: ENOENT if there is no such file, EINVAL for another value of @incoming.
 */
struct liveupdate_ioctl_fd_get_state {
	__u32		size;
	__u32		state;
	__aligned_u64	token;
	__u32		incoming;
	__u32		reserved;
};

#define LIVEUPDATE_IOCTL_FD_GET_STATE					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_FD_GET_STATE)

/**
 * struct liveupdate_ioctl_fd_set_event - LIVEUPDATE_IOCTL_FD_SET_EVENT
 * @size:  in, size of this structure in bytes
 * @event: in, enum liveupdate_event
 * @token: in, as passed to FD_PRESERVE
 *
 * As LIVEUPDATE_SESSION_FD_SET_EVENT. FINISH is for a file of the previous kernel and
 * claims its session as FD_RESTORE does, any other event is for one that is preserved
 * for the next kernel.
 */
struct liveupdate_ioctl_fd_set_event {
	__u32		size;
	__u32		event;
	__aligned_u64	token;
};

#define LIVEUPDATE_IOCTL_FD_SET_EVENT					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_FD_SET_EVENT)

/**
 * struct liveupdate_session_preserve_fd - LIVEUPDATE_SESSION_PRESERVE_FD
 * @size:  in, size of this structure in bytes
 * @fd:    in, the file to preserve
 * @token: in, the caller's name for the file, any u64, unique in the session
 *
 * Outgoing sessions only. Calls the file handler's preserve. The file stays usable,
 * but operations that its handler forbids (such as resizing a memfd) fail until the
 * file is unpreserved.
 *
 * Errors: EBADF, EEXIST if the token is in use, ENOENT if no handler accepts this
 * kind of file, EBUSY if the file is already preserved, in this session or
 * another, or if the session is not NORMAL, ENOSPC if the session holds
 * LIVEUPDATE_SESSION_MAX_FILES or there is no room for an FLB of the file, ENODEV if
 * the module of an FLB is being loaded or unloaded, and the errors of the handler.
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
 * @size:  in, size of this structure in bytes
 * @fd:    out, the file, close-on-exec
 * @token: in, as passed to PRESERVE_FD
 *
 * Incoming sessions only, in any order. A second call returns another descriptor
 * of the same open file. A retrieve that failed keeps failing with its errno.
 *
 * Errors: ENOENT if the session has no such token, or no handler for the file is
 * registered (a handler that registers later is found then); EINVAL, EBUSY or ENFILE
 * if a restored memfd cannot get the attributes that it had, which the next call tries
 * again; and the errors of the handler.
 */
struct liveupdate_session_retrieve_fd {
	__u32		size;
	__s32		fd;
	__aligned_u64	token;
};

#define LIVEUPDATE_SESSION_RETRIEVE_FD					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_SESSION_RETRIEVE_FD)

/*
 * The same call, its number and its structure under the names of an earlier proposal,
 * for programs that were written for that one.
 */
#define LIVEUPDATE_SESSION_RESTORE_FD		LIVEUPDATE_SESSION_RETRIEVE_FD
#define LIVEUPDATE_CMD_SESSION_RESTORE_FD	LIVEUPDATE_CMD_SESSION_RETRIEVE_FD
#define liveupdate_session_restore_fd		liveupdate_session_retrieve_fd

/**
 * struct liveupdate_session_finish - LIVEUPDATE_SESSION_FINISH
 * @size:     in, size of this structure in bytes
 * @reserved: in, zero
 *
 * Incoming sessions only. Finishes all files or none. The handler of every file is
 * asked first; if one cannot finish yet, nothing changes and the call can be
 * repeated. Then every file is finished, in reverse order of preservation. A file
 * that was never retrieved is discarded with its content.
 *
 * Errors: EBUSY if a handler cannot finish yet, EINVAL if the session is already
 * finished or @reserved is not zero.
 */
struct liveupdate_session_finish {
	__u32		size;
	__u32		reserved;
};

#define LIVEUPDATE_SESSION_FINISH					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_SESSION_FINISH)

/**
 * struct liveupdate_session_get_name - LIVEUPDATE_SESSION_GET_NAME
 * @size:     in, size of this structure in bytes
 * @reserved: in, zero
 * @name:     out, zero-terminated
 *
 * For a process that received a session and does not know its name.
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
 * @size:     in, size of this structure in bytes
 * @reserved: in, zero
 * @token:    in, as passed to PRESERVE_FD
 *
 * Outgoing sessions only. Removes one file from the session.
 *
 * Errors: ENOENT if the session has no such token, EBUSY if it is not NORMAL, or the
 * file is not.
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
 * @size:  in, size of this structure in bytes
 * @state: out, enum liveupdate_state; NORMAL in a finished session
 *
 * The call never waits, as LIVEUPDATE_IOCTL_GET_STATE.
 */
struct liveupdate_session_get_state {
	__u32		size;
	__u32		state;
};

#define LIVEUPDATE_SESSION_GET_STATE					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_SESSION_GET_STATE)

/**
 * struct liveupdate_session_set_event - LIVEUPDATE_SESSION_SET_EVENT
 * @size:  in, size of this structure in bytes
 * @event: in, enum liveupdate_event
 *
 * Changes the state of this session independently of all others:
 *
 *  - PREPARE, outgoing, while NORMAL: to PREPARED
 *  - FREEZE, outgoing, while PREPARED: to FROZEN; on failure to NORMAL
 *  - CANCEL, outgoing, while PREPARED or FROZEN: to NORMAL
 *  - FINISH, incoming, while UPDATED: as LIVEUPDATE_SESSION_FINISH
 *
 * Errors: EOPNOTSUPP for an unknown event; EINVAL for an event that the state
 * does not allow; EBUSY for FINISH if a handler cannot finish yet; and the errors
 * of the handlers.
 */
struct liveupdate_session_set_event {
	__u32		size;
	__u32		event;
};

#define LIVEUPDATE_SESSION_SET_EVENT					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_SESSION_SET_EVENT)

/**
 * struct liveupdate_session_fd_get_state - LIVEUPDATE_SESSION_FD_GET_STATE
 * @size:  in, size of this structure in bytes
 * @state: out, enum liveupdate_state
 * @token: in, as passed to PRESERVE_FD
 *
 * Returns the state of one file of the session. That of an incoming file is UPDATED
 * until it is finished, also if it is retrieved or has failed to be. The call never
 * waits, as LIVEUPDATE_IOCTL_GET_STATE.
 *
 * Errors: ENOENT if the session has no such token.
 */
struct liveupdate_session_fd_get_state {
	__u32		size;
	__u32		state;
	__aligned_u64	token;
};

#define LIVEUPDATE_SESSION_FD_GET_STATE					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_SESSION_FD_GET_STATE)

/**
 * struct liveupdate_session_fd_set_event - LIVEUPDATE_SESSION_FD_SET_EVENT
 * @size:  in, size of this structure in bytes
 * @event: in, enum liveupdate_event
 * @token: in, as passed to PRESERVE_FD
 *
 * Changes the state of one file independently of its session:
 *
 *  - PREPARE, outgoing, while NORMAL: to PREPARED
 *  - FREEZE, outgoing, while PREPARED: to FROZEN; on failure to NORMAL
 *  - CANCEL, outgoing, while PREPARED or FROZEN: to NORMAL
 *  - FINISH, incoming, while UPDATED: finishes the file, which leaves the session; one
 *    that was never retrieved is discarded. The last one finishes the session.
 *
 * An event of the session, or a global one, skips files that have made its step
 * already, and makes the steps that others miss; a global PREPARE leaves a session that
 * is PREPARED as it is. If it fails, a file that was not in the state of its session is
 * as before, and the others follow the session: to NORMAL if its own FREEZE fails. CANCEL
 * of either rolls all files back.
 *
 * Errors: EOPNOTSUPP for an unknown event; ENOENT if the session has no such token;
 * EINVAL for an event that the state of the file does not allow; EBUSY if the session
 * is FROZEN, or for FINISH if the handler cannot finish yet; and the errors of the
 * handler.
 */
struct liveupdate_session_fd_set_event {
	__u32		size;
	__u32		event;
	__aligned_u64	token;
};

#define LIVEUPDATE_SESSION_FD_SET_EVENT					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_SESSION_FD_SET_EVENT)

#endif /* _UAPI_LIVEUPDATE_H */
