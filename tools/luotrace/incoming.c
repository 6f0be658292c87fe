// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "agents.h"
#include "boot_marks.h"
#include "clock.h"
#include "enum_name.h"
#include "fmt.h"
#include "incoming.h"
#include "inside_collect.h"
#include "inventory.h"
#include "luo_device.h"
#include "msg.h"
#include "record_part.h"
#include "recorder.h"
#include "start.h"

#define QUIET_NS	1000000000ULL	/* without an event */
#define AGENTS_NS	(1800 * QUIET_NS)	/* a session can be left for ever */

struct incoming {
	const struct probe *probe;
	const char *dir;
	unsigned int number;	/* in the store, 0 as long as it is not saved */
	struct update update;
	struct liveupdate_recorder_part out;	/* from the box; absent without */
	int pauses;			/* of this kernel, at the last look */
	struct record_part *part;	/* what is traced of a kernel without recorder */
	struct agents_tracer *agents;	/* the same */
	int maybe;		/* sessions of agents; -1 as long as that is unknown */
	struct counter_line line;
	bool present;
	struct liveupdate_recorder_part base;	/* of this kernel, by a luotrace before */
	uint32_t saved_crc;	/* of what is saved */
	int left;	/* sessions of agents after tracing began, -1 if unknown */
	int claimed;	/* of these; without those whose claim was traced */
	uint64_t began;	/* when that was */
	bool changed;	/* a session can have ended since the last look at them */
	uint64_t last;	/* event of an agent */
	bool ending;	/* none is left */
	bool over;
};

static bool parse_file(int fd, struct black_box *box)
{
	const char *why = NULL;
	struct stat st;
	void *data;

	if (fstat(fd, &st) || !st.st_size) {
		msg_error("the black box of the previous kernel is empty");
		return false;
	}
	data = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED) {
		msg_error("cannot map the black box of the previous kernel: %s",
			  strerror(errno));
		return false;
	}
	why = black_box_parse(data, st.st_size, box);
	if (why)
		msg_error("the black box of the previous kernel cannot be read: %s", why);
	munmap(data, st.st_size);
	return !why;
}

bool incoming_take(int dev, struct black_box *box, int *session)
{
	int fd;
	bool found;

	*session = luo_claim_session(dev, BLACK_BOX_SESSION);
	if (*session < 0) {
		if (*session != -ENOENT)
			msg_error("cannot claim the session of the black box: %s",
				  fmt_errno(*session));
		*session = -1;
		return false;
	}
	fd = luo_retrieve_file(*session, BLACK_BOX_TOKEN);
	if (fd < 0) {
		msg_error("cannot retrieve the black box: %s", fmt_errno(fd));
		return false;
	}
	found = parse_file(fd, box);
	close(fd);
	return found;
}

/* Incoming sessions of agents; -1 if they are unknown. Sets how many are claimed. */
static int sessions_left(const struct probe *probe, int *claimed)
{
	struct inventory inv = { 0 };
	int n = 0;
	size_t i;

	*claimed = 0;
	if (probe_why_no_audit(probe) ||
	    inventory_read(probe, &inv, enum_value(ENUM_DIR, "in"), false))
		return -1;
	for (i = 0; i < inv.nr_sessions; i++) {
		if (!strcmp(inv.sessions[i].name, BLACK_BOX_SESSION))
			continue;
		n++;
		*claimed += inv.sessions[i].claims != 0;
	}
	if (inv.unread || inv.torn)
		n = -1;
	inventory_free(&inv);
	return n;
}

static uint64_t counter_at(void *line, uint64_t ns)
{
	return ns ? counter_line_at(line, ns) : 0;
}

/* What the kernel itself would record when it boots. */
static void record_boot(struct incoming *in)
{
	struct liveupdate_recorder_part *part = &in->update.record.last_in;
	struct boot_marks boot;
	bool stable = false;

	part->magic = LIVEUPDATE_RECORDER_MAGIC;
	part->version = LIVEUPDATE_RECORDER_VERSION;
	part->size = sizeof(*part);
	counter_clock((uint64_t *)&part->clock_hz, &stable);
	part->clock_stable = stable;
	memcpy(part->release, in->probe->release, sizeof(part->release) - 1);
	if (!boot_marks_read(&boot))
		return;
	part->marks[LIVEUPDATE_MARK_START] = boot.start_counter;
	part->marks[LIVEUPDATE_MARK_INIT] = boot.init_counter;
	part->times[LIVEUPDATE_MARK_INIT] = boot.init_monotonic_ns;
	if (boot.init_monotonic_ns)
		part->wall_ns = clock_ns(CLOCK_REALTIME) - monotonic_ns() +
				boot.init_monotonic_ns;
}

