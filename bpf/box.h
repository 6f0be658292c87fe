/* SPDX-License-Identifier: GPL-2.0 */

/*
 * The black box: what luotrace keeps in a memfd that a session of its own hands over to the
 * next kernel. Its first pages are written by BPF programs in the task that reboots, up to
 * the kexec itself; the rest by luotrace. Both include this after their own definitions of
 * __u64 and so on.
 *
 * All times are ns of the monotonic clock of the kernel that wrote them, 0 for a moment that
 * was not reached.
 */

#ifndef BOX_H
#define BOX_H

#define BOX_PAGE	4096
#define BOX_REBOOT_PAGES 4
#define BOX_NAME	48	/* bytes of a callback target's name */
#define BOX_SESSION	64	/* bytes of a session's name */
#define BOX_DEVICE	40	/* bytes of the name of a device or driver */
#define BOX_BUCKETS	32	/* bucket i of a histogram counts 2^i to 2^(i+1) ns */
#define BOX_ROWS	32	/* (target, operation) pairs */
#define BOX_SLOWEST	8	/* entries of a list of the longest */
#define BOX_DEVICES	12	/* devices that took longest to shut down */
#define BOX_GUESTS	40	/* processes that run guests */
#define BOX_GUESTS_MAX	512	/* the same while no reboot is near */

/* Lists of the longest calls and sessions: of prepare, of freeze, of all else. */
enum box_list { BOX_PREPARE, BOX_FREEZE, BOX_OTHER, BOX_LISTS };

/*
 * Moments of a reboot into the next kernel, in order: constant, and the function of the
 * kernel whose entry it is; FROZEN and PREPARED are set otherwise.
 */
#define BOX_STEPS_OF(X)						\
	X(REBOOT,	liveupdate_reboot)			\
	X(PREPARED,	0)					\
	X(FROZEN,	0)					\
	X(NOTIFIERS,	kernel_restart_prepare)			\
	X(DEVICES,	device_shutdown)			\
	X(CPU,		migrate_to_reboot_cpu)			\
	X(SYSCORE,	syscore_shutdown)			\
	X(MACHINE,	machine_shutdown)			\
	X(KEXEC,	machine_kexec)

enum box_step {
#define X(name, function) BOX_STEP_##name,
	BOX_STEPS_OF(X)
#undef X
	BOX_NR_STEPS,
};

/**
 * struct box_row - calls of one operation of one callback target
 * @key:    hash of @kind, @op and @name; 0 if the row is not in use
 * @kind:   enum lt_kind
 * @op:     the operation
 * @count:  calls
 * @errors: calls that failed
 * @total:  ns of all calls; one task makes them, so that none run in parallel
 * @min:    shortest
 * @max:    longest
 * @hist:   by duration, see BOX_BUCKETS
 * @name:   handler, subsystem or FLB
 */
struct box_row {
	__u64 key;
	__u32 kind;
	__u32 op;
	__u64 count;
	__u64 errors;
	__u64 total;
	__u64 min;
	__u64 max;
	__u32 hist[BOX_BUCKETS];
	char name[BOX_NAME];
};

/**
 * struct box_call - one of the longest calls
 * @duration: ns, 0 if the entry is not in use
 * @end:      when it returned
 * @token:    of the file
 * @op:	      the operation
 * @kind:     enum lt_kind
 * @ret:      0 or a negative errno
 * @pad:      0
 * @name:     handler, subsystem or FLB
 * @session:  of a handler's call
 */
struct box_call {
	__u64 duration;
	__u64 end;
	__u64 token;
	__u32 op;
	__u32 kind;
	__s32 ret;
	__u32 pad;
	char name[BOX_NAME];
	char session[BOX_SESSION];
};

/**
 * struct box_session - one of the sessions that took longest
 * @duration: ns, 0 if the entry is not in use
 * @end:      when it ended
 * @files:    files of the session
 * @ret:      0 or a negative errno
 * @pad:      0
 * @name:     its name
 */
