// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: /sys/kernel/liveupdate
 *
 * ``state`` holds the global state as a word and can be polled, ``number`` the number
 * of live updates that the machine has gone through, ``recorder`` the record of the
 * last one. ``mark`` takes the moments at which workloads are paused and resumed.
 */

#include <linux/kobject.h>
#include <linux/sysfs.h>

#include "luo_recorder.h"
#include "luo_sysfs.h"
#include "luo_trace.h"

static struct kobject *luo_kobj;

static const char *const luo_state_words[] = {
	[LIVEUPDATE_STATE_NORMAL]	= "normal",
	[LIVEUPDATE_STATE_PREPARED]	= "prepared",
	[LIVEUPDATE_STATE_FROZEN]	= "frozen",
	[LIVEUPDATE_STATE_UPDATED]	= "updated",
};

static ssize_t state_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%s\n", luo_state_words[luo_state()]);
}

static ssize_t number_show(struct kobject *kobj, struct kobj_attribute *attr,
			   char *buf)
{
	return sysfs_emit(buf, "%llu\n", luo_number(LUO_DIR_IN));
}

static struct kobj_attribute luo_state_attr = __ATTR_RO(state);
static struct kobj_attribute luo_number_attr = __ATTR_RO(number);

static struct attribute *luo_attrs[] = {
	&luo_state_attr.attr,
	&luo_number_attr.attr,
	NULL,
};

static const struct attribute_group luo_attr_group = {
	.attrs = luo_attrs,
};

/**
 * luo_sysfs_exit - remove /sys/kernel/liveupdate
 *
 * Context: at boot, if live update is turned off. Does nothing if it is not there.
 */
void __init luo_sysfs_exit(void)
{
	/* The last reference may be dropped later. */
	kobject_del(luo_kobj);
	kobject_put(luo_kobj);
	luo_kobj = NULL;
}

/**
 * luo_sysfs_init - create /sys/kernel/liveupdate
 *
 * Context: once, at boot.
 * Return: 0 or a negative errno of sysfs.
 */
int __init luo_sysfs_init(void)
{
	int err;

	luo_kobj = kobject_create_and_add("liveupdate", kernel_kobj);
	if (!luo_kobj)
		return -ENOMEM;

	err = sysfs_create_group(luo_kobj, &luo_attr_group);
	err = err ?: luo_recorder_sysfs_init(luo_kobj);
	if (err)
		luo_sysfs_exit();
	return err;
}

/**
 * luo_sysfs_notify - wake up pollers of the state
 *
 * Context: may sleep. Does nothing before luo_sysfs_init().
 */
void luo_sysfs_notify(void)
{
	if (luo_kobj)
		sysfs_notify(luo_kobj, NULL, "state");
}
