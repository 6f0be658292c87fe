// SPDX-License-Identifier: GPL-2.0

/*
 * The recorder's record as the kernel, or a file, has it: what is accepted is shown. An
 * input changes a record; if the lower 3 bits of its first byte are 1, what follows are the
 * bytes. The others say in which way it is shown.
 */

#include "blackout_record.h"
#include "fuzz_show.h"
#include "recorder.h"

static struct liveupdate_recorder *changed(const uint8_t *data, size_t size)
{
	struct liveupdate_recorder *r = make();

	if (!r)
		abort();
	add_spans(r);
	add_pauses(r);
	fuzz_change(r, sizeof(*r), data, size);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct liveupdate_recorder *r, *checked;
	struct update *u;

	if (size && (data[0] & 7) == 1) {
		checked = recorder_parse(data + 1, size - 1);
	} else {
		r = changed(data, size);
		checked = recorder_parse(r, sizeof(*r));
		free(r);
	}
	if (!checked)
		return 0;
	u = calloc(1, sizeof(*u));
	if (!u)
		abort();
	u->record = *checked;
	free(checked);
	show_trace(trace_file_update(u), size ? data[0] >> 3 : 0);
	return 0;
}
