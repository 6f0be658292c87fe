/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */

/*
 * /dev/liveupdate_test: files with configurable behaviour, for tests. Only in kernels
 * with CONFIG_LIVEUPDATE_SELFTEST.
 */

#ifndef _UAPI_LIVEUPDATE_TEST_H
#define _UAPI_LIVEUPDATE_TEST_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* In the range of LIVEUPDATE_IOCTL_TYPE that LUO itself does not use */
#define LIVEUPDATE_TEST_CMD_BASE	0xf0

/**
 * enum liveupdate_test_target - target of an operation
 * @LIVEUPDATE_TEST_ON_FILE:     this file
 * @LIVEUPDATE_TEST_ON_FIRST:    the subsystem "luo-test-first"
 * @LIVEUPDATE_TEST_ON_SECOND:   the subsystem "luo-test-second"
 * @LIVEUPDATE_TEST_ON_FLB:      the FLB of the files, "luo-test-flb-v1"
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

/* Maximum delay, one minute */
#define LIVEUPDATE_TEST_MAX_DELAY_US	60000000

/**
 * struct liveupdate_test_set - LIVEUPDATE_TEST_SET: set the behaviour of an operation
 * @size:     in, size of this structure in bytes
 * @op:       in, enum liveupdate_test_op
 * @delay_us: in, duration of each call in microseconds, at most
 *            LIVEUPDATE_TEST_MAX_DELAY_US
 * @error:    in, errno (positive) to fail with, 0 to succeed
 * @nth:      in, the call that fails, counted from 1; 0 for every call
 * @target:   in, enum liveupdate_test_target
 * @burn_us:  in, for how long each call keeps a CPU busy after that, in microseconds, at
 *            most LIVEUPDATE_TEST_MAX_DELAY_US
 * @reserved: in, zero
 *
 * The settings of a file for retrieve, can_finish and finish are handed over with the
 * file. Errors: EINVAL for an unknown op or target, a longer delay or burn, an
 * error over 4095, or an error for an operation that cannot fail.
 */
struct liveupdate_test_set {
	__u32		size;
	__u32		op;
	__u32		delay_us;
	__u32		error;
	__u32		nth;
	__u32		target;
	__u32		burn_us;
	__u32		reserved;
};

#define LIVEUPDATE_TEST_SET	_IO(0xBA, LIVEUPDATE_TEST_CMD_BASE)

/**
 * struct liveupdate_test_get - LIVEUPDATE_TEST_GET: get cookie and calls of a target
 * @size:     in, size of this structure in bytes
 * @target:   in, enum liveupdate_test_target
 * @cookie:   in/out, a value of the caller that is handed over with the target; a
 *            value other than zero sets it. For a file, the value of the file; for
 *            other targets, the value that the previous kernel handed over, 0 if
 *            none. The freeze of a subsystem adds 1 to it.
 * @calls:    out, calls of each operation in this kernel and, for a retrieved file,
 *            those of the previous kernel up to the freeze
 */
struct liveupdate_test_get {
	__u32		size;
	__u32		target;
	__aligned_u64	cookie;
	__u32		calls[16];
};

#define LIVEUPDATE_TEST_GET	_IO(0xBA, LIVEUPDATE_TEST_CMD_BASE + 1)

/**
 * enum liveupdate_test_where - location in the handover that can be damaged
 * @LIVEUPDATE_TEST_TREE:          the flattened device tree
 * @LIVEUPDATE_TEST_SESSION_BLOCK: block of session records
 * @LIVEUPDATE_TEST_SESSION:       record of a session
 * @LIVEUPDATE_TEST_FILE_BLOCK:    block of a session's file records
 * @LIVEUPDATE_TEST_FILE:          record of a file
 * @LIVEUPDATE_TEST_FLB_BLOCK:     block of FLB records
 * @LIVEUPDATE_TEST_FLB:           record of an FLB
 * @LIVEUPDATE_TEST_SUBSYSTEM:     node of a subsystem, in the tree
 * @LIVEUPDATE_TEST_TABLE:         the table that the LUO of the base reads
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
	LIVEUPDATE_TEST_TABLE = 8,
};

/* Maximum number of damages in a live update */
#define LIVEUPDATE_TEST_DAMAGES		32