static void record_head(struct liveupdate_recorder *r)
{
	r->magic = LIVEUPDATE_RECORDER_MAGIC;
	r->version = LIVEUPDATE_RECORDER_VERSION;
	r->size = sizeof(*r);
	r->part_size = sizeof(r->last_out);
}

/* An update of this boot that is saved already, by a luotrace that was stopped. */
static bool continue_saved(struct incoming *in, bool traced)
{
	struct update *u = update_store_of_boot(in->dir, &in->number);

	if (!u) {
		in->number = 0;
		return false;
	}
	in->update = *u;
	in->update.in = in->update.record.last_in.over || !traced ? u->in : UPDATE_IN_LATE;
	if (u->out_box)
		in->out = u->record.last_out;
	in->base = u->record.last_in;
	in->changed = true;
	free(u);
	return true;
}

struct incoming *incoming_begin(const struct probe *probe, const char *dir, bool traced)
{
	struct incoming *in = calloc(1, sizeof(*in));
	struct counter_pair now;

	if (!in) {
		msg_error("out of memory");
		return NULL;
	}
	in->probe = probe;
	in->dir = dir;
	counter_pair_read(&now);
	counter_line_begin(&in->line, &now);
	in->began = now.monotonic_ns;
	in->present = continue_saved(in, traced);
	if (!in->present) {
		in->left = sessions_left(probe, &in->claimed);
		in->present = in->left > 0;
		black_box_boot_id(in->update.boot_id);
		record_head(&in->update.record);
		in->update.in = traced ? UPDATE_IN_SEEN : UPDATE_IN_UNSEEN;
	}
	if (probe->flavour != FLAVOUR_STOCK)
		return in;
	if (!recorder_present(&in->update.record.last_in))
		record_boot(in);
	in->over = in->update.record.last_in.over;
	if (!traced || in->over)
		return in;
	in->part = record_part_new(RECORD_IN, BLACK_BOX_SESSION);
	/* One that has begun to restore is not seen from its begin. */
	in->maybe = in->left;
	if (in->left && in->claimed <= 0 && in->update.in == UPDATE_IN_SEEN)
		in->agents = agents_open();
	return in;
}

void incoming_add_box(struct incoming *in, const struct black_box *box)
{
	struct liveupdate_recorder *r = &in->update.record;

	in->present = true;
	in->changed = true;
	in->update.has_box = box->reboot.steps[BOX_STEP_REBOOT] != 0;
	in->update.reboot = box->reboot;
	/* systemd restores before any service starts. */
	if (in->update.in == UPDATE_IN_SEEN && in->left >= 0 &&
	    (uint64_t)in->left < box->reboot.sessions)
		in->update.in = UPDATE_IN_LATE;
	black_box_part(box, &in->out);
	r->last_out = in->out;
}

static int nr_pauses(const struct liveupdate_recorder_part *part)
{
	int i, n = part->lost_pauses;

	for (i = 0; i < LIVEUPDATE_RECORDER_PAUSES; i++)
		n += *part->pauses[i].name != '\0';
	return n;
}

bool incoming_add_marks(struct incoming *in, const struct box_marks *marks,
			const struct box_guest *guests, int nr,
			const struct guests_owner owners[GUESTS_OWNERS])
{
	struct liveupdate_recorder_part *part = &in->update.record.last_in;
	int n;

	if (in->probe->flavour == FLAVOUR_STOCK)
		part->lost_pauses = 0;
	box_marks_fill(marks, true, part, counter_at, &in->line);
	guests_fill(part, true, guests, nr, owners, counter_at, &in->line);
	n = nr_pauses(part);
	if (!in->present || n == in->pauses)
		return false;
	in->pauses = n;
	return true;
}

bool incoming_present(const struct incoming *in)
{
	return in->present;
}

void incoming_event(struct incoming *in, const struct lt_event *e)
{
	if (e->type == LT_SESSION_RETRIEVE && !e->ret &&
	    strcmp(e->session, BLACK_BOX_SESSION))
		start_agent_claimed(e->pid);
	if (!in->part || in->over)
		return;
	record_part_event(in->part, e);
	if (!strcmp(e->session, BLACK_BOX_SESSION))
		return;
	in->last = e->ts;
	if (e->type == LT_SESSION_RETRIEVE && !e->ret && e->ts < in->began)
		in->claimed--;
	in->changed |= e->type == LT_SESSION_FINISH || e->type == LT_SESSION_RELEASE;
}

