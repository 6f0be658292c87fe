/* SPDX-License-Identifier: GPL-2.0 */

#ifndef _LINUX_KHO_ABI_LUO_H
#define _LINUX_KHO_ABI_LUO_H

#include <linux/kho/abi/block.h>
#include <linux/types.h>
#include <uapi/linux/liveupdate.h>

/**
 * DOC: LUO handover
 *
 * The data that one kernel writes and the next one reads. It is a contract between
 * kernels of different builds: any change of layout or meaning, in the tree or in a
 * record, must change the compatible string of the node that it belongs to. A kernel
 * rejects a node whose string it does not know. The exception is a value that older
 * kernels reject record by record without harm to the others: so far a @count of 0 in
 * &struct luo_flb_ser.
 *
 * The tree is a KHO subtree named %LUO_FDT_SUBTREE::
 *
 *   / {
 *           compatible = "luo-v2";
 *           liveupdate-number = <u64>;
 *           mark = <u64>;
 *           luo-session {
 *                   compatible = "luo-session-v3";
 *                   count = <u64>;
 *                   data = <u64>;
 *                   pgcnt = <u64>;
 *           };
 *           luo-flb {
 *                   compatible = "luo-flb-v2";
 *                   count = <u64>;
 *                   data = <u64>;
 *                   pgcnt = <u64>;
 *           };
 *           luo-subsystems {
 *                   compatible = "luo-subsystems-v1";
 *                   NAME {
 *                           data = <u64>;
 *                   };
 *           };
 *   };
 *
 * A u64 is in native byte order, as in the KHO tree above it: both kernels run on
 * the same machine.
 *
 * ``data`` is the physical address of the first block of an array, 0 if the array is
 * empty; ``pgcnt`` is the number of its blocks, ``count`` the number of records in
 * use. A block is a preserved page that starts with &struct kho_block_header_ser,
 * followed by records without gaps. ``data`` of a subsystem is the single value that
 * the subsystem hands over.
 *
 * The last eight bytes of a block are its seal, which proves that the page is that
 * block: the SipHash-2-4 of three u64, which are the SipHash-2-4 of the session's name
 * (of an empty string for sessions and FLBs), the block's physical address, and its
 * number in the chain, from 0. The key of both hashes consists of ``mark``, a random
 * number, and the size of a record.
 */

/* Name of the KHO subtree */
#define LUO_FDT_SUBTREE			"LUO"

#define LUO_FDT_COMPATIBLE		"luo-v2"
#define LUO_FDT_PROP_COMPATIBLE		"compatible"
#define LUO_FDT_PROP_NUMBER		"liveupdate-number"
#define LUO_FDT_PROP_MARK		"mark"

#define LUO_FDT_SESSION_NODE		"luo-session"
#define LUO_FDT_SESSION_COMPATIBLE	"luo-session-v3"
#define LUO_FDT_PROP_COUNT		"count"
#define LUO_FDT_PROP_DATA		"data"
#define LUO_FDT_PROP_PGCNT		"pgcnt"

#define LUO_FDT_SUBSYSTEMS_NODE		"luo-subsystems"
#define LUO_FDT_SUBSYSTEMS_COMPATIBLE	"luo-subsystems-v1"

#define LUO_FDT_FLB_NODE		"luo-flb"
#define LUO_FDT_FLB_COMPATIBLE		"luo-flb-v2"

/* Size of the seal at the end of a block, and number of records that fit before it */
#define LUO_BLOCK_SEAL_SIZE		sizeof(u64)
#define LUO_RECORDS_PER_BLOCK(_size)					\
	((KHO_BLOCK_SIZE - sizeof(struct kho_block_header_ser) -	\
	  LUO_BLOCK_SEAL_SIZE) / (_size))

/* Size of a handler's compatible string, including the terminating zero */
#define LIVEUPDATE_HNDL_COMPAT_LENGTH	48

/* Size of the compatible string of an FLB, including the terminating zero */
#define LIVEUPDATE_FLB_COMPAT_LENGTH	48

/* Size of a subsystem's name, including the terminating zero */
#define LIVEUPDATE_SUBSYSTEM_NAME_LENGTH	32

/* Size of the compatible string in a record, without a terminating zero */
#define LUO_FILE_COMPAT_LENGTH		(LIVEUPDATE_HNDL_COMPAT_LENGTH - 1)

/**
 * struct luo_file_ser - record of a preserved file
 * @compatible: of the handler that preserved it, padded with zeros
 * @token:      the agent's name for the file
 * @data:       value returned by the handler's preserve or freeze
 *
 * A record takes 63 bytes, so that a block of 4 KiB with its header of 16 bytes holds
 * 64 of them: 64 bytes per file.
 */
struct luo_file_ser {
	char compatible[LUO_FILE_COMPAT_LENGTH];
	u64 token;
	u64 data;
} __packed;

/**
 * struct luo_session_ser - record of a session
 * @name:  zero-terminated
 * @files: physical address of the first block of &struct luo_file_ser, 0 if the
 *         session has no file
 * @pgcnt: number of these blocks
 * @count: number of files
 * @pages: memory preserved by its files, in pages; for information only
 *
 * A record with an empty @name is unused: the session was closed after its record was
 * written.
 */
struct luo_session_ser {
	char name[LIVEUPDATE_SESSION_NAME_LENGTH];
	u64 files;
	u64 pgcnt;
	u64 count;
	u64 pages;
} __packed;

/**
 * struct luo_flb_ser - record of an FLB
 * @name:  compatible string of the FLB, zero-terminated
 * @data:  value returned by its preserve
 * @count: number of preserved files that depend on it, in all sessions; 0 if it is
 *         preserved only because it has users
 */
struct luo_flb_ser {
	char name[LIVEUPDATE_FLB_COMPAT_LENGTH];
	u64 data;
	u64 count;
} __packed;

#ifdef CONFIG_LIVEUPDATE_TEST
/* Handed over by the FLB test in lib/tests/liveupdate.c */
#define LIVEUPDATE_TEST_FLB_COMPATIBLE(i)	"liveupdate-test-flb-v" #i
#endif

#endif /* _LINUX_KHO_ABI_LUO_H */
