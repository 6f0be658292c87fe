// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot_log.h"
#include "counter.h"
#include "fmt.h"
#include "kmsg.h"
#include "msg.h"
#include "perf_clock.h"

#define US		1000ULL
#define TIME_MAX	(INT64_MAX / 2 / US)
#define MISSED_MIN	1000000	/* ns; less is the difference of two clocks */
#define NAMES		96	/* bytes of a message or an initcall as shown */
#define MESSAGE		2048	/* bytes that are looked at */
#define LINES_MAX	(1 << 16)	/* a log with more before user space is none */

/* An initcall, or a stretch without a message. */
struct stretch {
	uint64_t from, to;
	bool listed;
	char text[INSIDE_TEXT];
};

struct stretches {
	struct stretch *all;
	size_t n, room;
};

/* What was read so far. */
struct log {
	struct stretches calls, silences;
	uint64_t seq;		/* of the next record, if none is lost */
	uint64_t last;		/* latest time of a record */
	uint64_t set, missed;	/* when it was set, and what it had missed by then */
	bool whole;		/* no record is lost between the last one and the next */
	char silence[INSIDE_TEXT];	/* what a stretch after it is */
};

static struct stretch *stretch_add(struct stretches *s, uint64_t from, uint64_t to)
{
	struct stretch *all;

	if (s->n == s->room) {
		if (s->room >= LINES_MAX)
			return NULL;
		s->room = s->room ? 2 * s->room : 512;
		all = realloc(s->all, s->room * sizeof(*all));
		if (!all)
			return NULL;
		s->all = all;
	}
	s->all[s->n] = (struct stretch){ .from = from, .to = to };
	return &s->all[s->n++];
}

/* The first line of a message, without what the log makes of unprintable bytes. */
static void spell(char name[NAMES], const char *text)
{
	char plain[MESSAGE], spelled[4 * MESSAGE + 1], *line = plain;

	if (!fmt_read_name(plain, sizeof(plain), text))
		snprintf(plain, sizeof(plain), "%s", text);
	line += strspn(line, "\n ");
	line[strcspn(line, "\n")] = '\0';
	fmt_label(spelled, sizeof(spelled), line);
	fmt_label(name, NAMES, line);
	if (strcmp(name, spelled)) {
		fmt_label(name, NAMES - 3, line);
		strcat(name, "...");
	}
}

/*
 * "initcall NAME+0x0/0x10 [MODULE] returned 0 after 12 usecs", printed when it returns.
 * Returns false if it is none; the name is without offset and size.
 */
static bool parse_call(const char *text, char name[NAMES], uint64_t *us)
{
	static const char head[] = "initcall ", mid[] = " returned ";
	char plain[NAMES], *offset;
	const char *end;
	int ret, used = 0;
	unsigned long long took;

	end = strstr(text, mid);
	if (strncmp(text, head, sizeof(head) - 1) || !end ||
	    sscanf(end, " returned %d after %llu usecs%n", &ret, &took, &used) != 2 ||
	    !used || end[used])
		return false;
	text += sizeof(head) - 1;
	if (end <= text)
		return false;
	snprintf(plain, sizeof(plain), "%.*s", (int)(end - text), text);
	offset = strstr(plain, "+0x");
	if (offset)
		memmove(offset, offset + strcspn(offset, " "),
			strlen(offset + strcspn(offset, " ")) + 1);
	spell(name, plain);
	*us = took;
	return true;
}

/*
 * While the kernel does not trust its counter, its clock stands still where ticks are lost.
 * Then it is set by how much it is behind the counter, or ahead of it.
 */
static void parse_set(struct log *log, const char *text, uint64_t now)
{
	long long offset;

	if (sscanf(text, "sched_clock: Marking stable (%*d, %*d)->(%*d, %lld)",
		   &offset) != 1 || offset >= 0 || offset < -(long long)TIME_MAX)
		return;
	log->set = now;
	log->missed = -offset;
}

