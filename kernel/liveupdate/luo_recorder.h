/* SPDX-License-Identifier: GPL-2.0 */

/* Recorder of live updates */

#ifndef _LINUX_LUO_RECORDER_H
#define _LINUX_LUO_RECORDER_H

#include <linux/ktime.h>
#include <linux/string.h>

#include "luo_internal.h"

struct kobject;

/**
 * luo_recorder_owns - check whether a session is that of the tool that records
 * @session: name of the session
 *
 * The tool must not distort what it records: its session sets no mark.
 *
 * Return: true if it is.
 */
static inline bool luo_recorder_owns(const char *session)
{
	return !strcmp(session, LIVEUPDATE_RECORDER_SESSION);
}

#ifdef CONFIG_LIVEUPDATE_RECORDER
void luo_recorder_stamp_start(void);
int luo_recorder_early_init(void);
int luo_recorder_init(void);
void luo_recorder_off(void);
int luo_recorder_sysfs_init(struct kobject *kobj);
unsigned int luo_recorder_slot(enum luo_kind kind, const char *name);
u64 luo_recorder_enter(const struct luo_call *call, enum luo_op op);
u64 luo_recorder_exit(const struct luo_call *call, enum luo_op op, int ret,
		      u64 start);
void luo_recorder_count_ioctl(void);
void luo_recorder_uncount_ioctl(void);

/**
 * luo_recorder_ioctl_begin - account for the start of an ioctl
 *
 * Return: a value for luo_recorder_ioctl_end().
 */
static inline bool luo_recorder_ioctl_begin(void)
{
	if (likely(luo_state() != LIVEUPDATE_STATE_UPDATED))
		return false;
	luo_recorder_count_ioctl();
	return true;
}

/**
 * luo_recorder_ioctl_end - account for the end of an ioctl
 * @counted: return value of luo_recorder_ioctl_begin()
 */
static inline void luo_recorder_ioctl_end(bool counted)
{
	if (unlikely(counted))
		luo_recorder_uncount_ioctl();
}

void luo_recorder_session(enum luo_dir dir, enum luo_phase phase,
			  const char *name, u64 files, int ret, u64 duration);
void luo_recorder_mark(enum liveupdate_recorder_mark mark);
void luo_recorder_await_init(void);
void luo_recorder_open(void);
void luo_recorder_claimed(void);
void luo_recorder_restored(bool tool);
void luo_recorder_scope(enum liveupdate_recorder_scope scope);
void luo_recorder_failed(int err);
void luo_recorder_cancelled(void);
void luo_recorder_end(u64 since);
void luo_recorder_totals(enum luo_dir dir, const struct luo_totals *totals);
void luo_recorder_give_up(const char *name);
void luo_recorder_finished(u64 files, bool claimed);
void luo_recorder_add_reject(const char *what, const char *name, u64 token,
			     const char *reason);
void luo_recorder_del_reject(const char *what, const char *name);
#else
static inline void luo_recorder_stamp_start(void)
{
}

static inline int luo_recorder_early_init(void)
{
	return 0;
}

static inline int luo_recorder_init(void)
{
	return 0;
}

static inline void luo_recorder_off(void)
{
}

static inline int luo_recorder_sysfs_init(struct kobject *kobj)
{
	return 0;
}

static inline unsigned int luo_recorder_slot(enum luo_kind kind,
					     const char *name)
{
	return 0;
}

static inline u64 luo_recorder_enter(const struct luo_call *call,
				     enum luo_op op)
{
	return ktime_get_ns();
}

static inline u64 luo_recorder_exit(const struct luo_call *call,
				    enum luo_op op, int ret, u64 start)
{
	return ktime_get_ns() - start;
}

static inline bool luo_recorder_ioctl_begin(void)
{
	return false;
}

static inline void luo_recorder_ioctl_end(bool counted)
{
}

static inline void luo_recorder_session(enum luo_dir dir, enum luo_phase phase,
					const char *name, u64 files, int ret,
					u64 duration)
{
}

static inline void luo_recorder_mark(enum liveupdate_recorder_mark mark)
{
}

static inline void luo_recorder_await_init(void)
{
}

static inline void luo_recorder_open(void)
{
}

static inline void luo_recorder_claimed(void)
{
}

static inline void luo_recorder_restored(bool tool)
{
}

static inline void luo_recorder_scope(enum liveupdate_recorder_scope scope)
{
}

static inline void luo_recorder_failed(int err)
{
}

static inline void luo_recorder_cancelled(void)
{
}

static inline void luo_recorder_end(u64 since)
{
}

static inline void luo_recorder_totals(enum luo_dir dir,
				       const struct luo_totals *totals)
{
}

static inline void luo_recorder_give_up(const char *name)
{
}

static inline void luo_recorder_finished(u64 files, bool claimed)
{
}

static inline void luo_recorder_add_reject(const char *what, const char *name,
					   u64 token, const char *reason)
{
}

static inline void luo_recorder_del_reject(const char *what, const char *name)
{
}
#endif

/* Accounts for an ioctl of LUO from here to the end of the scope. */
DEFINE_CLASS(luo_recorder_ioctl, bool, luo_recorder_ioctl_end(_T),
	     luo_recorder_ioctl_begin(), void)

#endif /* _LINUX_LUO_RECORDER_H */
