/* SPDX-License-Identifier: GPL-2.0 */

/* Constants that timeline_agent and timeline_test share. */

#ifndef TIMELINE_TEST_H
#define TIMELINE_TEST_H

#include "luo_recorder.h"

#define EVENTS		"/state/events"
#define HANDLER		"liveupdate-test-v1"
#define SLOW_US		150000
#define SLOW_TOKEN	77
#define FAIL_US		2000000		/* in a reboot that fails */
#define NR_PARALLEL	9		/* retrieves at the same time, each in a session */
#define PARALLEL_US	100000
#define IDLE_S		2		/* of an agent after its last FINISH */
#define ENDED		"/tmp/ended"

static const unsigned int delays[] = { 50, 1000, 5000, 20000 };
#define NR_DELAYS	(sizeof(delays) / sizeof(delays[0]))

/* The order of the durations of cancels of some sessions, and how long one takes. */
static const unsigned int cancels[] = { 3, 1, 4, 2, 6, 5, 8, 7, 10, 9 };
#define NR_CANCELS	(sizeof(cancels) / sizeof(cancels[0]))
#define IS_LONG(nth)	((nth) > NR_CANCELS - LIVEUPDATE_RECORDER_SLOWEST)
/* A short one stays shorter than a long one if the host stops the CPU for a while. */
#define CANCEL_US(nth)	((IS_LONG(nth) ? 600000 : 0) + 10000 * (nth))

#endif