/* Returns false if there are too many of them. */
static bool add_record(struct log *log, const struct kmsg *k)
{
	uint64_t now = k->us * US, us;
	struct stretch *s;
	char name[NAMES];

	if (k->us > TIME_MAX)
		return true;
	/* Records of several CPUs can be in another order than their times. */
	if (now > log->last) {
		if (log->whole) {
			s = stretch_add(&log->silences, log->last, now);
			if (!s)
				return false;
			memcpy(s->text, log->silence, sizeof(s->text));
		}
		log->last = now;
	}
	/* None can have begun before the log did. */
	if (parse_call(k->text, name, &us) && us && us <= k->us) {
		s = stretch_add(&log->calls, now - us * US, now);
		if (!s)
			return false;
		snprintf(s->text, sizeof(s->text), "initcall %s", name);
	}
	parse_set(log, k->text, now);
	spell(name, k->text);
	snprintf(log->silence, sizeof(log->silence), "no kernel message after \"%s\"",
		 name);
	log->whole = true;
	return true;
}

/* Read until user space starts; false if the log does not tell when. */
static bool read_records(int fd, struct log *log)
{
	struct kmsg k;

	while (kmsg_read(fd, &k)) {
		/* The first record has number 0. */
		if (k.seq != log->seq)
			log->whole = false;
		log->seq = k.seq + 1;
		if (!k.kernel)
			continue;
		if (!add_record(log, &k))
			return false;
		if (kmsg_is_init(&k))
			return true;
	}
	return false;
}

static int by_begin(const void *a, const void *b)
{
	const struct stretch *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

/* Time that initcalls take, all or those that are listed; they are in order of begin. */
static uint64_t calls_union(const struct stretches *calls, bool listed)
{
	uint64_t total = 0, until = 0, from;
	size_t i;

	for (i = 0; i < calls->n; i++) {
		if (listed && !calls->all[i].listed)
			continue;
		from = calls->all[i].from > until ? calls->all[i].from : until;
		if (calls->all[i].to <= from)
			continue;
		total += calls->all[i].to - from;
		until = calls->all[i].to;
	}
	return total;
}

/*
 * Leave of each silence what is outside of initcalls. These end with a message of their own,
 * so that one is in the middle of a silence only if its begin was not logged: then the part
 * before it stays.
 */
static void cut_silences(struct stretches *silences, const struct stretches *calls)
{
	uint64_t until = 0;	/* the end of the initcalls that have begun */
	size_t i, k = 0;

	for (i = 0; i < silences->n; i++) {
		struct stretch *s = &silences->all[i];

		while (k < calls->n && calls->all[k].from <= s->from) {
			until = calls->all[k].to > until ? calls->all[k].to : until;
			k++;
		}
		if (until > s->from)
			s->from = until < s->to ? until : s->to;
		if (k < calls->n && calls->all[k].from < s->to)
			s->to = calls->all[k].from > s->from ? calls->all[k].from :
							       s->from;
	}
}

/* The longest stretch that is not listed yet, NULL if none is left. */
static struct stretch *longest(struct stretches *s)
{
	struct stretch *most = NULL;
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (s->all[i].listed || s->all[i].to <= s->all[i].from ||
		    (most && s->all[i].to - s->all[i].from <= most->to - most->from))
			continue;
		most = &s->all[i];
	}
	return most;
}

static struct inside_item item_of(const struct stretch *s)
{
	struct inside_item item = {
		.span = SPAN_INIT, .source = INSIDE_LOG,
		.from = s->from, .to = s->to, .ns = s->to - s->from,
	};

	memcpy(item.text, s->text, sizeof(item.text));
	return item;
}

static int list_longest(struct log *log, struct inside_item *items)
{
	struct stretch *call = longest(&log->calls), *s;
	struct stretch *silence = longest(&log->silences);
	int n;

	for (n = 0; n < BOOT_LOG_LONGEST && (call || silence); n++) {
		s = !silence || (call && call->to - call->from >
				 silence->to - silence->from) ? call : silence;
		s->listed = true;
		items[n] = item_of(s);
		if (s == call)
			call = longest(&log->calls);
		else
			silence = longest(&log->silences);
	}
	return n;
}

