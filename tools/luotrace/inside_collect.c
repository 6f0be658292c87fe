// SPDX-License-Identifier: GPL-2.0

#include "boot_log.h"
#include "inside_collect.h"
#include "start.h"

static const struct {
	enum inside_source source;
	void (*collect)(struct inside *to, const struct liveupdate_recorder *r,
			const struct blackout *b);
} collectors[] = {
	{ INSIDE_SYSTEMD, start_systemd_collect },
	{ INSIDE_PROC, start_procs_collect },
	{ INSIDE_LOG, boot_log_collect },
};

static bool has(const struct inside *in, enum inside_source source)
{
	unsigned int i;

	for (i = 0; i < in->n; i++) {
		if (in->item[i].source == source)
			return true;
	}
	return false;
}

void inside_forget(struct inside *in, enum inside_source source)
{
	unsigned int i, n = 0;

	for (i = 0; i < in->n; i++) {
		if (in->item[i].source != source)
			in->item[n++] = in->item[i];
	}
	in->n = n;
}

void inside_collect(struct update *u)
{
	struct blackout b;
	size_t i;

	if (!update_present(u))
		return;
	/* Another unit was asked for. */
	if (start_agent_given())
		inside_forget(&u->inside, INSIDE_SYSTEMD);
	blackout_measure(&u->record, &b);
	for (i = 0; i < sizeof(collectors) / sizeof(collectors[0]); i++) {
		if (!has(&u->inside, collectors[i].source))
			collectors[i].collect(&u->inside, &u->record, &b);
	}
}
