// SPDX-License-Identifier: GPL-2.0

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "attempts.h"
#include "enum_name.h"

void attempts_init(struct attempts *a)
{
	*a = (struct attempts){ .begin = SIZE_MAX };
}

void attempts_free(struct attempts *a)
{
	free(a->ranges);
}

static bool add_range(struct attempts *a, size_t first, size_t last)
{
	size_t (*grown)[2];

	grown = reallocarray(a->ranges, a->nr + 1, sizeof(*grown));
	if (!grown)
		return false;
	a->ranges = grown;
	grown[a->nr][0] = first;
	grown[a->nr++][1] = last;
	return true;
}

/* A global phase of the outgoing side begins. */
static bool begins(const struct lt_event *e)
{
	static const char *const phases[] = { "prepare", "freeze", "cancel" };
	size_t i;

	if (e->type != LT_PHASE_BEGIN || e->phase.scope)
		return false;
	for (i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
		if (!strcmp(enum_name(ENUM_PHASE, e->phase.phase), phases[i]))
			return true;
	}
	return false;
}

bool attempts_event(struct attempts *a, const struct lt_event *e, size_t at)
{
	const char *requested;
	bool ok = true;

	if (begins(e) && a->begin == SIZE_MAX)
		a->begin = at;
	if (e->type != LT_STATE)
		return true;
	requested = enum_name(ENUM_EVENT, e->state.event);
	if (!strcmp(requested, "cancel") && !e->ret) {
		if (a->held)
			ok = add_range(a, a->prepare[0], a->prepare[1]);
		a->held = false;
		if (ok && a->begin != SIZE_MAX)
			ok = add_range(a, a->begin, at);
	} else if (a->begin != SIZE_MAX && e->ret) {
		ok = add_range(a, a->begin, at);
	} else if (a->begin != SIZE_MAX && !strcmp(requested, "prepare")) {
		a->held = true;
		a->prepare[0] = a->begin;
		a->prepare[1] = at;
	}
	a->begin = SIZE_MAX;
	return ok;
}

bool attempts_failed(const struct attempts *a, size_t at)
{
	size_t low = 0, high = a->nr, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (at < a->ranges[mid][0])
			high = mid;
		else if (at > a->ranges[mid][1])
			low = mid + 1;
		else
			return true;
	}
	return false;
}
