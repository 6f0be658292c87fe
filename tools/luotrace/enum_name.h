/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Names of the enumerated values in events: those that the kernel prints in tracefs. A
 * test compares them with include/trace/events.
 */

#ifndef ENUM_NAME_H
#define ENUM_NAME_H

#include <stddef.h>

enum luo_enum {
	ENUM_DIR,
	ENUM_STATE,
	ENUM_EVENT,
	ENUM_FILE_STATE,
	ENUM_OP,
	ENUM_PHASE,
	ENUM_SCOPE,
	ENUM_LEAK_REASON,
	ENUM_MARK,
	ENUM_KHO_KIND,
	NR_ENUMS,
};

/* From enum liveupdate_state, LUO_FILE_STATES, LUO_OPS, LUO_PHASES and LUO_LEAK_REASONS. */
enum { STATE_NORMAL, STATE_PREPARED, STATE_FROZEN, STATE_UPDATED };
enum { FILE_NONE, FILE_PRESERVED, FILE_PREPARED, FILE_FROZEN, FILE_INCOMING,
       FILE_RETRIEVED, FILE_FINISHED, FILE_FAILED };
enum { OP_CAN_PRESERVE, OP_PRESERVE, OP_UNPRESERVE, OP_PREPARE, OP_CANCEL, OP_FREEZE,
       OP_UNFREEZE, OP_RETRIEVE, OP_CAN_FINISH, OP_FINISH, OP_BOOT };
enum { PHASE_PREPARE, PHASE_FREEZE, PHASE_CANCEL, PHASE_FINISH, PHASE_BOOT, PHASE_RESTORE };
enum { LEAK_CLOSED, LEAK_DISCARDED, LEAK_GIVEN_UP };

/**
 * enum_name - name of a value
 * @list: the enumeration
 * @n:	  the value
 *
 * Return: the name, "?" for a value that this luotrace does not know.
 */
const char *enum_name(enum luo_enum list, unsigned int n);

/** ENUM_UNKNOWN - value of a name that this luotrace does not know */
#define ENUM_UNKNOWN	0xffffffffU

/**
 * enum_value - value of a name
 * @list: the enumeration
 * @text: the name
 *
 * Return: the value, or -1.
 */
int enum_value(enum luo_enum list, const char *text);

/** enum_count - number of values of an enumeration */
unsigned int enum_count(enum luo_enum list);

/** enum_list - all names of an enumeration, ", " between them; static buffer */
const char *enum_list(enum luo_enum list);

#endif
