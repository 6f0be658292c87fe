/* SPDX-License-Identifier: GPL-2.0 */

/*
 * libluo, for agents: the calls of /dev/liveupdate as functions, see libluo(3).
 *
 * Each function returns 0 or a descriptor, which is close-on-exec, or a negative errno. The
 * errnos below are those that an agent can act on; <linux/liveupdate.h> of this LUO has all
 * of them. The library has no state: any thread can call any function.
 *
 * It works with this LUO and with that of a stock Linux 7.2 or 7.3, which has no states, no
 * events, no luo_session_unpreserve_fd() and no files without a session: there these return
 * -EOPNOTSUPP and change nothing. An agent then goes on without. So do the luo_fd_*() and
 * luo_session_fd_*() calls with an earlier version of this LUO, which has only the others.
 */

#ifndef LIBLUO_H
#define LIBLUO_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of the longest name of a session, and one for the terminating zero. */
#define LUO_NAME_SIZE	64

/* Name of the session that has the files of luo_fd_preserve(). */
#define LUO_DEVICE_SESSION	"device"

/**
 * enum luo_state - global state, or state of one session or file
 * @LUO_STATE_NORMAL:	no live update is in progress
 * @LUO_STATE_PREPARED:	state is saved, the workload still runs
 * @LUO_STATE_FROZEN:	the saved state is final, kexec comes next
 * @LUO_STATE_UPDATED:	this kernel holds it for the previous one
 */
enum luo_state {
	LUO_STATE_NORMAL = 0,
	LUO_STATE_PREPARED = 1,
	LUO_STATE_FROZEN = 2,
	LUO_STATE_UPDATED = 3
};

/**
 * enum luo_event - event that changes the global state or that of a session or a file
 * @LUO_EVENT_PREPARE:	save state while the workload still runs
 * @LUO_EVENT_FREEZE:	make the saved state final; not for the global state
 * @LUO_EVENT_FINISH:	release the incoming state, which is restored
 * @LUO_EVENT_CANCEL:	undo PREPARE and FREEZE
 */
enum luo_event {
	LUO_EVENT_PREPARE = 0,
	LUO_EVENT_FREEZE = 1,
	LUO_EVENT_FINISH = 2,
	LUO_EVENT_CANCEL = 3
};

/**
 * luo_open - open /dev/liveupdate
 *
 * One process at a time can have it open. It is needed only for the calls that take @dev:
 * close it as soon as the sessions are open, they stay. Only the files of luo_fd_preserve()
 * need it until the kexec.
 *
 * Return: a descriptor; -ENOENT if the kernel has no LUO or was not booted with
 *	   liveupdate=on and KHO; -EBUSY while another process has it open; -EPERM or -EACCES
 *	   without root; -EIO of a stock kernel that cannot read what was handed over to it.
 */
int luo_open(void);

/**
 * luo_session_create - create an outgoing session
 * @dev:  from luo_open()
 * @name: 1 to 63 bytes, by which the next kernel's agent claims the session
 *
 * The session lives as long as its descriptor is open: keep it until the kexec. Closing it
 * unpreserves its files.
 *
 * Return: a descriptor; -EINVAL for an empty name, -ENAMETOOLONG; -EEXIST if an outgoing
 *	   session has that name; -EAGAIN while the global state is PREPARED or FROZEN.
 */
int luo_session_create(int dev, const char *name);

/**
 * luo_session_retrieve - claim a session of the previous kernel
 * @dev:  from luo_open()
 * @name: as it was created
 *
 * With this LUO a session that is closed before it is finished can be claimed again, with
 * all its files. That of a stock kernel finishes it when it is closed.
 *
 * Return: a descriptor; -EINVAL for an empty name, -ENAMETOOLONG; -ENOENT if the previous
 *	   kernel handed over no such session; -EBUSY while it is claimed, -EINVAL then of
 *	   a stock kernel.
 */
int luo_session_retrieve(int dev, const char *name);

/**
 * luo_get_state - get the global state
 * @dev:   from luo_open()
 * @state: set to the state, unless the call fails
 *
 * Never waits: during a transition it is the state before it.
 *
 * Return: 0; -EOPNOTSUPP of a stock kernel.
 */
int luo_get_state(int dev, enum luo_state *state);

/**
 * luo_set_event - change the global state
 * @dev:   from luo_open()
 * @event: PREPARE while NORMAL, CANCEL while PREPARED, FINISH while UPDATED
 *
 * PREPARE and CANCEL are for all outgoing sessions, FINISH is for all incoming ones: it
 * discards those that are not claimed, with their files. Returns when the handlers of all
 * files are done. If one of them fails, PREPARE is rolled back.
 *
 * Return: 0; -EINVAL for an event that the state does not allow, FREEZE always; -EBUSY for
 *	   PREPARE while UPDATED, or if a session cannot finish yet; -EOPNOTSUPP of a stock
 *	   kernel, and for a number that is no event; the errno of a handler that failed.
 */
