// SPDX-License-Identifier: GPL-2.0

#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "box_lock.h"
#include "carry.h"
#include "clock.h"
#include "cmd.h"
#include "enum_name.h"
#include "fmt.h"
#include "guests.h"
#include "incoming.h"
#include "luo_device.h"
#include "msg.h"
#include "notify.h"
#include "record_part.h"
#include "recorder.h"

#define TICK_NS		1000000000ULL	/* between two snapshots if there is something new */
#define CLOCKS_NS	(10 * TICK_NS)	/* the same if not: for the pairs of the clocks */
#define TICK_MS		1000
#define BUSY_MS		200		/* of waiting for events as long as there is no box */
#define SAVE_NS		(5 * TICK_NS)	/* between two saves of an update in progress */
#define RETRY_NS	(60 * TICK_NS)	/* after the box could not be made */
#define BUSY_NS		(3 * TICK_NS)	/* after the device was held */
#define QUIET_NS	(2 * TICK_NS)	/* without an event, before the device is tried again */
#define SETTLED_NS	(120 * TICK_NS)	/* of uptime, until the counter is measured */
#define PAIR_NS		(60 * TICK_NS)	/* between the pairs of the clocks */
#define REST		3	/* of the time that a snapshot takes, before the next one */

struct carry {
	const struct probe *probe;
	const char *dir;
	struct tracer *tracer;
	bool stop;

	/* The box. */
	int memfd;
	void *memory;
	int session;		/* -1 as long as it is not handed over */
	bool changed;		/* something is to be put into a snapshot */
	bool warned;		/* that it is not, once */
	bool told;		/* the service manager, with a box or without */
	uint64_t retry;		/* when to try again */
	uint64_t last_event;
	uint64_t lost;		/* events so far */
	struct black_box_snapshot snapshot;
	struct counter_pair pair;	/* the next first one */
	struct box_listener *listener;	/* of a kernel without recorder */
	struct guests *guests;
	bool guests_tried;
	struct guests_owner claims[GUESTS_OWNERS];	/* as @snapshot.owners, incoming */
	uint64_t clock_next;	/* when to ask for the frequency again */
	struct record_part *agents;	/* of a kernel without recorder */
	struct liveupdate_recorder_part failed;	/* its reboots that failed */
	uint64_t nr_failed;

	/* The update that booted this kernel. */
	struct incoming *in;
	struct black_box taken;		/* from the old kernel */
	int taken_session;		/* not finished before @taken is saved */
	bool looked;			/* for it */
	bool found;
	uint64_t saved;
	bool done;		/* it is over and saved */
};

/* Whether an event is of an incoming session. */
static bool event_incoming(const struct lt_event *e)
{
	return e->type == LT_SESSION_RETRIEVE ||
	       (e->type == LT_FILE_STATE && e->file.new == FILE_RETRIEVED);
}

static void on_event(const struct lt_event *e, void *data)
{
	struct carry *c = data;

	c->last_event = e->ts;
	c->changed = true;
	if (c->agents)
		record_part_event(c->agents, e);
	incoming_event(c->in, e);
	guests_owner_event(event_incoming(e) ? c->claims : c->snapshot.owners, e);
}

static bool make_memory(struct carry *c)
{
	size_t size = black_box_size();

	c->memfd = memfd_create("luotrace-box", MFD_CLOEXEC);
	if (c->memfd < 0 || ftruncate(c->memfd, size))
		goto fail;
	c->memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			 c->memfd, 0);
	if (c->memory == MAP_FAILED || mlock(c->memory, size))
		goto fail;
	black_box_format(c->memory, c->probe->flavour == FLAVOUR_STOCK);
	return true;

fail:
	msg_error("no memory for the black box: %s", strerror(errno));
	return false;
}

static uint64_t counter_at(void *line, uint64_t ns)
{
	return ns ? counter_line_at(line, ns) : 0;
}

