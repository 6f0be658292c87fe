/* SPDX-License-Identifier: GPL-2.0 */

/* Lines of text on a terminal that stay in their place, and keys. */

#ifndef TOP_SCREEN_H
#define TOP_SCREEN_H

#include <stdbool.h>

/* Of top_screen_key(): no key, the terminal has another size. */
enum { TOP_NO_KEY = -1, TOP_RESIZED = -2 };

/**
 * top_screen_open - take over the terminal
 * @bold: the first line may be bold
 *
 * A terminal that nothing is known of is taken for a vt100.
 *
 * Return: false after a message.
 */
bool top_screen_open(bool bold);

/** top_screen_close - give it back */
void top_screen_close(void);

/** top_screen_columns - its width */
int top_screen_columns(void);

/** top_screen_lines - its height */
int top_screen_lines(void);

/**
 * top_screen_draw - show a text
 * @text: lines that fit; what does not is left out
 * @last: for the last line of the terminal
 */
void top_screen_draw(const char *text, const char *last);

/**
 * top_screen_key - wait for a key
 * @wait_ms: maximum time
 *
 * Return: a character, TOP_NO_KEY or TOP_RESIZED.
 */
int top_screen_key(int wait_ms);

#endif
