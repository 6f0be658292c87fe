/* SPDX-License-Identifier: GPL-2.0 */

/* Damages a handover on request, in kernels with the test handler only. */

#ifndef _LINUX_LUO_TEST_DAMAGE_H
#define _LINUX_LUO_TEST_DAMAGE_H

struct luo_contents;

#ifdef CONFIG_LIVEUPDATE_SELFTEST
int luo_test_damage_set(const void __user *arg);
int luo_test_damage(const struct luo_contents *contents);
#else
static inline int luo_test_damage(const struct luo_contents *contents)
{
	return 0;
}
#endif

#endif /* _LINUX_LUO_TEST_DAMAGE_H */
