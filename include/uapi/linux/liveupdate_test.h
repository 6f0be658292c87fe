/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */

/*
 * /dev/liveupdate_test: files that behave as they are told to. Only in kernels
 * with CONFIG_LIVEUPDATE_SELFTEST.
 */

#ifndef _UAPI_LIVEUPDATE_TEST_H
#define _UAPI_LIVEUPDATE_TEST_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* In the range of LIVEUPDATE_IOCTL_TYPE that LUO itself leaves alone */
#define LIVEUPDATE_TEST_CMD_BASE	0xf0

/**
 * enum liveupdate_test_target - what an operation belongs to
 * @LIVEUPDATE_TEST_ON_FILE:     this file
 * @LIVEUPDATE_TEST_ON_FIRST:    the subsystem "luo-test-first"
 * @LIVEUPDATE_TEST_ON_SECOND:   the subsystem "luo-test-second"
 * @LIVEUPDATE_TEST_ON_FLB:      the state "luo-test-flb-v1" that the files share
 * @LIVEUPDATE_TEST_NR_TARGETS:  number of targets
 */
enum liveupdate_test_target {
	LIVEUPDATE_TEST_ON_FILE = 0,
	LIVEUPDATE_TEST_ON_FIRST = 1,
	LIVEUPDATE_TEST_ON_SECOND = 2,
	LIVEUPDATE_TEST_ON_FLB = 3,
	LIVEUPDATE_TEST_NR_TARGETS = 4,
};

/**
 * enum liveupdate_test_op - operations of the test handler
 * @LIVEUPDATE_TEST_PRESERVE:   preserve
 * @LIVEUPDATE_TEST_UNPRESERVE: unpreserve, cannot fail
 * @LIVEUPDATE_TEST_FREEZE:     freeze
 * @LIVEUPDATE_TEST_UNFREEZE:   unfreeze, cannot fail
 * @LIVEUPDATE_TEST_RETRIEVE:   retrieve
 * @LIVEUPDATE_TEST_CAN_FINISH: can_finish; any errno means "no"
 * @LIVEUPDATE_TEST_FINISH:     finish, cannot fail
 * @LIVEUPDATE_TEST_PREPARE:    prepare
 * @LIVEUPDATE_TEST_CANCEL:     cancel, cannot fail
 * @LIVEUPDATE_TEST_BOOT:       boot, cannot fail; subsystems only
 * @LIVEUPDATE_TEST_NR_OPS:     number of operations
 */
enum liveupdate_test_op {
	LIVEUPDATE_TEST_PRESERVE = 0,
	LIVEUPDATE_TEST_UNPRESERVE = 1,
	LIVEUPDATE_TEST_FREEZE = 2,
	LIVEUPDATE_TEST_UNFREEZE = 3,
	LIVEUPDATE_TEST_RETRIEVE = 4,
	LIVEUPDATE_TEST_CAN_FINISH = 5,
	LIVEUPDATE_TEST_FINISH = 6,
	LIVEUPDATE_TEST_PREPARE = 7,
	LIVEUPDATE_TEST_CANCEL = 8,
	LIVEUPDATE_TEST_BOOT = 9,
	LIVEUPDATE_TEST_NR_OPS = 10,
};

/* The longest delay, one minute */
#define LIVEUPDATE_TEST_MAX_DELAY_US	60000000

/**
 * struct liveupdate_test_set - LIVEUPDATE_TEST_SET: behaviour of one operation
 * @size:     in, bytes in this structure
 * @op:       in, enum liveupdate_test_op
 * @delay_us: in, how long each call takes, in microseconds, at most
 *            LIVEUPDATE_TEST_MAX_DELAY_US
 * @error:    in, errno (positive) to fail with, 0 to succeed
 * @nth:      in, which call fails, from 1; 0 is every call
 * @target:   in, enum liveupdate_test_target
 *
 * What is set for retrieve, can_finish and finish of a file crosses the live
 * update with it. Errors: EINVAL for an unknown op or target, a longer
 * delay, an error over 4095, or an error for an operation that cannot fail.
 */
struct liveupdate_test_set {
	__u32		size;
	__u32		op;
	__u32		delay_us;
	__u32		error;
	__u32		nth;
	__u32		target;
};

#define LIVEUPDATE_TEST_SET	_IO(0xBA, LIVEUPDATE_TEST_CMD_BASE)

/**
 * struct liveupdate_test_get - LIVEUPDATE_TEST_GET: what happened to a target
 * @size:     in, bytes in this structure
 * @target:   in, enum liveupdate_test_target
 * @cookie:   in/out, a value of the caller's that crosses the live update with
 *            the target; a value other than zero sets it. Of a file it is the
 *            file's; of others it is what the previous kernel handed over, 0 if
 *            nothing. The freeze of a subsystem adds 1 to it.
 * @calls:    out, calls of each operation in this kernel, and, in a retrieved
 *            file, those of the previous kernel that it was told of at freeze
 */
struct liveupdate_test_get {
	__u32		size;
	__u32		target;
	__aligned_u64	cookie;
	__u32		calls[16];
};

#define LIVEUPDATE_TEST_GET	_IO(0xBA, LIVEUPDATE_TEST_CMD_BASE + 1)