/* One item for all other initcalls; false if they took no time of their own. */
static bool list_others(const struct stretches *calls, struct inside_item *item)
{
	struct stretch all = { .from = UINT64_MAX };
	size_t i, n = 0;

	for (i = 0; i < calls->n; i++) {
		if (calls->all[i].listed)
			continue;
		n++;
		if (calls->all[i].from < all.from)
			all.from = calls->all[i].from;
		if (calls->all[i].to > all.to)
			all.to = calls->all[i].to;
	}
	if (!n)
		return false;
	*item = item_of(&all);
	item->ns = calls_union(calls, false) - calls_union(calls, true);
	snprintf(item->text, INSIDE_TEXT, "%zu other initcall%s", n, fmt_s(n));
	return item->ns;
}

/* It is not known which stretches were longer by it than the log says. */
static bool list_missed(const struct log *log, struct inside_item *item)
{
	struct stretch all = { .to = log->set };

	if (log->missed < MISSED_MIN || log->missed > log->set)
		return false;
	*item = item_of(&all);
	item->ns = log->missed;
	item->detail = 1;
	snprintf(item->text, INSIDE_TEXT,
		 "lost ticks, for which the clock of the log stood still");
	return true;
}

int boot_log_items(int fd, struct inside_item *items, uint64_t *init)
{
	struct log log = { .whole = true, .silence = "before the first kernel message" };
	int n = 0;

	if (read_records(fd, &log)) {
		*init = log.last;
		if (log.calls.n)
			qsort(log.calls.all, log.calls.n, sizeof(*log.calls.all),
			      by_begin);
		cut_silences(&log.silences, &log.calls);
		n = list_longest(&log, items);
		n += list_others(&log.calls, &items[n]);
		n += list_missed(&log, &items[n]);
	}
	free(log.calls.all);
	free(log.silences.all);
	return n;
}

/* Where a time of the log is in kernel init, ns since its begin; false if unknown. */
static bool log_moment(const struct liveupdate_recorder *r, const struct blackout *b,
		       uint64_t log_ns, int64_t *ns)
{
	uint64_t log, now, clock = log_ns, counter;

	if (perf_log_now(&log, &now) && log >= log_ns && now >= log - log_ns)
		clock = now - (log - log_ns);
	if (!counter_of_log(log_ns, &counter))
		counter = 0;
	return blackout_moment(r, b, 1, counter, clock, ns) ||
	       b->timebase[1] == TIMEBASE_CLOCK;
}

/* Move an item from the clock of the log to that of the phase. */
static bool move_item(struct inside_item *item, int64_t by)
{
	int64_t from = (int64_t)item->from + by, to = (int64_t)item->to + by;

	if (to <= 0)
		return false;
	item->from = from > 0 ? from : 0;
	item->to = to;
	if (item->ns > item->to - item->from)
		item->ns = item->to - item->from;
	return item->to > item->from;
}

void boot_log_collect(struct inside *to, const struct liveupdate_recorder *r,
		      const struct blackout *b)
{
	struct inside_item items[BOOT_LOG_ITEMS];
	uint64_t init;
	int fd, n, i;
	int64_t at;

	/* A recorder knows better, with a counter. */
	if (!b->known[SPAN_INIT] ||
	    (r->inside.init.count && b->timebase[1] == TIMEBASE_COUNTER))
		return;
	fd = kmsg_open();
	if (fd < 0)
		return;
	n = boot_log_items(fd, items, &init);
	close(fd);
	if (!n || !log_moment(r, b, init, &at))
		return;
	for (i = 0; i < n; i++) {
		if (move_item(&items[i], at - (int64_t)init))
			inside_add(to, b, &items[i]);
	}
}
