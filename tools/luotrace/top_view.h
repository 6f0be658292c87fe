/* SPDX-License-Identifier: GPL-2.0 */

/* A reading of top.h as text and as JSON. */

#ifndef TOP_VIEW_H
#define TOP_VIEW_H

#include <jansson.h>
#include <stdio.h>

#include "top.h"

/**
 * struct top_view - how it is shown
 * @columns: width that no line exceeds; 0: names are not cut
 * @lines:   how many there are at most; 0: all
 * @sort:    how the calls are sorted
 * @paused:  say that it is not the latest reading
 */
struct top_view {
	int columns;
	int lines;
	enum top_sort sort;
	bool paused;
};

/** top_sort_name - name of an order, NULL from TOP_NR_SORTS on */
const char *top_sort_name(enum top_sort sort);

/**
 * top_text - print a reading
 * @top:  the reading
 * @view: how
 * @f:	  where to
 */
void top_text(const struct top *top, const struct top_view *view, FILE *f);

/**
 * top_json - the same as JSON, added to an output
 * @top:  the reading
 * @root: from json_head()
 */
void top_json(const struct top *top, json_t *root);

#endif