/* What agents did so far, from the kernel's own recorder or from events. */
static void fill_part(struct carry *c, struct counter_line *line)
{
	struct liveupdate_recorder_part *part = &c->snapshot.part;
	struct liveupdate_recorder *r = NULL;
	unsigned int scopes = RECORDER_ALL_SCOPES & ~RECORDER_SCOPE(REBOOT);

	memset(part, 0, sizeof(*part));
	if (c->agents) {
		record_part_get(c->agents, part, counter_at, line);
		part->lost_calls += c->lost;
		record_part_merge(part, &c->failed, RECORDER_SCOPE(FAILED));
		return;
	}
	if (recorder_load_local(&r) || !r)
		return;
	record_part_merge(part, &r->next_out, scopes);
	part->number = r->next_out.number;
	part->cancelled = r->next_out.cancelled;
	memcpy(part->pauses, r->next_out.pauses, sizeof(part->pauses));
	part->lost_pauses = r->next_out.lost_pauses;
	free(r);
}

/* A reboot failed: its calls are those of a failed attempt from now on. */
static void keep_failed(struct carry *c)
{
	const struct box_reboot *reboot = tracer_box_failed(c->tracer);
	struct liveupdate_recorder_part part;
	struct black_box box;

	if (__atomic_load_n(&reboot->failed, __ATOMIC_ACQUIRE) == c->nr_failed)
		return;
	memset(&box, 0, sizeof(box));
	box.reboot = *reboot;
	/* It is read again if another one failed meanwhile. */
	if (__atomic_load_n(&reboot->failed, __ATOMIC_ACQUIRE) != box.reboot.failed)
		return;
	c->nr_failed = box.reboot.failed;
	memcpy(box.snapshot.pairs, c->snapshot.pairs, sizeof(box.snapshot.pairs));
	box.snapshot.hz = c->snapshot.hz;
	black_box_part(&box, &part);
	record_part_fail(&part);
	record_part_merge(&c->failed, &part, RECORDER_SCOPE(FAILED));
}

/*
 * What the kernel knows of the counter. It comes from perf, which a reboot shuts down before
 * devices, and which then warns if it is asked: so rarely, and never in a reboot.
 */
static void update_clock(struct carry *c, uint64_t now)
{
	const struct box_reboot *reboot = tracer_box(c->tracer);
	bool stable = false;

	if (now < c->clock_next || reboot->began != reboot->failed)
		return;
	counter_clock(&c->snapshot.hz, &stable);
	c->snapshot.stable = stable;
	/* Early in the boot the kernel has yet to measure it. */
	c->clock_next = now + (stable || now > SETTLED_NS ? PAIR_NS : TICK_NS);
}

static void take_snapshot(struct carry *c)
{
	struct black_box_snapshot *s = &c->snapshot;
	struct counter_line line;
	struct counter_pair now;

	counter_pair_read(&now);
	if (now.monotonic_ns - c->pair.monotonic_ns > PAIR_NS) {
		s->pairs[0] = c->pair;
		c->pair = now;
	}
	s->pairs[1] = now;
	update_clock(c, now.monotonic_ns);
	s->wall_ns = clock_ns(CLOCK_REALTIME) - monotonic_ns();
	line = (struct counter_line){ s->pairs[0], s->pairs[1], s->hz };
	keep_failed(c);
	fill_part(c, &line);
	black_box_put(c->memory, s);
	c->changed = false;
}

/* Most of a snapshot is a record of 130 KiB, which is not worth a sum a second for nothing. */
static bool snapshot_due(const struct carry *c)
{
	return c->changed || tracer_box(c->tracer)->failed != c->nr_failed ||
	       monotonic_ns() - c->snapshot.pairs[1].monotonic_ns >= CLOCKS_NS;
}

/* Without a box the update goes on, so this is no reason to end. */
static void warn_once(struct carry *c, const char *what, int err)
{
	c->retry = monotonic_ns() + RETRY_NS;
	if (!c->warned)
		msg_error("no black box for the next update yet: %s: %s", what,
			  fmt_errno(err));
	c->warned = true;
}

/* The device is closed: agents that wait for that must not wait for a box. */
static void tell_without(struct carry *c)
{
	if (!c->told)
		notify_ready("no black box yet, trying again");
	c->told = true;
}

static bool make_session(struct carry *c, int dev)
{
	int session = luo_create_session(dev, BLACK_BOX_SESSION), err;

	if (session < 0) {
		warn_once(c, "cannot create its session", session);
		return false;
	}
	err = luo_preserve_file(session, c->memfd, BLACK_BOX_TOKEN);
	if (err) {
		warn_once(c, "cannot preserve it", err);
		close(session);
		return false;
	}
	c->session = session;
	return true;
}

/*
 * Save what was taken from the old kernel before its session is finished. If that fails, it
 * is still in memory, and tried again.
 */
