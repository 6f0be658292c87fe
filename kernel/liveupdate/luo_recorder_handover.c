// SPDX-License-Identifier: GPL-2.0

/*
 * How a record moves: from the previous kernel, to the next kernel, and to user space.
 * luo_recorder.c describes what is recorded.
 */

#define pr_fmt(fmt) "luo: " fmt

#include <kunit/visibility.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kmsg_dump.h>
#include <linux/kobject.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/timekeeping.h>
#include <linux/timex.h>
#include <linux/utsname.h>

#include "kho_base.h"
#include "luo_handover.h"
#include "luo_recorder_internal.h"
#include "luo_reject.h"
#include "luo_trace.h"

static u64 luo_start_counter __initdata;

/**
 * luo_recorder_stamp_start - take the time of LIVEUPDATE_MARK_START
 *
 * Context: once, when the command line is parsed; no memory can be allocated yet.
 */
void __init luo_recorder_stamp_start(void)
{
	luo_start_counter = luo_counter();
}

/* Dumping the log is the last step before kexec. */
static void luo_recorder_dump(struct kmsg_dumper *dumper,
			      struct kmsg_dump_detail *detail)
{
	if (detail->reason == KMSG_DUMP_SHUTDOWN &&
	    luo_state() == LIVEUPDATE_STATE_FROZEN)
		luo_recorder_mark(LIVEUPDATE_MARK_JUMP);
}

static struct kmsg_dumper luo_recorder_dumper = {
	.dump = luo_recorder_dump,
	.max_reason = KMSG_DUMP_SHUTDOWN,
};

static int luo_recorder_prepare(struct liveupdate_subsystem_op_args *args)
{
	args->serialized_data = virt_to_phys(luo_recorders[LUO_DIR_OUT].record);
	return 0;
}

static void luo_record_terminate_scope(struct liveupdate_recorder_part *record,
				       int scope)
{
	struct liveupdate_recorder_session *s;
	struct liveupdate_recorder_call *c;
	int i, j;

	for (j = 0; j < LIVEUPDATE_RECORDER_SLOWEST; j++) {
		for (i = 0; i < LIVEUPDATE_RECORDER_OPS; i++) {
			c = &record->slow_calls[scope][i][j];
			c->name[sizeof(c->name) - 1] = '\0';
			c->session[sizeof(c->session) - 1] = '\0';
		}
		for (i = 0; i < LIVEUPDATE_RECORDER_PHASES; i++) {
			s = &record->slow_sessions[scope][i][j];
			s->name[sizeof(s->name) - 1] = '\0';
		}
	}
}

/* Range of plausible counter frequencies, in Hz */
#define LUO_MIN_HZ	1000000ULL
#define LUO_MAX_HZ	100000000000ULL

/* User space reads what the previous kernel wrote: make it valid. */
VISIBLE_IF_KUNIT void luo_record_sanitize(struct liveupdate_recorder_part *record)
{
	int i;

	/* Treat anything larger than RAM as unknown. */
	if (record->bytes >> PAGE_SHIFT > get_num_physpages())
		record->bytes = 0;
	/* Treat an implausible frequency as unknown; this kernel divides by it. */
	if (record->clock_hz < LUO_MIN_HZ || record->clock_hz > LUO_MAX_HZ)
		record->clock_hz = 0;
	record->release[sizeof(record->release) - 1] = '\0';
	for (i = 0; i < LIVEUPDATE_RECORDER_GIVEN_UP; i++)
		record->given_up_names[i][LIVEUPDATE_SESSION_NAME_LENGTH - 1] = 0;
	for (i = 0; i < LIVEUPDATE_RECORDER_REFUSED; i++) {
		record->refused[i].what[LIVEUPDATE_RECORDER_WHAT - 1] = '\0';
		record->refused[i].reason[LIVEUPDATE_RECORDER_REASON - 1] = '\0';
		record->refused[i].name[LIVEUPDATE_SESSION_NAME_LENGTH - 1] = 0;
	}
	for (i = 0; i < LIVEUPDATE_NR_SCOPES; i++)
		luo_record_terminate_scope(record, i);
	for (i = 0; i < LIVEUPDATE_RECORDER_ROWS; i++)
		record->rows[i].name[sizeof(record->rows[i].name) - 1] = '\0';
	for (i = 0; i < LIVEUPDATE_RECORDER_PAUSES; i++)
		record->pauses[i].name[LIVEUPDATE_SESSION_NAME_LENGTH - 1] = 0;
}

/* Adopt the record of the previous kernel, for the lifetime of this one. */
static void luo_recorder_boot(struct liveupdate_subsystem_op_args *args)
{
	const char *name = args->subsystem->name;
	u64 data = args->serialized_data;
	struct liveupdate_recorder_part *record;
	struct folio *folio;

	if (!kho_incoming(data, sizeof(*record))) {
		luo_handover_reject("subsystem", name, 0, "not-preserved");
		return;
	}

	/* Memory that is not a record has another owner: do not restore or free it. */
	record = phys_to_virt(data);
	if (record->magic != LIVEUPDATE_RECORDER_MAGIC ||
	    record->version != LIVEUPDATE_RECORDER_VERSION ||
	    record->size != sizeof(*record)) {
		luo_handover_reject("subsystem", name, 0, "version");
		return;
	}
	folio = kho_restore_folio(data);
	if (!folio) {
		luo_handover_reject("subsystem", name, 0, "not-preserved");
		return;
	}
	luo_record_sanitize(record);
	luo_last_out = record;
	luo_last_hz = record->clock_hz;
}

static const struct liveupdate_subsystem_ops luo_recorder_ops = {
	.prepare = luo_recorder_prepare,
	.boot	 = luo_recorder_boot,
};