/* Values of liveupdate_test_damage.other */
#define LIVEUPDATE_TEST_TO_TREE		0xffffffffU
#define LIVEUPDATE_TEST_TO_TABLE	0xfffffffeU

/**
 * struct liveupdate_test_damage - LIVEUPDATE_TEST_DAMAGE: damage the handover
 * @size:    in, size of this structure in bytes
 * @where:   in, enum liveupdate_test_where
 * @session: in, number of the session, from 0, in order of creation
 * @index:   in, number of the block, or of the record in its array, from 0
 * @offset:  in, offset in bytes from the start of the location
 * @len:     in, number of bytes to overwrite, 1 to 64; 0 to overwrite 8 bytes with a
 *	     physical address, see @other
 * @value:   in, the pattern to overwrite them with, repeated
 * @other:   in, with @len 0: 0 for the address of the location itself, N for that of
 *	     the first block of file records of session N - 1, or LIVEUPDATE_TEST_TO_TREE or
 *	     LIVEUPDATE_TEST_TO_TABLE for that of the page of the tree or the table
 * @reserved: in, zero
 *
 * Takes effect in the next live update, after the handover is written. Each call adds a
 * damage; every location is found in the intact handover. If one does not exist, reboot()
 * fails with ENOENT; if the bytes are not all in the page in which it begins, with ERANGE;
 * nothing is damaged then, and all are forgotten. Errors: EINVAL for an unknown location
 * or length, ENOSPC after LIVEUPDATE_TEST_DAMAGES calls.
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
 * struct liveupdate_test_object - LIVEUPDATE_TEST_OBJECT: use the object of the FLB
 * @size:  in, size of this structure in bytes
 * @op:    in, enum liveupdate_test_object_op
 * @value: out, for a get: the cookie of that direction
 *
 * Errors: EINVAL for an unknown op, and the errors of the get.
 */
struct liveupdate_test_object {
	__u32		size;
	__u32		op;
	__aligned_u64	value;
};

#define LIVEUPDATE_TEST_OBJECT	_IO(0xBA, LIVEUPDATE_TEST_CMD_BASE + 3)

/**
 * struct liveupdate_test_pages - LIVEUPDATE_TEST_PAGES: count preserved pages
 * @size:     in, size of this structure in bytes
 * @reserved: in, zero
 * @pages:    out, pages currently preserved for the next kernel, by any caller
 */
struct liveupdate_test_pages {
	__u32		size;
	__u32		reserved;
	__aligned_u64	pages;
};

#define LIVEUPDATE_TEST_PAGES	_IO(0xBA, LIVEUPDATE_TEST_CMD_BASE + 4)

/**
 * struct liveupdate_test_frozen - LIVEUPDATE_TEST_FROZEN: delay kexec while frozen
 * @size:     in, size of this structure in bytes
 * @delay_us: in, how long kexec waits once the global state is FROZEN, in microseconds
 *
 * Other processes keep running in the meantime.
 */
struct liveupdate_test_frozen {
	__u32		size;
	__u32		delay_us;
};

#define LIVEUPDATE_TEST_FROZEN	_IO(0xBA, LIVEUPDATE_TEST_CMD_BASE + 5)

/*
 * On a file of /dev/liveupdate_client: make it depend on a file of /dev/liveupdate_pool,
 * whose descriptor is the argument. Errors: EBADF, EINVAL for another kind of file, EBUSY
 * if it depends on one already. These devices are in the module luo_test_pair.
 */
#define LIVEUPDATE_TEST_BIND	_IO(0xBA, LIVEUPDATE_TEST_CMD_BASE + 6)

#endif /* _UAPI_LIVEUPDATE_TEST_H */