int luo_set_event(int dev, enum luo_event event);

/**
 * luo_fd_preserve - preserve a file without a session
 * @dev:   from luo_open(); closing it before the kexec unpreserves the file
 * @fd:	   the file; can be closed afterwards
 * @token: the caller's name for it, unique among these files
 *
 * These files are in a session, LUO_DEVICE_SESSION, that exists while there is one of them.
 * Global events include it.
 *
 * Return: 0; -EBADF for @fd; -ENOENT if no handler accepts such a file; -EEXIST if the token
 *	   is in use, or luo_session_create() made a session of that name; -EBUSY if the
 *	   file is preserved already; -EAGAIN while the global state is FROZEN; while it is
 *	   PREPARED -EAGAIN, or -EBUSY if there is such a file already; -ENOSPC if there are
 *	   too many; -EOPNOTSUPP of a kernel without this call; the errno of the handler.
 */
int luo_fd_preserve(int dev, int fd, uint64_t token);

/**
 * luo_fd_unpreserve - take back what luo_fd_preserve() did
 * @dev:   from luo_open()
 * @token: as it was preserved
 *
 * Return: 0; -ENOENT if there is no such file; -EBUSY if it is not NORMAL, or the global
 *	   state is PREPARED; -EAGAIN while that is FROZEN; -EOPNOTSUPP of a kernel without
 *	   this call.
 */
int luo_fd_unpreserve(int dev, uint64_t token);

/**
 * luo_fd_restore - get back a file that luo_fd_preserve() preserved in the previous kernel
 * @dev:   from luo_open()
 * @token: as it was preserved
 *
 * The first call claims LUO_DEVICE_SESSION until @dev is closed. The next process that opens
 * the device can have the files that are not finished by then. luo_fd_set_event() finishes
 * one, luo_set_event() all of them. In a kernel without this call, luo_session_retrieve()
 * claims that session.
 *
 * Return: a descriptor, of the same open file each time; -ENOENT if the previous kernel
 *	   handed over no such file, or its handler is not registered; -EBUSY if
 *	   luo_session_retrieve() claimed the session; -EOPNOTSUPP of a kernel without this
 *	   call; the errno of the handler, the same each time.
 */
int luo_fd_restore(int dev, uint64_t token);

/**
 * luo_fd_get_state - get the state of a file that is preserved without a session
 * @dev:      from luo_open()
 * @incoming: 1 for a file of the previous kernel, 0 for one that is preserved for the next
 *	      kernel; they have separate tokens
 * @token:    as it was preserved
 * @state:    set to the state, unless the call fails
 *
 * Never waits, as luo_get_state(), and claims nothing.
 *
 * Return: 0; -ENOENT if there is no such file; -EOPNOTSUPP of a kernel without this call.
 */
int luo_fd_get_state(int dev, int incoming, uint64_t token, enum luo_state *state);

/**
 * luo_fd_set_event - change the state of a file that is preserved without a session
 * @dev:   from luo_open()
 * @token: as it was preserved
 * @event: FINISH for a file of the previous kernel, which it claims as luo_fd_restore() does;
 *	   any other one for a file that is preserved for the next kernel. As
 *	   luo_session_fd_set_event()
 *
 * Return: as luo_session_fd_set_event(); -ENOENT if there is no such file; -EBUSY also if
 *	   luo_session_retrieve() claimed the session.
 */
int luo_fd_set_event(int dev, uint64_t token, enum luo_event event);

/**
 * luo_session_preserve_fd - preserve a file
 * @session: an outgoing session
 * @fd:	     the file; can be closed afterwards
 * @token:   the caller's name for it, unique in the session
 *
 * Return: 0; -EBADF for @fd; -ENOENT if no handler accepts such a file; -EEXIST if the token
 *	   is in use; -EBUSY if the file is preserved already or the session not NORMAL;
 *	   -ENOSPC if the session is full; -EOPNOTSUPP for an incoming session, -EINVAL then
 *	   of a stock kernel; the errno of the handler.
 */
int luo_session_preserve_fd(int session, int fd, uint64_t token);

/**
 * luo_session_unpreserve_fd - remove a file from a session
 * @session: an outgoing session
 * @token:   as it was preserved
 *
 * Return: 0; -ENOENT if the session has no such token; -EBUSY if the session or the file
 *	   is not NORMAL; -EOPNOTSUPP for an incoming session, and of a stock kernel: there
 *	   closing the session removes all its files.
 */
