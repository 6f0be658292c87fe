// SPDX-License-Identifier: GPL-2.0

#include <stdio.h>

#include "fmt.h"
#include "observer.h"

static uint64_t minus(uint64_t a, uint64_t b)
{
	return a == OBSERVER_UNKNOWN || b == OBSERVER_UNKNOWN ? OBSERVER_UNKNOWN : a - b;
}

struct observer observer_since(const struct observer *now, const struct observer *earlier)
{
	return (struct observer){
		.run_ns = minus(now->run_ns, earlier->run_ns),
		.runs = minus(now->runs, earlier->runs),
		.observed_ns = minus(now->observed_ns, earlier->observed_ns),
	};
}

static uint64_t plus(uint64_t a, uint64_t b)
{
	return a == OBSERVER_UNKNOWN || b == OBSERVER_UNKNOWN ? OBSERVER_UNKNOWN : a + b;
}

struct observer observer_sum(const struct observer *a, const struct observer *b)
{
	return (struct observer){
		.run_ns = plus(a->run_ns, b->run_ns),
		.runs = plus(a->runs, b->runs),
		.observed_ns = plus(a->observed_ns, b->observed_ns),
	};
}

/* Share of the time of one CPU; below 0 if it is unknown. */
static double share(const struct observer *o)
{
	if (o->run_ns == OBSERVER_UNKNOWN || o->observed_ns == OBSERVER_UNKNOWN ||
	    !o->observed_ns)
		return -1;
	return (double)o->run_ns / o->observed_ns;
}

char *observer_text(const struct observer *o, char *buf)
{
	char run[FMT_LEN], observed[FMT_LEN];
	double percent = 100 * share(o);

	if (share(o) < 0 || o->runs == OBSERVER_UNKNOWN)
		snprintf(buf, OBSERVER_TEXT,
			 "luotrace itself: run time of its BPF programs unknown");
	else
		snprintf(buf, OBSERVER_TEXT,
			 "luotrace itself: %llu run%s of BPF programs, %s in %s, %s%.3f %% of one CPU",
			 (unsigned long long)o->runs, fmt_s(o->runs),
			 fmt_ns(run, o->run_ns), fmt_ns(observed, o->observed_ns),
			 percent < 0.001 ? "below " : "", percent < 0.001 ? 0.001 : percent);
	return buf;
}

static json_t *known(uint64_t n)
{
	return n == OBSERVER_UNKNOWN ? json_null() : json_integer(n);
}

json_t *observer_json(const struct observer *o)
{
	return json_pack("{so, so, so, so}", "run_ns", known(o->run_ns),
			 "runs", known(o->runs), "observed_ns", known(o->observed_ns),
			 "share", share(o) < 0 ? json_null() : json_real(share(o)));
}

static uint64_t number(json_t *o, const char *key)
{
	json_t *n = json_object_get(o, key);

	return json_is_integer(n) && json_integer_value(n) >= 0 ?
	       (uint64_t)json_integer_value(n) : OBSERVER_UNKNOWN;
}

struct observer observer_read(json_t *object)
{
	return (struct observer){
		.run_ns = number(object, "run_ns"),
		.runs = number(object, "runs"),
		.observed_ns = number(object, "observed_ns"),
	};
}
