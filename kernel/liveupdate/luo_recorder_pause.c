// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Pauses of workloads
 *
 * How long a workload stands still differs from how long a live update takes: only its
 * agent knows when a guest is paused and when it runs again. The agent writes
 * ``paused NAME`` and ``resumed NAME`` to /sys/kernel/liveupdate/mark; the kernel takes
 * the time of the write with both clocks of the recorder.
 *
 * ``paused`` goes to the outgoing record, and a later one of the same name replaces it.
 * ``resumed`` removes it from there: the next live update does not find it paused. It
 * also goes to the incoming record, where the first one of a name stays, if the previous
 * kernel recorded a pause of that name. If it did not, but the live update is not over
 * and the workload was not paused in this kernel, it goes there, too: the reader of both
 * records finds out. Once the live update is over, such a name is of no live update.
 *
 * While the kernel enters kexec nothing is removed: the live update does happen.
 */

#include <linux/kobject.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "luo_recorder_internal.h"
#include "luo_trace.h"

/* The entry of a name, else the first unused one, else NULL. */
static struct liveupdate_recorder_pause *
luo_pause_find(struct liveupdate_recorder_part *record, const char *name)
{
	struct liveupdate_recorder_pause *p = record->pauses;
	int i;

	lockdep_assert_held(&luo_recorder_lock);

	for (i = 0; i < LIVEUPDATE_RECORDER_PAUSES; i++, p++) {
		if (!p->name[0] || !strcmp(p->name, name))
			return p;
	}
	return NULL;
}

/* The entry of a name, or NULL. */
static struct liveupdate_recorder_pause *
luo_pause_named(struct liveupdate_recorder_part *record, const char *name)
{
	struct liveupdate_recorder_pause *p = luo_pause_find(record, name);

	return p && p->name[0] ? p : NULL;
}

/* The entry for a name, counted if there is no room. */
static struct liveupdate_recorder_pause *
luo_pause_get(struct liveupdate_recorder_part *record, const char *name)
{
	struct liveupdate_recorder_pause *p = luo_pause_find(record, name);

	if (!p)
		record->lost_pauses++;
	return p;
}

static void luo_pause_publish(struct liveupdate_recorder_pause *p, const char *name)
{
	lockdep_assert_held(&luo_recorder_lock);

	luo_recorder_changes++;
	strscpy_pad(p->name + 1, name + 1, sizeof(p->name) - 1);
	/* Last, as it puts the entry in use: kexec can stop this CPU before. */
	smp_store_release(&p->name[0], name[0]);
}

/* The entries in use stay together. */
static void luo_pause_remove(struct liveupdate_recorder_part *record,
			     struct liveupdate_recorder_pause *p)
{
	struct liveupdate_recorder_pause *last =
		&record->pauses[LIVEUPDATE_RECORDER_PAUSES - 1];

	lockdep_assert_held(&luo_recorder_lock);

	luo_recorder_changes++;
	memmove(p, p + 1, (last - p) * sizeof(*p));
	memset(last, 0, sizeof(*last));
}

static int luo_pause_paused(const char *name, const struct luo_moment *at)
{
	struct liveupdate_recorder_part *out = luo_recorders[LUO_DIR_OUT].record;
	struct liveupdate_recorder_pause *p;

	guard(spinlock)(&luo_recorder_lock);

	p = luo_pause_get(out, name);
	if (!p)
		return -ENOSPC;
	p->paused = at->counter;
	p->paused_ns = at->now;
	luo_pause_publish(p, name);
	return 0;
}

static int luo_pause_resumed(const char *name, const struct luo_moment *at)
{
	struct liveupdate_recorder_part *out = luo_recorders[LUO_DIR_OUT].record;
	struct liveupdate_recorder_part *in = luo_recorders[LUO_DIR_IN].record;
	struct liveupdate_recorder_pause *here, *p;
	bool before;

	guard(spinlock)(&luo_recorder_lock);

	here = luo_pause_named(out, name);
	if (here && luo_state() == LIVEUPDATE_STATE_FROZEN)
		return -EAGAIN;
	if (here)
		luo_pause_remove(out, here);
	else if (!luo_number(LUO_DIR_IN))
		return -ENOENT;

	before = luo_last_out && luo_pause_named(luo_last_out, name);
	if (luo_pause_named(in, name) || (!before && (here || in->over)))
		return 0;

	p = luo_pause_get(in, name);
	if (!p)
		return -ENOSPC;
	p->resumed = at->counter;
	p->resumed_ns = at->now;
	luo_pause_publish(p, name);
	return 0;
}

static const struct {
	const char *word;
	int (*run)(const char *name, const struct luo_moment *at);
} luo_pause_words[] = {
	[LUO_MARK_PAUSED] = { "paused ", luo_pause_paused },
	[LUO_MARK_RESUMED] = { "resumed ", luo_pause_resumed },
};

/* Copy the name, without the end of the line; as far as it is valid. */
static int luo_pause_name(char to[LIVEUPDATE_SESSION_NAME_LENGTH], const char *from,
			  size_t len)
{
	size_t valid = strcspn(from, "\n"), copied;

	if (len && from[len - 1] == '\n')
		len--;
	copied = min(valid, LIVEUPDATE_SESSION_NAME_LENGTH - 1);
	memcpy(to, from, copied);
	to[copied] = '\0';
	if (!len || valid < len)
		return -EINVAL;
	return len < LIVEUPDATE_SESSION_NAME_LENGTH ? 0 : -ENAMETOOLONG;
}

static int luo_pause_mark(enum luo_mark mark, const char *name,
			  const struct luo_moment *at)
{
	if (!luo_recorders[LUO_DIR_OUT].record || !luo_recorders[LUO_DIR_IN].record)
		return -ENODEV;
	return luo_pause_words[mark].run(name, at);
}

/*
 * Context: task context. Takes luo_recorder_lock and no other lock of LUO, so that a
 * workload is marked while a live update is in progress, too.
 */
static ssize_t mark_store(struct kobject *kobj, struct kobj_attribute *attr,
			  const char *buf, size_t count)
{
	const struct luo_moment at = luo_now();
	char name[LIVEUPDATE_SESSION_NAME_LENGTH];
	enum luo_mark mark;
	size_t len;
	int err;

	for (mark = 0; mark < ARRAY_SIZE(luo_pause_words); mark++) {
		len = strlen(luo_pause_words[mark].word);
		if (count < len || memcmp(buf, luo_pause_words[mark].word, len))
			continue;
		err = luo_pause_name(name, buf + len, count - len);
		err = err ?: luo_pause_mark(mark, name, &at);
		luo_emit(luo_mark, luo_number(LUO_DIR_OUT), name, mark, err);
		return err ?: count;
	}
	luo_pause_name(name, buf, count);
	luo_emit(luo_mark, luo_number(LUO_DIR_OUT), name, LUO_MARK_UNKNOWN, -EINVAL);
	return -EINVAL;
}

struct kobj_attribute luo_pause_attr = __ATTR_WO(mark);