/* The kernel's own record, with the box for what it has none of. */
static void update_from_recorder(struct incoming *in)
{
	struct liveupdate_recorder *r;

	if (recorder_load_local(&r) || !r)
		return;
	/* Guests that nobody marked are known to luotrace only. */
	box_marks_merge(&r->last_in, &in->update.record.last_in);
	box_marks_merge(&r->last_out, &in->update.record.last_out);
	if (!recorder_present(&r->last_out) && recorder_present(&in->out)) {
		in->update.out_box = 1;
		r->last_out = in->out;
	}
	in->update.in = UPDATE_IN_SEEN;
	in->update.record = *r;
	in->present = r->last_in.number;
	in->over = r->last_in.over;
	free(r);
}

/* Add what a luotrace recorded that was stopped before this one began. */
static void add_base(struct liveupdate_recorder_part *part,
		     const struct liveupdate_recorder_part *base)
{
	static const int marks[] = { LIVEUPDATE_MARK_OPEN, LIVEUPDATE_MARK_RESTORED,
				     LIVEUPDATE_MARK_FINISHED };
	size_t i;
	int m;

	record_part_merge(part, base, RECORDER_SCOPE(AGENT));
	part->finished += base->finished;
	part->finished_files += base->finished_files;
	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		m = marks[i];
		/* The first open counts, of the others the last. */
		if (!base->times[m] || (m != LIVEUPDATE_MARK_OPEN &&
					part->times[m] > base->times[m]))
			continue;
		part->times[m] = base->times[m];
		part->marks[m] = base->marks[m];
		part->busy[m] = base->busy[m];
	}
}

/* What agents did besides calls; traced until the update is over, or there is none. */
static void update_agents(struct incoming *in)
{
	struct blackout b;
	int claimed;

	if (!in->agents)
		return;
	/* Nobody has had LUO read the handover when this began. */
	if (in->maybe < 0 && !in->present)
		in->maybe = sessions_left(in->probe, &claimed);
	if (in->update.in == UPDATE_IN_SEEN)
		agents_fill(agents_get(in->agents), &in->update.record.inside);
	if (!in->over && (in->maybe || in->present) &&
	    monotonic_ns() - in->began < AGENTS_NS)
		return;
	if (in->over) {
		blackout_measure(&in->update.record, &b);
		agents_faults(agents_get(in->agents), &in->update.inside, &b);
	}
	agents_close(in->agents);
	in->agents = NULL;
}

static void update_from_events(struct incoming *in)
{
	struct liveupdate_recorder_part *part = &in->update.record.last_in;
	struct counter_pair now;
	int claimed, left;

	in->update.out_box = in->update.has_box;
	/* Nobody traced when that was; that it is, can be seen. */
	if (in->update.in == UPDATE_IN_UNSEEN && !part->over)
		part->over = !sessions_left(in->probe, &claimed);
	in->over |= part->over;
	part->number = in->update.record.last_out.number;
	part->sessions = in->update.record.last_out.sessions;
	part->files = in->update.record.last_out.files;
	if (!in->part || in->over)
		return;
	if (in->claimed > 0 && in->update.in == UPDATE_IN_SEEN)
		in->update.in = UPDATE_IN_LATE;
	/* Reading them takes a CPU a while, which agents that restore need. */
	if (in->ending) {
		in->over = true;
		record_part_over(in->part);
	} else if (in->changed && monotonic_ns() - in->last > QUIET_NS) {
		left = sessions_left(in->probe, &claimed);
		/* Unknown: the lists changed meanwhile, or the device was never opened. */
		in->changed = left < 0;
		/* What agents did until now can still be in the buffer of events. */
		in->ending = !left;
	}
	counter_pair_read(&now);
	counter_line_update(&in->line, &now);
	record_part_get(in->part, part, counter_at, &in->line);
	if (recorder_present(&in->base))
		add_base(part, &in->base);
	in->present |= part->times[LIVEUPDATE_MARK_OPEN] != 0;
	update_agents(in);
}

struct update *incoming_update(struct incoming *in)
{
	if (in->probe->flavour == FLAVOUR_STOCK)
		update_from_events(in);
	else
		update_from_recorder(in);
	return &in->update;
}

bool incoming_save(struct incoming *in)
{
	uint32_t crc = crc32(0, (const Bytef *)&in->update.record,
			     sizeof(in->update.record)) + in->update.in;

	if (!in->present || (in->number && crc == in->saved_crc))
		return true;
	if (in->over)
		inside_collect(&in->update);
	if (!update_store_save(in->dir, &in->number, &in->update))
		return false;
	in->saved_crc = crc;
	return true;
}

bool incoming_over(const struct incoming *in)
{
	return in->over;
}

void incoming_free(struct incoming *in)
{
	if (!in)
		return;
	record_part_free(in->part);
	agents_close(in->agents);
	free(in);
}
