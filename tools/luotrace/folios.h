/* SPDX-License-Identifier: GPL-2.0 */

/* Memory that is handed over, by the size of its folios. For latency and report. */

#ifndef FOLIOS_H
#define FOLIOS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <linux/types.h>
#include "../../bpf/luotrace.h"

/**
 * struct folios - one reading
 * @known:	 they were traced; if not the rest is 0
 * @large_order: order of the folios that those of order 0 are compared with, 0 for none
 * @page_size:	 bytes of a page of the traced machine, 0 for this one
 * @orders:	 calls of KHO by action (preserve, unpreserve, restore) and order
 * @pieces:	 what handlers did page by page, by action
 */
struct folios {
	bool known;
	unsigned int large_order;
	uint64_t page_size;
	struct lt_folio orders[LT_KHO_ACTIONS][LT_ORDERS];
	struct lt_pieces pieces[LT_KHO_ACTIONS];
};

/** folios_action - name of an action */
const char *folios_action(unsigned int action);

/** folios_action_of - the action of a name, -1 for none */
int folios_action_of(const char *name);

/**
 * folios_since - reduce a reading to what is new since an earlier one
 * @now:     the reading
 * @earlier: the earlier one
 *
 * The call that had most pages is that of the whole run.
 */
void folios_since(struct folios *now, const struct folios *earlier);

/**
 * folios_text - print the table, and what larger folios would save if it is 1 ms or more
 * @all:       the reading
 * @page_size: bytes of a page
 * @f:	       where to
 */
void folios_text(const struct folios *all, uint64_t page_size, FILE *f);

/**
 * folios_worth - whether what larger folios would save is worth a sentence
 * @all:    the reading
 * @action: of which action, for which there is a folios_finding()
 *
 * Return: whether it is 1 ms or more; all of it if it is not known what they take.
 */
bool folios_worth(const struct folios *all, unsigned int action);

/** folios_json - the same as an object, null if they were not traced */
json_t *folios_json(const struct folios *all, uint64_t page_size);

/**
 * folios_read - read that object
 * @all: filled; not known if @o is NULL or null
 * @o:	 the object, from a file
 *
 * Return: false if it is malformed.
 */
bool folios_read(struct folios *all, json_t *o);

#define FOLIOS_FINDING	768	/* bytes of a sentence, at most; names are cut */

/**
 * folios_finding - what larger folios would save
 * @all:       the reading
 * @action:    of which action
 * @page_size: bytes of a page
 * @buf:       FOLIOS_FINDING bytes
 *
 * The time of a large folio is that of the large folios in the same reading, if there are.
 *
 * Return: a sentence in @buf, or NULL if no handler's call had pages enough for one.
 */
const char *folios_finding(const struct folios *all, unsigned int action,
			   uint64_t page_size, char *buf);

#endif
