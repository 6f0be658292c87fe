// SPDX-License-Identifier: GPL-2.0

#define _GNU_SOURCE
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "event_store.h"

#define UNION	offsetof(struct lt_event, state)
#define REST	32	/* bytes of the union of an event, without names */

/* Names are numbers; @rest begins with the numbers of names in it, if there are any. */
struct packed_event {
	uint64_t ts;
	uint64_t number;
	uint32_t session;
	uint32_t compatible;
	int32_t ret;
	uint32_t pid;
	uint32_t tid;
	uint16_t type;
	union {
		uint8_t bytes[REST];
		struct {
			uint64_t token;
			uint32_t what;
			uint32_t reason;
		} reject;
		struct {
			uint64_t bytes;
			uint32_t name;
		} subtree;
	} rest;
};

struct name {
	uint32_t number;
	char text[];
};

#define FITS(member)	(sizeof(((struct lt_event *)0)->member) <= REST)
_Static_assert(FITS(state) && FITS(phase) && FITS(session_op) && FITS(leak) &&
	       FITS(file) && FITS(call) && FITS(handover) && FITS(memory),
	       "room for what has no names");

static int compare(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return strcmp(x->text, y->text);
}

static bool add_name(struct event_store *s, struct name *name)
{
	const char **grown = s->names;

	/* At each power of two. */
	if (!(s->nr_names & (s->nr_names - 1)))
		grown = reallocarray(s->names, s->nr_names ? 2 * (size_t)s->nr_names : 1,
				     sizeof(*grown));
	if (!grown)
		return false;
	s->names = grown;
	name->number = s->nr_names;
	if (!tsearch(name, &s->tree, compare))
		return false;
	s->names[s->nr_names++] = name->text;
	return true;
}

/* The number of a name, which is added if it is new; false if out of memory. */
static bool number_of(struct event_store *s, const char *text, uint32_t *number)
{
	char room[sizeof(struct name) + LT_NAME_LEN];
	struct name *like = (struct name *)room, **found, *name;
	size_t len = strnlen(text, LT_NAME_LEN - 1);

	memcpy(like->text, text, len);
	like->text[len] = '\0';
	found = tfind(like, &s->tree, compare);
	if (found) {
		*number = (*found)->number;
		return true;
	}
	name = malloc(sizeof(*name) + len + 1);
	if (!name)
		return false;
	memcpy(name->text, like->text, len + 1);
	if (!add_name(s, name)) {
		free(name);
		return false;
	}
	*number = name->number;
	return true;
}

static bool pack(struct event_store *s, const struct lt_event *e,
		 struct packed_event *to)
{
	*to = (struct packed_event){ .ts = e->ts, .number = e->number, .type = e->type,
				     .ret = e->ret, .pid = e->pid, .tid = e->tid };
	if (!number_of(s, e->session, &to->session) ||
	    !number_of(s, e->compatible, &to->compatible))
		return false;
	switch (e->type) {
	case LT_HANDOVER_REJECT:
		to->rest.reject.token = e->reject.token;
		return number_of(s, e->reject.what, &to->rest.reject.what) &&
		       number_of(s, e->reject.reason, &to->rest.reject.reason);
	case LT_KHO_SUBTREE_ADD:
	case LT_KHO_SUBTREE_REMOVE:
	case LT_KHO_SUBTREE_RETRIEVE:
		to->rest.subtree.bytes = e->subtree.bytes;
		return number_of(s, e->subtree.name, &to->rest.subtree.name);
	default:
		memcpy(to->rest.bytes, (const char *)e + UNION, REST);
		return true;
	}
}

bool event_store_add(struct event_store *s, const struct lt_event *e)
{
	struct packed_event *grown = s->events;

	if (!(s->nr & (s->nr - 1)))
		grown = reallocarray(s->events, s->nr ? 2 * s->nr : 1, sizeof(*grown));
	if (!grown)
		return false;
	s->events = grown;
	if (!pack(s, e, &grown[s->nr]))
		return false;
	s->nr++;
	return true;
}

const struct lt_event *event_store_get(const struct event_store *s, size_t at,
				       struct lt_event *e)
{
	const struct packed_event *from = &s->events[at];

	*e = (struct lt_event){ .ts = from->ts, .number = from->number,
				.type = from->type, .ret = from->ret, .pid = from->pid,
				.tid = from->tid };
	strcpy(e->session, s->names[from->session]);
	strcpy(e->compatible, s->names[from->compatible]);
	switch (e->type) {
	case LT_HANDOVER_REJECT:
		e->reject.token = from->rest.reject.token;
		strcpy(e->reject.what, s->names[from->rest.reject.what]);
		strcpy(e->reject.reason, s->names[from->rest.reject.reason]);
		break;
	case LT_KHO_SUBTREE_ADD:
	case LT_KHO_SUBTREE_REMOVE:
	case LT_KHO_SUBTREE_RETRIEVE:
		e->subtree.bytes = from->rest.subtree.bytes;
		strcpy(e->subtree.name, s->names[from->rest.subtree.name]);
		break;
	default:
		memcpy((char *)e + UNION, from->rest.bytes, REST);
		break;
	}
	return e;
}

void event_store_free(struct event_store *s)
{
	/* A name of the array is inside of what the tree has. */
	tdestroy(s->tree, free);
	free(s->names);
	free(s->events);
	*s = (struct event_store){ 0 };
}