/**
 * enum liveupdate_test_where - parts of the handover that can be damaged
 * @LIVEUPDATE_TEST_TREE:          the flattened device tree
 * @LIVEUPDATE_TEST_SESSION_BLOCK: header of a block of session records
 * @LIVEUPDATE_TEST_SESSION:       record of a session
 * @LIVEUPDATE_TEST_FILE_BLOCK:    header of a block of a session's file records
 * @LIVEUPDATE_TEST_FILE:          record of a file
 * @LIVEUPDATE_TEST_FLB_BLOCK:     header of a block of records of shared state
 * @LIVEUPDATE_TEST_FLB:           record of shared state
 * @LIVEUPDATE_TEST_SUBSYSTEM:     node of a subsystem, in the tree
 */
enum liveupdate_test_where {
	LIVEUPDATE_TEST_TREE = 0,
	LIVEUPDATE_TEST_SESSION_BLOCK = 1,
	LIVEUPDATE_TEST_SESSION = 2,
	LIVEUPDATE_TEST_FILE_BLOCK = 3,
	LIVEUPDATE_TEST_FILE = 4,
	LIVEUPDATE_TEST_FLB_BLOCK = 5,
	LIVEUPDATE_TEST_FLB = 6,
	LIVEUPDATE_TEST_SUBSYSTEM = 7,
};

/**
 * struct liveupdate_test_damage - LIVEUPDATE_TEST_DAMAGE: spoil the handover
 * @size:    in, bytes in this structure
 * @where:   in, enum liveupdate_test_where
 * @session: in, number of the session, from 0, in order of creation
 * @index:   in, number of the block, or of the record in its array, from 0
 * @offset:  in, bytes from the beginning of that part
 * @len:     in, bytes to overwrite, 1 to 64; 0 to overwrite 8 with a physical
 *	     address, see @other
 * @value:   in, what to overwrite them with, over and over
 * @other:   in, with @len 0: 0 for the part's own address, N for that of the first
 *	     block of file records of session N - 1
 * @reserved: in, zero
 *
 * Takes effect in the next live update, when the handover has been written. A
 * second call replaces the first. If the part is not there, reboot() fails with
 * ENOENT; if the bytes are not all in the page in which it begins, with ERANGE.
 * Errors: EINVAL for an unknown part or length.
 */
struct liveupdate_test_damage {
	__u32		size;
	__u32		where;
	__u32		session;
	__u32		index;
	__u32		offset;
	__u32		len;
	__aligned_u64	value;
	__u32		other;
	__u32		reserved;
};

#define LIVEUPDATE_TEST_DAMAGE	_IO(0xBA, LIVEUPDATE_TEST_CMD_BASE + 2)

/**
 * enum liveupdate_test_object_op - what LIVEUPDATE_TEST_OBJECT does
 * @LIVEUPDATE_TEST_GET_INCOMING: get the incoming object
 * @LIVEUPDATE_TEST_PUT_INCOMING: put it, once for each get
 * @LIVEUPDATE_TEST_GET_OUTGOING: get the outgoing object
 * @LIVEUPDATE_TEST_PUT_OUTGOING: put it, once for each get
 */
enum liveupdate_test_object_op {
	LIVEUPDATE_TEST_GET_INCOMING = 0,
	LIVEUPDATE_TEST_PUT_INCOMING = 1,
	LIVEUPDATE_TEST_GET_OUTGOING = 2,
	LIVEUPDATE_TEST_PUT_OUTGOING = 3,
};

/**
 * struct liveupdate_test_object - LIVEUPDATE_TEST_OBJECT: use the shared state
 * @size:  in, bytes in this structure
 * @op:    in, enum liveupdate_test_object_op
 * @value: out, of a get: the cookie of that side
 *
 * Errors: EINVAL for an unknown op, and what the get returns.
 */
struct liveupdate_test_object {
	__u32		size;
	__u32		op;
	__aligned_u64	value;
};

#define LIVEUPDATE_TEST_OBJECT	_IO(0xBA, LIVEUPDATE_TEST_CMD_BASE + 3)

/**
 * struct liveupdate_test_pages - LIVEUPDATE_TEST_PAGES: memory that is preserved
 * @size:     in, bytes in this structure
 * @reserved: in, zero
 * @pages:    out, pages that are preserved for the next kernel now, by anybody
 */
struct liveupdate_test_pages {
	__u32		size;
	__u32		reserved;
	__aligned_u64	pages;
};

#define LIVEUPDATE_TEST_PAGES	_IO(0xBA, LIVEUPDATE_TEST_CMD_BASE + 4)

/**
 * struct liveupdate_test_frozen - LIVEUPDATE_TEST_FROZEN: keep the machine frozen
 * @size:     in, bytes in this structure
 * @delay_us: in, how long the kexec waits once the machine is frozen, in microseconds
 *
 * Other processes run meanwhile.
 */
struct liveupdate_test_frozen {
	__u32		size;
	__u32		delay_us;
};

#define LIVEUPDATE_TEST_FROZEN	_IO(0xBA, LIVEUPDATE_TEST_CMD_BASE + 5)

#endif /* _UAPI_LIVEUPDATE_TEST_H */
