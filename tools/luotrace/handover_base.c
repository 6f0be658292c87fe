// SPDX-License-Identifier: GPL-2.0

/* Decode the table that the base's LUO reads and writes, &struct luo_ser. */

#include <stddef.h>
#include <string.h>

#include "handover.h"

void handover_decode_base(struct handover *h, const void *table, size_t size)
{
	struct luo_ser ser;

	h->kind = HANDOVER_BASE;
	if (size < sizeof(ser)) {
		handover_problem(h, "offset 0: %zu bytes are too few for the table of the base's LUO, which has %zu",
				 size, sizeof(ser));
		return;
	}
	memcpy(&ser, table, sizeof(ser));
	if (!memchr(ser.compatible, '\0', sizeof(ser.compatible))) {
		handover_problem(h, "offset 0: 'compatible' does not end within %zu bytes",
				 sizeof(ser.compatible));
		return;
	}
	h->compatible = table;
	if (strcmp(ser.compatible, LUO_ABI_COMPATIBLE)) {
		handover_problem(h, "offset 0: the table is '%s', this luotrace knows '"
				 LUO_ABI_COMPATIBLE "'", ser.compatible);
		return;
	}
	h->usable = true;
	h->number = ser.liveupdate_num;
	h->sessions_at = (struct handover_array){ .present = true,
						  .data = ser.sessions_pa };
	h->flbs_at = (struct handover_array){ .present = true, .data = ser.flbs_pa };
}