int luo_session_unpreserve_fd(int session, uint64_t token);

/**
 * luo_session_retrieve_fd - get a file of the previous kernel back
 * @session: a claimed session
 * @token:   as it was preserved
 *
 * Return: a descriptor, of the same open file each time; -ENOENT if the session has no such
 *	   token or the file's handler is not registered; -EOPNOTSUPP for an outgoing
 *	   session, -EINVAL then of a stock kernel; the errno of the handler, the same each
 *	   time.
 */
int luo_session_retrieve_fd(int session, uint64_t token);

/**
 * luo_session_finish - finish a session once its files are retrieved
 * @session: a claimed session
 *
 * Finishes all files or none. A file that was not retrieved is discarded with its content.
 *
 * Return: 0; -EBUSY if a handler cannot finish yet: try again; -EINVAL if the session is
 *	   finished, 0 then of a stock kernel; -EOPNOTSUPP for an outgoing session, -EINVAL
 *	   then of a stock kernel.
 */
int luo_session_finish(int session);

/**
 * luo_session_get_name - get the name of a session
 * @session: any session
 * @name:    set to its name with a terminating zero, unless the call fails
 *
 * Return: 0; -EOPNOTSUPP of a stock kernel whose LUO does not have this call.
 */
int luo_session_get_name(int session, char name[LUO_NAME_SIZE]);

/**
 * luo_session_get_state - get the state of a session
 * @session: any session
 * @state:   set to the state, unless the call fails; NORMAL if the session is finished
 *
 * Never waits, as luo_get_state().
 *
 * Return: 0; -EOPNOTSUPP of a stock kernel.
 */
int luo_session_get_state(int session, enum luo_state *state);

/**
 * luo_session_set_event - change the state of a session, whatever that of others
 * @session: any session
 * @event:   of an outgoing session PREPARE while NORMAL, FREEZE while PREPARED, CANCEL while
 *	     PREPARED or FROZEN; of an incoming one FINISH, the same as luo_session_finish()
 *
 * Return: 0; -EINVAL for an event that the state does not allow; -EBUSY if a handler cannot
 *	   finish yet; -EOPNOTSUPP of a stock kernel, for FINISH too, and for a number that
 *	   is no event; the errno of a handler that failed.
 */
int luo_session_set_event(int session, enum luo_event event);

/**
 * luo_session_fd_get_state - get the state of one file of a session
 * @session: any session
 * @token:   as it was preserved
 * @state:   set to the state, unless the call fails; UPDATED until an incoming file is
 *	     finished, retrieved or not
 *
 * Never waits, as luo_get_state().
 *
 * Return: 0; -ENOENT if the session has no such token; -EOPNOTSUPP of a kernel without this
 *	   call.
 */
int luo_session_fd_get_state(int session, uint64_t token, enum luo_state *state);

/**
 * luo_session_fd_set_event - change the state of one file, whatever that of others
 * @session: any session
 * @token:   as it was preserved
 * @event:   of an outgoing file PREPARE while NORMAL, FREEZE while PREPARED, CANCEL while
 *	     PREPARED or FROZEN; of an incoming one FINISH, which discards it if it was not
 *	     retrieved. The last file finishes the session
 *
 * For files that take long. Events of the session, and global ones, skip the files that have
 * made the step already.
 *
 * Return: 0; -ENOENT if the session has no such token; -EINVAL for an event that the state
 *	   of the file does not allow; -EBUSY if the session is FROZEN, or the handler cannot
 *	   finish yet; -EOPNOTSUPP of a kernel without this call, and for a number that is
 *	   no event; the errno of a handler that failed.
 */
int luo_session_fd_set_event(int session, uint64_t token, enum luo_event event);

/**
 * luo_mark - mark a workload as paused or resumed just now
 * @name:   1 to 63 bytes without a newline, best that of its session; the same for both
 * @paused: 1 once it is paused, in the old kernel; 0 once it runs again, in the new kernel,
 *	    or in the old one if there was no live update
 *
 * luotrace timeline says how long it stood still. Takes microseconds, never waits, and is
 * async-signal-safe; needs no session and no descriptor.
 *
 * Return: 0; -EINVAL or -ENAMETOOLONG for the name; -EOPNOTSUPP if neither the kernel nor
 *	   luotrace takes the mark; -EACCES without root; -ENOSPC if the record is full;
 *	   -ENOENT to resume what is not paused, in a kernel that was not booted by a live
 *	   update; -EAGAIN, -ENODEV. None of these is a reason not to pause or resume.
 */
int luo_mark(const char *name, int paused);

#ifdef __cplusplus
}
#endif

#endif
