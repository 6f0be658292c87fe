/* SPDX-License-Identifier: GPL-2.0 */

/*
 * What LUO and luotrace know, as metrics in the text format of OpenMetrics, which
 * the node exporter's textfile collector reads, too. What is unknown is left out.
 */

#ifndef METRICS_H
#define METRICS_H

#include <stdio.h>

#include "audit.h"
#include "probe.h"

/**
 * struct metrics - where they come from
 * @probe:    what the kernel offers
 * @audit:    what came from the previous kernel; its recorder may be NULL, and so
 *	      may its inventory
 * @outgoing: sessions for the next kernel, NULL if they are not known
 * @number:   live updates that this machine has been through, -1 if unknown
 * @state:    of the machine, "" if unknown
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
 * metrics_json - the same for programs that read no metrics
 * @text: what metrics_write() wrote
 *
 * Return: an array of samples with name, labels and value.
 */
json_t *metrics_json(const char *text);

#endif
