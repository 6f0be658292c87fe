/* SPDX-License-Identifier: GPL-2.0 */

/*
 * The words for the numbers in the events: the same ones that the kernel prints
 * in tracefs, by a test that compares them with include/trace/events.
 */

#ifndef WORDS_H
#define WORDS_H

#include <stddef.h>

enum words {
	WORDS_DIR,
	WORDS_STATE,
	WORDS_EVENT,
	WORDS_FILE_STATE,
	WORDS_OP,
	WORDS_PHASE,
	WORDS_SCOPE,
	WORDS_LEAK_REASON,
	WORDS_KHO_KIND,
	WORDS_NR,
};

/* From enum liveupdate_state, LUO_FILE_STATES and LUO_LEAK_REASONS. */
enum { STATE_NORMAL, STATE_PREPARED, STATE_FROZEN, STATE_UPDATED };
enum { FILE_NONE, FILE_PRESERVED, FILE_PREPARED, FILE_FROZEN, FILE_INCOMING,
       FILE_RETRIEVED, FILE_FINISHED, FILE_FAILED };
enum { LEAK_CLOSED, LEAK_DISCARDED, LEAK_GIVEN_UP };

/**
 * word - the word for a number
 * @list: of which enumeration
 * @n:	  the number
 *
 * Return: the word, "?" for a number that this luotrace does not know.
 */
const char *word(enum words list, unsigned int n);

/** WORD_UNKNOWN - the number of a word that this luotrace does not know */
#define WORD_UNKNOWN	0xffffffffU

/**
 * word_find - the number for a word
 * @list: of which enumeration
 * @text: the word
 *
 * Return: the number, or -1.
 */
int word_find(enum words list, const char *text);

/** words_count - how many numbers an enumeration has */
unsigned int words_count(enum words list);

/** words_all - all words of an enumeration, ", " between them; static buffer */
const char *words_all(enum words list);

#endif
