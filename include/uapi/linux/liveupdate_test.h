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
	LIVEUPDATE_TEST_NR_OPS = 9,
};

/**
 * struct liveupdate_test_set - LIVEUPDATE_TEST_SET: behaviour of one operation
 * @size:     in, bytes in this structure
 * @op:       in, enum liveupdate_test_op
 * @delay_us: in, how long each call takes, in microseconds
 * @error:    in, errno (positive) to fail with, 0 to succeed
 * @nth:      in, which call fails, from 1; 0 is every call
 * @reserved: in, zero
 *
 * What is set for retrieve, can_finish and finish crosses the live update with
 * the file. Errors: EINVAL for an unknown op, an error over 4095, or an error
 * for an operation that cannot fail.
 */
struct liveupdate_test_set {
	__u32		size;
	__u32		op;
	__u32		delay_us;
	__u32		error;
	__u32		nth;
	__u32		reserved;
};

#define LIVEUPDATE_TEST_SET	_IO(0xBA, LIVEUPDATE_TEST_CMD_BASE)

/**
 * struct liveupdate_test_get - LIVEUPDATE_TEST_GET: what happened to the file
 * @size:     in, bytes in this structure
 * @reserved: in, zero
 * @cookie:   in/out, a value of the caller's that crosses the live update with
 *            the file; a value other than zero sets it
 * @calls:    out, calls of each operation in this kernel, and, in a retrieved
 *            file, those of the previous kernel that it was told of at freeze
 */
struct liveupdate_test_get {
	__u32		size;
	__u32		reserved;
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
 */
enum liveupdate_test_where {
	LIVEUPDATE_TEST_TREE = 0,
	LIVEUPDATE_TEST_SESSION_BLOCK = 1,
	LIVEUPDATE_TEST_SESSION = 2,
	LIVEUPDATE_TEST_FILE_BLOCK = 3,
	LIVEUPDATE_TEST_FILE = 4,
};

/**
 * struct liveupdate_test_damage - LIVEUPDATE_TEST_DAMAGE: spoil the handover
 * @size:    in, bytes in this structure
 * @where:   in, enum liveupdate_test_where
 * @session: in, number of the session, from 0, in order of creation
 * @index:   in, number of the block, or of the file in its session, from 0
 * @offset:  in, bytes from the beginning of that part
 * @len:     in, bytes to overwrite, 1 to 64; 0 to overwrite 8 with the part's
 *	     own physical address
 * @value:   in, what to overwrite them with, over and over
 *
 * Takes effect in the next live update, when the handover has been written. A
 * second call replaces the first. If the part is not there, reboot() fails with
 * ENOENT. Errors: EINVAL for an unknown part or length.
 */
struct liveupdate_test_damage {
	__u32		size;
	__u32		where;
	__u32		session;
	__u32		index;
	__u32		offset;
	__u32		len;
	__aligned_u64	value;
};

#define LIVEUPDATE_TEST_DAMAGE	_IO(0xBA, LIVEUPDATE_TEST_CMD_BASE + 2)

#endif /* _UAPI_LIVEUPDATE_TEST_H */