static void save_taken(struct carry *c)
{
	int err;

	if (c->found)
		incoming_add_box(c->in, &c->taken);
	c->found = false;
	/* A claim that was traced, and is still in the buffer, is none that was missed. */
	tracer_poll(c->tracer, 0);
	incoming_update(c->in);
	incoming_save(c->in);
	if (c->taken_session < 0)
		return;
	err = luo_finish_session(c->taken_session);
	if (err)
		msg_error("cannot finish the session of the previous black box: %s",
			  fmt_errno(err));
	close(c->taken_session);
	c->taken_session = -1;
}

/*
 * Agents need the device, so that nothing but the calls themselves is between open and
 * close, and the box is not reported ready before it is closed.
 */
static void try_device(struct carry *c)
{
	int dev = luo_open_device();
	bool made;

	if (dev < 0) {
		if (!c->warned)
			luo_report_device(dev, c->probe->why_off);
		warn_once(c, "cannot open the device", dev);
		/* Its holder can close it at any time. */
		if (dev == -EBUSY)
			c->retry = monotonic_ns() + BUSY_NS;
		tell_without(c);
		return;
	}
	if (!c->looked)
		c->found = incoming_take(dev, &c->taken, &c->taken_session);
	c->looked = true;
	made = c->session >= 0 || make_session(c, dev);
	close(dev);
	if (made && luo_device_held()) {
		msg_error("the device is still open, which would keep agents from it; giving up the black box");
		close(c->session);
		c->session = -1;
		c->stop = true;
		return;
	}
	/* Agents wait for this, and the disk can be slow. */
	if (made) {
		take_snapshot(c);
		notify_ready("the black box is ready");
		c->told = true;
	} else {
		tell_without(c);
	}
	save_taken(c);
}

/*
 * At the very end of a shutdown systemd opens the device once, to keep the descriptors of
 * services: they would all be lost if it were held just then.
 */
static bool shutting_down(void)
{
	FILE *f = fopen("/proc/1/comm", "re");
	char comm[32] = "";
	bool is;

	is = f && fgets(comm, sizeof(comm), f) && !strncmp(comm, "systemd-shutdow", 15);
	if (f)
		fclose(f);
	return is;
}

/* Whether to try the device now: not between two calls of agents that restore. */
static bool device_due(struct carry *c, uint64_t now)
{
	if (c->session >= 0 || now < c->retry)
		return false;
	if (c->warned && now - c->last_event < QUIET_NS)
		return false;
	return !c->warned || !shutting_down();
}

/* Events without room are calls that are in no row. */
static void count_lost(struct carry *c)
{
	struct tracer_lost lost;

	tracer_read_lost(c->tracer, &lost);
	if (lost.events > c->lost)
		msg_error("%llu events were lost, the record of agents is incomplete",
			  (unsigned long long)(lost.events - c->lost));
	c->lost = lost.events;
}

/* The module of KVM can be loaded at any time. */
static void trace_guests(struct carry *c)
{
	if (c->guests_tried || !guests_present())
		return;
	c->guests_tried = true;
	c->guests = guests_open(tracer_guests_fd(c->tracer));
}

/* A guest can be resumed after its session is finished. */
static bool add_marks(struct carry *c)
{
	struct box_guest guests[BOX_GUESTS_MAX];
	int n = c->guests ? guests_read(tracer_guests_fd(c->tracer), guests,
					BOX_GUESTS_MAX) : 0;

	return incoming_add_marks(c->in, black_box_marks(c->memory), guests, n, c->claims);
}

static void update_incoming(struct carry *c)
{
	bool over;

	/* An update is over only after the last event of it. */
	tracer_poll(c->tracer, 0);
	if (!c->done)
		incoming_update(c->in);
	if (add_marks(c))
		c->done = false;
	if (c->done)
		return;
	over = incoming_over(c->in);
	if (!over && monotonic_ns() - c->saved < SAVE_NS)
		return;
	c->saved = monotonic_ns();
	c->done = incoming_save(c->in) && over;
}

/*
 * From then on the box is the BPF programs' alone: the kernel warns of perf events that
 * are opened after its reboot notifiers, and the CPU is needed elsewhere.
 */
static bool rebooting(const struct carry *c)
{
	const struct box_reboot *reboot = tracer_box(c->tracer);

	return reboot->began != reboot->failed;
}

