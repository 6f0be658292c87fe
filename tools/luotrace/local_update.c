// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "box_lock.h"
#include "incoming.h"
#include "inside_collect.h"
#include "local_update.h"
#include "luo_device.h"
#include "msg.h"
#include "recorder.h"

/*
 * Take the box out of its session: nobody keeps one here. Its session is finished even if
 * it cannot be saved, as the caller shows it, and the next update would give it up.
 */
static struct update *take_box(const struct probe *probe, const char *dir)
{
	int lock = box_lock();
	struct black_box *box = malloc(sizeof(*box));
	struct incoming *in = NULL;
	struct update *u = NULL;
	int dev = lock == -EWOULDBLOCK ? lock : box ? luo_open_device() : -ENOMEM;
	int session = -1;
	bool found;

	if (dev < 0) {
		if (lock == -EWOULDBLOCK)
			msg_note("luotrace record --carry runs, and has not saved the last update yet");
		else
			luo_report_device(dev, probe->why_off);
		free(box);
		if (lock >= 0)
			close(lock);
		return NULL;
	}
	found = incoming_take(dev, box, &session);
	/* Agents need the device; what follows reads sessions and writes to the disk. */
	close(dev);
	if (found)
		in = incoming_begin(probe, dir, false);
	if (in) {
		incoming_add_box(in, box);
		u = malloc(sizeof(*u));
		if (u)
			*u = *incoming_update(in);
		else
			msg_error("out of memory");
		incoming_save(in);
	}
	if (session >= 0) {
		luo_finish_session(session);
		close(session);
	}
	if (lock >= 0)
		close(lock);
	incoming_free(in);
	free(box);
	return u;
}

/* Agents can have finished since an update was saved that nobody traces. */
static void look_again(const struct probe *probe, const char *dir, struct update *u)
{
	struct incoming *in = incoming_begin(probe, dir, false);

	if (!in)
		return;
	*u = *incoming_update(in);
	if (incoming_over(in))
		incoming_save(in);
	incoming_free(in);
}

/* The kernel's own record, with the box for what that has none of. */
static int join_recorder(struct update **u)
{
	struct liveupdate_recorder *r;

	if (recorder_load_local(&r))
		return -1;
	if (!r)
		return 0;
	if (!*u)
		*u = calloc(1, sizeof(**u));
	if (!*u) {
		free(r);
		msg_error("out of memory");
		return -1;
	}
	if (!recorder_present(&r->last_out))
		r->last_out = (*u)->record.last_out;
	box_marks_merge(&r->last_out, &(*u)->record.last_out);
	box_marks_merge(&r->last_in, &(*u)->record.last_in);
	(*u)->record = *r;
	(*u)->in = UPDATE_IN_SEEN;
	free(r);
	return 0;
}

int local_update(const struct probe *probe, const char *dir, bool take, struct update **u)
{
	bool stock = probe->flavour == FLAVOUR_STOCK;
	unsigned int number;

	*u = update_store_of_boot(dir, &number);
	if (*u && take && stock && (*u)->in == UPDATE_IN_UNSEEN &&
	    !(*u)->record.last_in.over)
		look_again(probe, dir, *u);
	if (!*u && take && stock && probe->device == YES)
		*u = take_box(probe, dir);
	if (!stock && join_recorder(u))
		return -1;
	if (!take || !*u)
		return 0;
	/* Only the kernel's record says which process opened the device, and so its unit. */
	if (!stock)
		inside_forget(&(*u)->inside, INSIDE_SYSTEMD);
	inside_collect(*u);
	return 0;
}

int local_update_record(const struct probe *probe, struct liveupdate_recorder **r)
{
	struct update *u;
	int err;

	*r = NULL;
	err = local_update(probe, UPDATE_STORE_DIR, false, &u);
	if (err || !u)
		return err;
	*r = malloc(sizeof(**r));
	if (*r)
		**r = u->record;
	free(u);
	if (*r)
		return 0;
	msg_error("out of memory");
	return -1;
}
