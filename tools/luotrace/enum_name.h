/* SPDX-License-Identifier: GPL-2.0 */

/*
 * The words for the numbers in the events: the same ones that the kernel prints
 * in tracefs, by a test that compares them with include/trace/events.
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
	ENUM_KHO_KIND,
	NR_ENUMS,
};

/* From enum liveupdate_state, LUO_FILE_STATES and LUO_LEAK_REASONS. */
enum { STATE_NORMAL, STATE_PREPARED, STATE_FROZEN, STATE_UPDATED };
enum { FILE_NONE, FILE_PRESERVED, FILE_PREPARED, FILE_FROZEN, FILE_INCOMING,
       FILE_RETRIEVED, FILE_FINISHED, FILE_FAILED };
enum { LEAK_CLOSED, LEAK_DISCARDED, LEAK_GIVEN_UP };

/**
 * enum_name - the word for a number
 * @list: of which enumeration
 * @n:	  the number
 *
 * Return: the word, "?" for a number that this luotrace does not know.
 */
const char *enum_name(enum luo_enum list, unsigned int n);

/** ENUM_UNKNOWN - the number of a word that this luotrace does not know */
#define ENUM_UNKNOWN	0xffffffffU

/**
 * enum_value - the number for a word
 * @list: of which enumeration
 * @text: the word
 *
 * Return: the number, or -1.
 */
int enum_value(enum luo_enum list, const char *text);

/** enum_count - how many numbers an enumeration has */
unsigned int enum_count(enum luo_enum list);

/** enum_list - all words of an enumeration, ", " between them; static buffer */
const char *enum_list(enum luo_enum list);

#endif