static struct liveupdate_subsystem luo_recorder_subsystem = {
	.ops = &luo_recorder_ops,
	.name = "luo-recorder",
};

static void luo_record_init(enum luo_dir dir, struct liveupdate_recorder_part *record)
{
	record->magic = LIVEUPDATE_RECORDER_MAGIC;
	record->version = LIVEUPDATE_RECORDER_VERSION;
	record->size = sizeof(*record);
	strscpy(record->release, init_utsname()->release);
	luo_recorders[dir].record = record;
}

/* As early as the initcalls that are to be recorded; before anything else that is. */
static int __init luo_recorder_first_init(void)
{
	struct liveupdate_recorder_part *record;

	if (!liveupdate_enabled())
		return 0;
	record = kzalloc_obj(*record);
	if (!record)
		return -ENOMEM;

	luo_record_init(LUO_DIR_IN, record);
	record->marks[LIVEUPDATE_MARK_START] = luo_start_counter;
	luo_initcalls_start();
	return 0;
}
early_initcall(luo_recorder_first_init);

/**
 * luo_recorder_early_init - take part in the handover
 *
 * Context: once, at boot, before the handover is read.
 * Return: 0, -ENOMEM, or an errno of the registration.
 */
int __init luo_recorder_early_init(void)
{
	if (!luo_recorders[LUO_DIR_IN].record)
		return -ENOMEM;
	return liveupdate_register_subsystem(&luo_recorder_subsystem);
}

/**
 * luo_recorder_init - set up the outgoing record and complete the incoming one
 *
 * Context: once, at boot, after the handover is read and before the first session can
 *	    be created.
 * Return: 0, or a negative errno of the allocation or the registration.
 */
int __init luo_recorder_init(void)
{
	struct liveupdate_recorder_part *in = luo_recorders[LUO_DIR_IN].record, *out;
	int err;

	/* luo_recorder_early_init() has said so. */
	if (!in)
		return 0;

	in->number = luo_number(LUO_DIR_IN);
	in->wall_ns = ktime_get_real_ns();
	out = kho_alloc_preserve(sizeof(*out));
	if (IS_ERR(out)) {
		liveupdate_unregister_subsystem(&luo_recorder_subsystem);
		return PTR_ERR(out);
	}
	luo_record_init(LUO_DIR_OUT, out);
	out->number = luo_number(LUO_DIR_OUT);
	err = kmsg_dump_register(&luo_recorder_dumper);
	if (err)
		pr_warn("cannot record the jump to the next kernel: %pe\n", ERR_PTR(err));
	return 0;
}

/**
 * luo_recorder_off - free the outgoing record, and record no initcalls any more
 *
 * Context: at boot, if live update is turned off; after /sys/kernel/liveupdate is removed.
 */
void __init luo_recorder_off(void)
{
	struct liveupdate_recorder_part *out = luo_recorders[LUO_DIR_OUT].record;

	luo_initcalls_stop();
	if (!out)
		return;
	kmsg_dump_unregister(&luo_recorder_dumper);
	luo_recorders[LUO_DIR_OUT].record = NULL;
	kho_unpreserve_free(out);
}

/* Copy what overlaps with the next @size bytes of the file; zeros if @from is NULL. */
static void luo_recorder_copy(char **buf, loff_t *pos, size_t *left,
			      const void *from, size_t size)
{
	size_t n;

	if (*pos >= size) {
		*pos -= size;
		return;
	}
	n = min_t(size_t, size - *pos, *left);
	if (from)
		memcpy(*buf, from + *pos, n);
	else
		memset(*buf, 0, n);
	*buf += n;
	*left -= n;
	*pos = 0;
}

static ssize_t luo_recorder_read(struct file *file, struct kobject *kobj,
				 const struct bin_attribute *attr, char *buf,
				 loff_t pos, size_t count)
{
	u32 head[] = {
		LIVEUPDATE_RECORDER_MAGIC,
		LIVEUPDATE_RECORDER_VERSION,
		sizeof(struct liveupdate_recorder),
		sizeof(struct liveupdate_recorder_part),
		0, /* changes */
		0, /* reserved */
	};
	const struct {
		const void *from;
		size_t size;
	} parts[] = {
		{ head, sizeof(head) },
		{ luo_last_out, sizeof(*luo_last_out) },
		{ luo_recorders[LUO_DIR_IN].record, sizeof(*luo_last_out) },
		{ luo_recorders[LUO_DIR_OUT].record, sizeof(*luo_last_out) },
		{ &luo_inside, sizeof(luo_inside) },
	};
	size_t left = count;
	int i;

	static_assert(sizeof(head) ==
		      offsetof(struct liveupdate_recorder, last_out));

	luo_recorder_refresh();

	/* Held for at most a page, the most that sysfs reads at once. */
	guard(spinlock)(&luo_recorder_lock);

	head[4] = luo_recorder_changes;
	for (i = 0; i < ARRAY_SIZE(parts); i++)
		luo_recorder_copy(&buf, &pos, &left, parts[i].from, parts[i].size);
	return count - left;
}

static const struct bin_attribute luo_recorder_attr = {
	.attr = { .name = "recorder", .mode = 0400 },
	.size = sizeof(struct liveupdate_recorder),
	.read = luo_recorder_read,
};

/**
 * luo_recorder_sysfs_init - create the files recorder and mark in sysfs
 * @kobj: directory of the files
 *
 * Context: once, at boot.
 * Return: 0 or a negative errno of sysfs.
 */
int luo_recorder_sysfs_init(struct kobject *kobj)
{
	int err = sysfs_create_bin_file(kobj, &luo_recorder_attr);

	return err ?: sysfs_create_file(kobj, &luo_pause_attr.attr);
}
