// SPDX-License-Identifier: GPL-2.0

#include <string.h>

#include "fmt.h"
#include "folios.h"
#include "json.h"

/* What saves less is not worth a sentence, as in a timeline. */
#define WORTH_NS	1000000

static const char *const actions[LT_KHO_ACTIONS] = { "preserve", "unpreserve",
						     "restore" };

const char *folios_action(unsigned int action)
{
	return actions[action % LT_KHO_ACTIONS];
}

int folios_action_of(const char *name)
{
	int a;

	for (a = 0; a < LT_KHO_ACTIONS; a++) {
		if (!strcmp(actions[a], name))
			return a;
	}
	return -1;
}

void folios_since(struct folios *now, const struct folios *earlier)
{
	unsigned int a, order;

	for (a = 0; a < LT_KHO_ACTIONS; a++) {
		for (order = 0; order < LT_ORDERS; order++) {
			now->orders[a][order].calls -= earlier->orders[a][order].calls;
			now->orders[a][order].timed -= earlier->orders[a][order].timed;
			now->orders[a][order].ns -= earlier->orders[a][order].ns;
		}
		now->pieces[a].calls -= earlier->pieces[a].calls;
		now->pieces[a].small -= earlier->pieces[a].small;
		now->pieces[a].ns -= earlier->pieces[a].ns;
		now->pieces[a].large -= earlier->pieces[a].large;
		now->pieces[a].rest -= earlier->pieces[a].rest;
	}
}

static void print_row(unsigned int action, unsigned int order, const struct lt_folio *row,
		      uint64_t page_size, FILE *f)
{
	char size[FMT_LEN], bytes[FMT_LEN], each[FMT_LEN], all[FMT_LEN];
	uint64_t pages = row->calls << order;

	fprintf(f, "  %-10s %8s %8llu %10llu %9s %8s %9s\n", actions[action],
		fmt_bytes(size, page_size << order), (unsigned long long)row->calls,
		(unsigned long long)pages, fmt_bytes(bytes, pages * page_size),
		row->timed ? fmt_ns(each, row->ns / row->timed) : "-",
		row->timed ? fmt_ns(all, row->ns) : "-");
}

/* What the pages would have taken in large folios; false if that is unknown. */
static bool estimate(const struct folios *all, unsigned int action, uint64_t *ns)
{
	const struct lt_folio *large = &all->orders[action][all->large_order];
	const struct lt_pieces *p = &all->pieces[action];

	if (!large->timed)
		return false;
	*ns = (double)p->large * large->ns / large->timed +
	      (double)p->rest * p->ns / p->small;
	return true;
}

bool folios_worth(const struct folios *all, unsigned int action)
{
	const uint64_t took = all->pieces[action].ns;
	uint64_t would = 0;

	estimate(all, action, &would);
	return took >= would && took - would >= WORTH_NS;
}

void folios_text(const struct folios *all, uint64_t page_size, FILE *f)
{
	char finding[FOLIOS_FINDING];
	unsigned int a, order, lines = 0;

	fprintf(f, "\nThat memory by the size of its folios\n");
	if (!all->known) {
		fprintf(f, "  - (KHO's functions for a folio could not be traced)\n");
		return;
	}
	for (a = 0; a < LT_KHO_ACTIONS; a++) {
		for (order = 0; order < LT_ORDERS; order++) {
			if (!all->orders[a][order].calls)
				continue;
			if (!lines++)
				fprintf(f, "  %-10s %8s %8s %10s %9s %8s %9s\n", "action",
					"folio", "calls", "pages", "size", "each",
					"together");
			print_row(a, order, &all->orders[a][order], page_size, f);
		}
	}
	if (!lines)
		fprintf(f, "  none was seen\n");
	for (a = 0; a < LT_KHO_ACTIONS; a++) {
		if (folios_finding(all, a, page_size, finding) && folios_worth(all, a))
			fmt_wrapped(f, "* ", finding);
	}
}

const char *folios_finding(const struct folios *all, unsigned int action,
			   uint64_t page_size, char *buf)
{
	const struct lt_pieces *p = &all->pieces[action];
	const struct lt_folio *large = &all->orders[action][all->large_order];
	char small_size[FMT_LEN], large_size[FMT_LEN], took[FMT_LEN], would[FMT_LEN];
	char each[FMT_LEN], session[2 * LT_NAME_LEN], compatible[2 * LT_COMPAT_LEN];
	uint64_t ns;
	int n;

	if (!p->calls || !all->large_order)
		return NULL;
	fmt_bytes(large_size, page_size << all->large_order);
	n = snprintf(buf, FOLIOS_FINDING,
		     "KHO took %s to %s %llu folios of %s in %llu call%s of handlers; %llu of %s",
		     fmt_ns(took, p->ns), actions[action], (unsigned long long)p->small,
		     fmt_bytes(small_size, page_size), (unsigned long long)p->calls,
		     fmt_s(p->calls), (unsigned long long)p->large, large_size);
	if (p->rest)
		n += snprintf(buf + n, FOLIOS_FINDING - n, " and %llu of %s",
			      (unsigned long long)p->rest, small_size);
	if (estimate(all, action, &ns))
		n += snprintf(buf + n, FOLIOS_FINDING - n,
			      " would take %s, at the %s that one of %s took here",
			      fmt_ns(would, ns), fmt_ns(each, large->ns / large->timed),
			      large_size);
	else
		n += snprintf(buf + n, FOLIOS_FINDING - n,
			      " would do, but how long one of %s takes is unknown, as none was seen",
			      large_size);
	snprintf(buf + n, FOLIOS_FINDING - n,
		 "; most are of %s, session %s token %llu: memfds have large ones if transparent_hugepage/shmem_enabled says so",
		 fmt_name(compatible, sizeof(compatible), p->compatible),
		 fmt_name(session, sizeof(session), p->session),
		 (unsigned long long)p->token);
	return buf;
}

