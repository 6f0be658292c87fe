/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Metrics of LUO and luotrace in the text format of OpenMetrics, which the node exporter's
 * textfile collector reads, too. Unknown values are left out.
 */

#ifndef METRICS_H
#define METRICS_H

#include <stdio.h>

#include "audit.h"
#include "probe.h"

/**
 * struct metrics - sources of metrics
 * @probe:    what the kernel offers
 * @audit:    incoming sessions; its recorder and its inventory can be NULL
 * @outgoing: sessions for the next kernel, NULL if unknown
 * @number:   live updates that this machine has been through, -1 if unknown
 * @state:    global state, "" if unknown
 */
struct metrics {
	const struct probe *probe;
	const struct audit *audit;
	const struct inventory *outgoing;
	long long number;
	char state[16];
};

/** metrics_write - all of them, on @f */
void metrics_write(const struct metrics *m, FILE *f);

/**
 * metrics_json - the same as JSON
 * @text: what metrics_write() wrote
 *
 * Return: an array of samples with name, labels and value.
 */
json_t *metrics_json(const char *text);

#endif
