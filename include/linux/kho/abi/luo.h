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
 * kernels of different builds: any change of layout or meaning must change the
 * compatible string of what it belongs to. A kernel rejects what has a string that it
 * does not know.
 *
 * Three arrays hold the records: sessions, the files of each session, FLBs. Two KHO
 * subtrees lead to the same arrays:
 *
 * - %LUO_KHO_ENTRY_NAME is &struct luo_ser, which the LUO of the base reads and writes.
 * - %LUO_FDT_SUBTREE is a page with the flattened device tree below. It holds what the
 *   base does not know, and the key without which no block can be proven.
 *
 * The tree::
 *
 *   / {
 *           compatible = "luo-fdt-v1";
 *           liveupdate-number = <u64>;
 *           mark = <u64>;
 *           luo-session {
 *                   compatible = "luo-session-v1";
 *                   count = <u64>;
 *                   data = <u64>;
 *                   pgcnt = <u64>;
 *           };
 *           luo-flb {
 *                   compatible = "luo-flb-v1";
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
 * the same machine. ``data`` is the physical address of the first block of an array, 0
 * if the array is empty; ``pgcnt`` is the number of its blocks, ``count`` the number of
 * its records. ``data`` of a subsystem is the single value that the subsystem hands
 * over. The last eight bytes of the page are the CRC-32 of all bytes before them.
 *
 * A block is a preserved page: &struct kho_block_header_ser, the records without gaps,
 * unused bytes, the *words* of the records, and &struct luo_block_tail_ser, which ends
 * with the page. The base reads header and records alone; its blocks have more records
 * and neither words nor tail. The block of FLBs, of which a handover has exactly one,
 * begins with &struct luo_flb_header_ser, which has the same layout.
 *
 * Word i of a block of files or FLBs belongs to record i. A session has two words; the
 * second is the number of pages that its files preserve. The first word of each record
 * consists of its *sum* (bits 0 to 31) and its *attributes* (bits 32 to 63,
 * %LUO_ATTR_...).
 *
 * All seals and sums are keyed. The key of an array is the *owner*: the SipHash-2-4 of
 * the name of the session that the files belong to (of an empty string for sessions and
 * FLBs), whose key consists of ``mark``, a random number, and of enum luo_array_kind.
 *
 * - The seal of a block is the SipHash-2-4 of the u64 owner, physical address of the
 *   block, @next of its tail, and number of the block in its chain (from 0) times 2^32
 *   plus @count of its tail, with the same key.
 * - The sum of a record is the lower half of x, where x begins as the owner, and for
 *   each of the values of the record x = (x XOR value) * %LUO_SUM_FACTOR, then with both
 *   halves swapped. The values are the u64 words of the string field, and then, of a
 *   file: token, data, attributes; of a session: files, count, pages; of an FLB: data,
 *   count, attributes.
 *
 * The CRC-32 is that of zlib (reflected polynomial 0xedb88320, inverted at both ends).
 */

/* The subtree that the base reads and writes */
#define LUO_KHO_ENTRY_NAME		"LUO"
#define LUO_ABI_COMPATIBLE		"luo-v5"
#define LUO_ABI_COMPAT_LEN		((sizeof(LUO_ABI_COMPATIBLE) + 7) / 8 * 8)

/* The subtree with the tree */
#define LUO_FDT_SUBTREE			"LUO-FDT"

#define LUO_FDT_COMPATIBLE		"luo-fdt-v1"
#define LUO_FDT_PROP_COMPATIBLE		"compatible"
#define LUO_FDT_PROP_NUMBER		"liveupdate-number"
#define LUO_FDT_PROP_MARK		"mark"

#define LUO_FDT_SESSION_NODE		"luo-session"
#define LUO_FDT_SESSION_COMPATIBLE	"luo-session-v1"
#define LUO_FDT_PROP_COUNT		"count"
#define LUO_FDT_PROP_DATA		"data"
#define LUO_FDT_PROP_PGCNT		"pgcnt"

#define LUO_FDT_SUBSYSTEMS_NODE		"luo-subsystems"
#define LUO_FDT_SUBSYSTEMS_COMPATIBLE	"luo-subsystems-v1"

#define LUO_FDT_FLB_NODE		"luo-flb"
#define LUO_FDT_FLB_COMPATIBLE		"luo-flb-v1"

/* Bytes of the page before the CRC-32 of the tree */
#define LUO_FDT_SIZE			(PAGE_SIZE - sizeof(u64))

/* Size of a handler's compatible string, including the terminating zero */
#define LIVEUPDATE_HNDL_COMPAT_LENGTH	48

/* Size of the compatible string of an FLB, including the terminating zero */
#define LIVEUPDATE_FLB_COMPAT_LENGTH	48

/* Size of a subsystem's name, including the terminating zero */
#define LIVEUPDATE_SUBSYSTEM_NAME_LENGTH	32

/**
 * enum luo_array_kind - what the records of an array describe
 * @LUO_ARRAY_SESSIONS: sessions
 * @LUO_ARRAY_FILES:    files of one session
 * @LUO_ARRAY_FLBS:     FLBs
 */
enum luo_array_kind {
	LUO_ARRAY_SESSIONS	= 1,
	LUO_ARRAY_FILES		= 2,
	LUO_ARRAY_FLBS		= 3,
};

/**
 * struct luo_ser - what the base hands over
 * @compatible:     %LUO_ABI_COMPATIBLE
 * @liveupdate_num: number of the live update
 * @sessions_pa:    physical address of the first block of sessions, 0 if there are none
 * @flbs_pa:        physical address of the block of FLBs, or 0
 */
struct luo_ser {
	char compatible[LUO_ABI_COMPAT_LEN];
	u64 liveupdate_num;
	u64 sessions_pa;
	u64 flbs_pa;
} __packed;

/**
 * struct luo_file_ser - record of a preserved file
 * @compatible: of the handler that preserved it, padded with zeros
 * @data:       value returned by the handler's preserve or freeze
 * @token:      the agent's name for the file
 */
struct luo_file_ser {
	char compatible[LIVEUPDATE_HNDL_COMPAT_LENGTH];
	u64 data;
	u64 token;
} __packed;

/**
 * struct luo_file_set_ser - files of a session
 * @files: physical address of the first block of &struct luo_file_ser, 0 if the
 *         session has no file
 * @count: number of files
 */
struct luo_file_set_ser {
	u64 files;
	u64 count;
} __packed;

/**
 * struct luo_session_ser - record of a session
 * @name:	  zero-terminated
 * @file_set_ser: its files
 */
struct luo_session_ser {
	char name[LIVEUPDATE_SESSION_NAME_LENGTH];
	struct luo_file_set_ser file_set_ser;
} __packed;

/**
 * struct luo_flb_header_ser - header of the block of FLBs
 * @pgcnt: number of pages of the block; 1
 * @count: number of records
 */
struct luo_flb_header_ser {
	u64 pgcnt;
	u64 count;
} __packed;

/**
 * struct luo_flb_ser - record of an FLB
 * @name:  compatible string of the FLB, zero-terminated
 * @data:  value returned by its preserve
 * @count: number of preserved files that depend on it, in all sessions; 1 if it is
 *         preserved only because it has users, see %LUO_ATTR_NO_FILE
 *
 * With a @count of 0, the base would count references from 0.
 */
struct luo_flb_ser {
	char name[LIVEUPDATE_FLB_COMPAT_LENGTH];
	u64 data;
	u64 count;
} __packed;

/**
 * struct luo_block_tail_ser - end of a block
 * @next:  physical address of the next block, 0 for the last one
 * @count: number of records in this block
 * @seal:  proves that the page is this block, and that @next and @count are right
 */
struct luo_block_tail_ser {
	u64 next;
	u64 count;
	u64 seal;
} __packed;

/* Odd, with 1s and 0s mixed, so that each bit of a value reaches many others. */
#define LUO_SUM_FACTOR			0x9e3779b97f4a7c15ULL

/* Words of a record */
#define LUO_FILE_WORDS			1
#define LUO_SESSION_WORDS		2
#define LUO_FLB_WORDS			1

/* Records of a size in a block of this LUO, with their words, and in one of the base */
#define LUO_RECORDS_IN(_block, _size, _words)				\
	(((_block) - sizeof(struct kho_block_header_ser) -		\
	  sizeof(struct luo_block_tail_ser)) / ((_size) + (_words) * sizeof(u64)))
#define LUO_BASE_RECORDS_IN(_block, _size)				\
	(((_block) - sizeof(struct kho_block_header_ser)) / (_size))

#define LUO_RECORDS_PER_BLOCK(_size, _words)				\
	LUO_RECORDS_IN(KHO_BLOCK_SIZE, _size, _words)
#define LUO_BASE_RECORDS_PER_BLOCK(_size)				\
	LUO_BASE_RECORDS_IN(KHO_BLOCK_SIZE, _size)

#define LUO_FILES_PER_BLOCK						\
	LUO_RECORDS_PER_BLOCK(sizeof(struct luo_file_ser), LUO_FILE_WORDS)
#define LUO_SESSIONS_PER_BLOCK						\
	LUO_RECORDS_PER_BLOCK(sizeof(struct luo_session_ser), LUO_SESSION_WORDS)
#define LUO_FLBS_PER_BLOCK						\
	LUO_RECORDS_PER_BLOCK(sizeof(struct luo_flb_ser), LUO_FLB_WORDS)

/* Attributes of an FLB: no file depends on it */
#define LUO_ATTR_NO_FILE		0x1U

/*
 * Attributes of a memfd, which its handler may lose; without KNOWN the file is another
 * one. MODE are the permissions and the sticky bit, SEALS the F_SEAL_..., the others the
 * access mode and O_APPEND. As the inode gets another owner, it loses its set-user-ID and
 * set-group-ID bits.
 */
#define LUO_ATTR_MODE			0x000003ffU
#define LUO_ATTR_SEALS			0x0003f000U
#define LUO_ATTR_SEALS_SHIFT		12
#define LUO_ATTR_READ			0x00100000U
#define LUO_ATTR_WRITE			0x00200000U
#define LUO_ATTR_APPEND			0x00400000U
#define LUO_ATTR_KNOWN			0x80000000U

#ifdef CONFIG_LIVEUPDATE_TEST
/* Handed over by the FLB test in lib/tests/liveupdate.c */
#define LIVEUPDATE_TEST_FLB_COMPATIBLE(i)	"liveupdate-test-flb-v" #i
#endif

#endif /* _LINUX_KHO_ABI_LUO_H */