static json_t *row_json(unsigned int action, unsigned int order,
			const struct lt_folio *row, uint64_t page_size)
{
	return json_pack("{ss, si, sI, sI, sI, sI, sI, sI, so}",
			 "action", actions[action], "order", order,
			 "folio_bytes", (json_int_t)(page_size << order),
			 "calls", (json_int_t)row->calls,
			 "pages", (json_int_t)(row->calls << order),
			 "bytes", (json_int_t)((row->calls << order) * page_size),
			 "timed", (json_int_t)row->timed,
			 "timed_ns", (json_int_t)row->ns,
			 "avg_ns", row->timed ? json_integer(row->ns / row->timed) :
						json_null());
}

static json_t *pieces_json(const struct folios *all, unsigned int action,
			   uint64_t page_size)
{
	const struct lt_pieces *p = &all->pieces[action];
	char text[FOLIOS_FINDING];
	uint64_t ns;

	return json_pack("{ss, sI, sI, sI, sI, sI, so, so, so, so, sI, so}",
			 "action", actions[action], "calls", (json_int_t)p->calls,
			 "folios", (json_int_t)p->small, "total_ns", (json_int_t)p->ns,
			 "large_folios", (json_int_t)p->large,
			 "rest_folios", (json_int_t)p->rest,
			 "estimate_ns", estimate(all, action, &ns) ?
			 json_integer(ns) : json_null(),
			 "session", fmt_json_name(p->session),
			 "token", json_token(p->token),
			 "handler", fmt_json_name(p->compatible),
			 "most_folios", (json_int_t)p->most,
			 "text", fmt_json_text(folios_finding(all, action, page_size,
							      text)));
}

json_t *folios_json(const struct folios *all, uint64_t page_size)
{
	json_t *orders, *pieces;
	unsigned int a, order;

	if (!all->known)
		return json_null();
	orders = json_array();
	pieces = json_array();
	for (a = 0; a < LT_KHO_ACTIONS; a++) {
		for (order = 0; order < LT_ORDERS; order++) {
			if (all->orders[a][order].calls)
				json_array_append_new(orders,
					row_json(a, order, &all->orders[a][order],
						 page_size));
		}
		if (all->pieces[a].calls && all->large_order)
			json_array_append_new(pieces, pieces_json(all, a, page_size));
	}
	return json_pack("{si, so, so}", "large_order", all->large_order,
			 "orders", orders, "pieces", pieces);
}

static bool read_row(struct folios *all, json_t *row)
{
	json_int_t bytes, calls, timed, ns;
	const char *action;
	int a, order;

	if (json_unpack(row, "{ss, si, sI, sI, sI, sI}", "action", &action, "order",
			&order, "folio_bytes", &bytes, "calls", &calls, "timed", &timed, "timed_ns", &ns))
		return false;
	a = folios_action_of(action);
	if (a < 0 || order < 0 || order >= LT_ORDERS || bytes < 0 || calls < 0 ||
	    timed < 0 || ns < 0)
		return false;
	all->page_size = bytes >> order;
	all->orders[a][order] = (struct lt_folio){ calls, timed, ns };
	return true;
}

static bool read_pieces(struct folios *all, json_t *o)
{
	const char *action, *session, *compatible;
	json_int_t calls, small, ns, large, rest, most;
	struct lt_pieces *p;
	int a;

	if (json_unpack(o, "{ss, sI, sI, sI, sI, sI, ss, ss, sI}", "action", &action,
			"calls", &calls, "folios", &small, "total_ns", &ns,
			"large_folios", &large, "rest_folios", &rest,
			"session", &session, "handler", &compatible,
			"most_folios", &most))
		return false;
	a = folios_action_of(action);
	if (a < 0 || calls <= 0 || small <= 0 || ns < 0 || large < 0 || rest < 0 ||
	    most < 0)
		return false;
	p = &all->pieces[a];
	p->calls = calls;
	p->small = small;
	p->ns = ns;
	p->large = large;
	p->rest = rest;
	p->most = most;
	return json_read_token(o, "token", &p->token) &&
	       fmt_read_name(p->session, sizeof(p->session), session) &&
	       fmt_read_name(p->compatible, sizeof(p->compatible), compatible);
}

bool folios_read(struct folios *all, json_t *o)
{
	json_t *one;
	size_t i;
	int large;

	memset(all, 0, sizeof(*all));
	if (!o || json_is_null(o))
		return true;
	if (json_unpack(o, "{si}", "large_order", &large) || large < 0 ||
	    large >= LT_ORDERS || !json_is_array(json_object_get(o, "orders")) ||
	    !json_is_array(json_object_get(o, "pieces")))
		return false;
	all->known = true;
	all->large_order = large;
	json_array_foreach(json_object_get(o, "orders"), i, one) {
		if (!read_row(all, one))
			return false;
	}
	json_array_foreach(json_object_get(o, "pieces"), i, one) {
		if (!read_pieces(all, one))
			return false;
	}
	return true;
}
