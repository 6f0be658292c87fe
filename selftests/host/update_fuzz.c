// SPDX-License-Identifier: GPL-2.0

/*
 * A saved update: what is accepted is shown. An input changes one; the checksum is right
 * unless the lower 3 bits of its first byte are 1. The others say in which way it is shown.
 */

#include "blackout_record.h"
#include "fuzz_show.h"

static void make_update(struct update *u)
{
	struct liveupdate_recorder *r = make();
	int i;

	if (!r)
		abort();
	u->record = *r;
	u->in = UPDATE_IN_SEEN;
	u->out_box = u->has_box = 1;
	for (i = 0; i < BOX_NR_STEPS; i++)
		u->reboot.steps[i] = HZ + i * i * MS;
	u->reboot.last = u->reboot.steps[BOX_NR_STEPS - 1];
	u->reboot.nr_devices = 52;
	u->reboot.devices[0].duration = MS;
	strcpy(u->reboot.devices[0].name, "0000:00:01.0");
	strcpy(u->reboot.devices[0].driver, "nvme");
	u->inside.n = 2;
	for (i = 0; i < 2; i++) {
		u->inside.item[i].span = i ? SPAN_USER : SPAN_SHUTDOWN;
		u->inside.item[i].source = i ? INSIDE_SYSTEMD : INSIDE_LOG;
		u->inside.item[i].to = u->inside.item[i].ns = MS;
		strcpy(u->inside.item[i].text, "unit a.service");
	}
	free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct update *u = calloc(1, sizeof(*u)), *checked;
	const char *why;

	if (!u)
		abort();
	make_update(u);
	update_store_seal(u);
	fuzz_change(u, sizeof(*u), data, size);
	if (size && (data[0] & 7) != 1)
		update_store_seal(u);
	checked = update_store_parse(u, sizeof(*u), &why);
	free(u);
	if (checked)
		show_trace(trace_file_update(checked), size ? data[0] >> 3 : 0);
	return 0;
}