/*
 * Without a recorder, what agents do just before a reboot has to be in a snapshot at once:
 * systemd preserves as the very last thing.
 */
static int carry_loop(struct carry *c)
{
	uint64_t next = 0, soon = 0, now;
	bool idle;
	int err;

	while (!cmd_signalled() && !c->stop) {
		now = monotonic_ns();
		idle = !rebooting(c);
		if (idle)
			trace_guests(c);
		if (idle && device_due(c, now))
			try_device(c);
		if (idle && now >= next) {
			/* It asks for each program; without an event none is lost. */
			if (c->changed)
				count_lost(c);
			if (snapshot_due(c))
				take_snapshot(c);
			update_incoming(c);
			next = now + TICK_NS;
		} else if (c->changed && (now >= soon || !idle)) {
			take_snapshot(c);
			soon = now + (1 + REST) * (monotonic_ns() - now);
		}
		err = tracer_poll(c->tracer, c->changed ? 1 : c->session < 0 ? BUSY_MS :
				  TICK_MS);
		if (err && err != -EINTR) {
			msg_error("cannot read events: %s", strerror(-err));
			return EXIT_FINDING;
		}
	}
	tracer_poll(c->tracer, 0);
	return c->stop ? EXIT_FINDING : EXIT_FINE;
}

/* What is streamed is what a kernel without recorder does not record. */
static uint32_t carry_stream(const struct probe *probe)
{
	if (probe->flavour != FLAVOUR_STOCK)
		return 1U << LT_STATE | 1U << LT_FILE_STATE | 1U << LT_SESSION_CREATE |
		       1U << LT_SESSION_RETRIEVE;
	return 1U << LT_STATE | 1U << LT_HANDLER_EXIT | 1U << LT_FILE_STATE |
	       1U << LT_SESSION_CREATE | 1U << LT_SESSION_RETRIEVE |
	       1U << LT_SESSION_RELEASE | 1U << LT_SESSION_FINISH;
}

static bool carry_open(struct carry *c)
{
	struct tracer_options options = {
		.ops = TRACER_ALL_OPS,
		.stream = carry_stream(c->probe),
		.buffer_kib = 1024,
	};

	if (!make_memory(c))
		return false;
	options.box_pages = black_box_pages(c->memory);
	if (c->probe->flavour == FLAVOUR_STOCK) {
		c->agents = record_part_new(RECORD_OUT, BLACK_BOX_SESSION);
		if (!c->agents)
			return false;
	}
	counter_pair_read(&c->pair);
	c->snapshot.pairs[0] = c->pair;
	if (c->agents)
		c->listener = box_marks_listen(black_box_marks(c->memory));
	c->tracer = tracer_open(c->probe, &options, on_event, c);
	/* While it is traced, so that no claim goes unseen in between. */
	c->in = c->tracer ? incoming_begin(c->probe, c->dir, true) : NULL;
	return c->in;
}

int carry_run(const struct probe *probe, const char *dir)
{
	struct carry *c = calloc(1, sizeof(*c));
	int ret = EXIT_CANNOT, lock;

	if (!c) {
		msg_error("out of memory");
		return EXIT_CANNOT;
	}
	lock = box_lock();
	if (lock < 0) {
		msg_error("%s: %s", lock == -EWOULDBLOCK ?
			  "another luotrace record --carry runs; one is enough" :
			  "cannot lock '" BOX_LOCK_DIR "'", strerror(-lock));
		free(c);
		return EXIT_CANNOT;
	}
	c->probe = probe;
	c->dir = dir;
	c->memfd = c->session = c->taken_session = -1;
	/* What only the start needs, like the kernel's types, is given back when it is freed. */
	mallopt(M_MMAP_THRESHOLD, 64 << 10);
	if (carry_open(c)) {
		malloc_trim(0);
		cmd_start_tracing();
		ret = carry_loop(c);
		if (add_marks(c) || !c->done) {
			incoming_update(c->in);
			incoming_save(c->in);
		}
	}
	guests_close(c->guests);
	tracer_close(c->tracer);
	box_marks_stop(c->listener);
	incoming_free(c->in);
	record_part_free(c->agents);
	if (c->session >= 0)
		close(c->session);
	if (c->memory && c->memory != MAP_FAILED)
		munmap(c->memory, black_box_size());
	if (c->memfd >= 0)
		close(c->memfd);
	close(lock);
	free(c);
	return ret;
}
