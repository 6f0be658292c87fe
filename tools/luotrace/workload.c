// SPDX-License-Identifier: GPL-2.0

#include <stdlib.h>
#include <string.h>

#include "fmt.h"
#include "workload.h"

#define NAME_BUF	(4 * LIVEUPDATE_SESSION_NAME_LENGTH + 1)

static const struct liveupdate_recorder_pause *
pause_of(const struct liveupdate_recorder_part *p, const char *name)
{
	int i;

	for (i = 0; i < LIVEUPDATE_RECORDER_PAUSES; i++) {
		if (!strcmp(p->pauses[i].name, name))
			return &p->pauses[i];
	}
	return NULL;
}

/* @out or @in is NULL if it was not marked in that kernel. */
static void measure(const struct liveupdate_recorder *r, const struct blackout *b,
		    const struct liveupdate_recorder_pause *out,
		    const struct liveupdate_recorder_pause *in, struct workload *w)
{
	bool counted = true;

	*w = (struct workload){ .name = out ? out->name : in->name,
				.paused = out, .resumed = in };
	if (out)
		counted &= blackout_moment(r, b, 0, out->paused, out->paused_ns,
					   &w->to_reboot);
	w->to_reboot = -w->to_reboot;
	if (in)
		counted &= blackout_moment(r, b, 1, in->resumed, in->resumed_ns,
					   &w->to_resume);
	w->known = out && in && counted &&
		   blackout_between(b, out->paused, in->resumed, &w->ns);
}

static int compare(const void *a, const void *b)
{
	const struct workload *x = a, *y = b;

	if (x->known != y->known)
		return y->known - x->known;
	if (x->ns != y->ns)
		return x->ns < y->ns ? 1 : -1;
	if (x->to_resume != y->to_resume)
		return x->to_resume < y->to_resume ? 1 : -1;
	return strcmp(x->name, y->name);
}

int workloads_find(const struct liveupdate_recorder *r, const struct blackout *b,
		   struct workload *all)
{
	const struct liveupdate_recorder_pause *one;
	int i, n = 0;

	for (i = 0; i < LIVEUPDATE_RECORDER_PAUSES; i++) {
		one = &r->last_out.pauses[i];
		if (*one->name)
			measure(r, b, one, pause_of(&r->last_in, one->name), &all[n++]);
	}
	for (i = 0; i < LIVEUPDATE_RECORDER_PAUSES; i++) {
		one = &r->last_in.pauses[i];
		if (*one->name && !pause_of(&r->last_out, one->name))
			measure(r, b, NULL, one, &all[n++]);
	}
	qsort(all, n, sizeof(*all), compare);
	return n;
}

uint64_t workloads_lost(const struct liveupdate_recorder *r)
{
	return r->last_out.lost_pauses + r->last_in.lost_pauses;
}

/* "12.0ms before the reboot" */
static char *when_paused(char *buf, size_t size, const struct workload *w)
{
	char ns[FMT_LEN];

	snprintf(buf, size, "%s %s the reboot", fmt_ns(ns, llabs(w->to_reboot)),
		 w->to_reboot < 0 ? "after the begin of" : "before");
	return buf;
}

char *workload_sentence(const struct workload *w, bool over, char *text)
{
	char name[NAME_BUF], ns[FMT_LEN], paused[64];

	fmt_name(name, sizeof(name), w->name);
	if (w->known)
		snprintf(text, WORKLOAD_TEXT, "%s stood still for %s", name,
			 fmt_ns(ns, w->ns));
	else if (!w->resumed)
		snprintf(text, WORKLOAD_TEXT, "%s: paused %s, %s", name,
			 when_paused(paused, sizeof(paused), w),
			 over ? "not marked as resumed" : "not resumed yet");
	else
		snprintf(text, WORKLOAD_TEXT,
			 "%s: %s, resumed %s after the new kernel started; how long it stood still is unknown",
			 name, w->paused ? "paused" : "not marked as paused",
			 fmt_ns(ns, w->to_resume));
	return text;
}

static json_t *known_json(bool known, int64_t ns)
{
	return known ? json_integer(ns) : json_null();
}

json_t *workloads_json(const struct liveupdate_recorder *r, const struct blackout *b)
{
	struct workload all[WORKLOADS];
	json_t *array = json_array();
	int i, n = workloads_find(r, b, all);

	for (i = 0; i < n; i++)
		json_array_append_new(array,
			json_pack("{so, so, so, so}",
				  "name", fmt_json_name(all[i].name),
				  "blackout_ns", known_json(all[i].known, all[i].ns),
				  "paused_to_reboot_ns",
				  known_json(all[i].paused, all[i].to_reboot),
				  "start_to_resumed_ns",
				  known_json(all[i].resumed, all[i].to_resume)));
	return array;
}
