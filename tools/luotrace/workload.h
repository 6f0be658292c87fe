/* SPDX-License-Identifier: GPL-2.0 */

/*
 * What workloads felt of a live update: how long each stood still, from when its agent
 * marked it as paused in the old kernel to when it marked it as resumed in the new one.
 */

#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <jansson.h>

#include "blackout.h"

#define WORKLOADS	(2 * LIVEUPDATE_RECORDER_PAUSES)
#define WORKLOAD_TEXT	512	/* bytes of a sentence, with any name */

/**
 * struct workload - one workload
 * @name:      its name, in the record
 * @paused:    whether it was marked as paused in the old kernel
 * @resumed:   whether it was marked as resumed in the new kernel
 * @known:     whether it is known how long it stood still
 * @ns:	       how long, if so
 * @to_reboot: ns from the pause to the reboot, negative if it was paused later; if @paused
 * @to_resume: ns from the start of the new kernel to the resume; if @resumed
 */
struct workload {
	const char *name;
	bool paused;
	bool resumed;
	bool known;
	uint64_t ns;
	int64_t to_reboot;
	int64_t to_resume;
};

/**
 * workloads_find - the workloads of the last live update
 * @r:	 the record
 * @b:	 its blackout
 * @all: room for WORKLOADS; those that stood still longest come first, then those of which
 *	 that is unknown, the last one that was resumed first
 *
 * Return: their number.
 */
int workloads_find(const struct liveupdate_recorder *r, const struct blackout *b,
		   struct workload *all);

/** workloads_lost - how many marks of that live update found no room in the record */
uint64_t workloads_lost(const struct liveupdate_recorder *r);

/**
 * workload_sentence - what a workload felt
 * @w:	  the workload
 * @over: whether the live update is over
 * @text: WORKLOAD_TEXT bytes
 *
 * Return: @text.
 */
char *workload_sentence(const struct workload *w, bool over, char *text);

/** workloads_json - all of them as an array */
json_t *workloads_json(const struct liveupdate_recorder *r, const struct blackout *b);

#endif