struct box_session {
	__u64 duration;
	__u64 end;
	__u64 files;
	__s32 ret;
	__u32 pad;
	char name[BOX_SESSION];
};

/**
 * struct box_device - one of the devices that took longest to shut down
 * @duration: ns, 0 if the entry is not in use
 * @end:      when it was shut down
 * @name:     of the device
 * @driver:   its driver, "" for none
 */
struct box_device {
	__u64 duration;
	__u64 end;
	char name[BOX_DEVICE];
	char driver[BOX_DEVICE];
};

/**
 * struct box_guest - a process that runs a guest by KVM
 * @tgid:   the process, 0 if the entry is not in use
 * @parent: its parent
 * @inside: its virtual CPUs that run at this moment, or wait in the kernel to
 * @pad:    0
 * @entry:  when one first ran
 * @exit:   when one last stopped
 *
 * All of @inside are seen only if the process began after this was traced.
 */
struct box_guest {
	__u32 tgid;
	__u32 parent;
	__s32 inside;
	__u32 pad;
	__u64 entry;
	__u64 exit;
};

/**
 * struct box_reboot - the reboot, as the BPF programs saw it
 * @sum:       checksum of all that follows, see box_sum_step()
 * @flushes:   how often it was written out
 * @last:      when it was written out last: until then the box saw everything
 * @steps:     when each step was reached
 * @began:     reboots that have entered LUO
 * @failed:    reboots that failed
 * @failed_ns: duration of the last one that failed
 * @failed_ret: its errno, negative
 * @rows_lost: calls that found no row
 * @sessions:  sessions that were frozen
 * @files:     files of these sessions
 * @nr_devices: devices that were shut down
 * @least:     shortest call of each list
 * @least_session: shortest session of each list
 * @least_device: shortest of @devices
 * @rows:      all calls
 * @calls:     longest calls
 * @slow:      sessions that took longest
 * @devices:   devices that took longest
 * @guests_lost: processes with guests that found no room in @guests
 * @guests:    processes that ran guests when the reboot began
 * @own_runs:  runs of programs that recorded something, but for those that write it out
 * @own_timed: so many of them were timed, one of 32
 * @own_ns:    duration of these
 * @own_flushes: how often this reboot was written out, but for the first and the last time
 * @own_flush_ns: duration of that
 *
 * The reboot that is in progress, or the last one that failed.
 */
struct box_reboot {
	__u64 sum;
	__u64 flushes;
	__u64 last;
	__u64 steps[BOX_NR_STEPS];
	__u64 began;
	__u64 failed;
	__u64 failed_ns;
	__s32 failed_ret;
	__u32 rows_lost;
	__u64 sessions;
	__u64 files;
	__u64 nr_devices;
	__u64 least[BOX_LISTS];
	__u64 least_session[BOX_LISTS];
	__u64 least_device;
	struct box_row rows[BOX_ROWS];
	struct box_call calls[BOX_LISTS][BOX_SLOWEST];
	struct box_session slow[BOX_LISTS][BOX_SLOWEST];
	struct box_device devices[BOX_DEVICES];
	__u64 guests_lost;
	struct box_guest guests[BOX_GUESTS];
	__u64 own_runs;
	__u64 own_timed;
	__u64 own_ns;
	__u64 own_flushes;
	__u64 own_flush_ns;
};

/* The same as whole pages, which is how it is written out. */
union box_pages {
	struct box_reboot reboot;
	__u64 words[BOX_REBOOT_PAGES * BOX_PAGE / 8];
};

/**
 * box_sum_step - add a word to a checksum
 * @sum:  the checksum of the words before it
 * @word: the word
 *
 * Each step is a bijection of @sum, so that no change of a single word goes unseen.
 */
static inline __u64 box_sum_step(__u64 sum, __u64 word)
{
	return ((sum ^ word) << 29 | (sum ^ word) >> 35) * 0x9e3779b97f4a7c15ULL;
}

#endif
