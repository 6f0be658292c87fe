// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Live Update Orchestrator
 *
 * A live update replaces the running kernel by kexec while chosen files stay in
 * memory. LUO keeps track of these files: an agent adds them to sessions through
 * /dev/liveupdate; file handlers save their state; on the way into kexec LUO freezes
 * them and serializes a description of all sessions, which Kexec HandOver (KHO) passes
 * to the next kernel. That kernel reads it, and the agent retrieves its sessions and
 * files.
 *
 * LUO is on if the kernel was booted with ``liveupdate=on`` and KHO is on. If it is
 * off, the device does not exist, registering a file handler fails with -EOPNOTSUPP,
 * and a kexec is an ordinary kexec.
 *
 * Boot: pure initcalls read the tables of the handover, the FLBs and the values of the
 * subsystems, before any of these can ask for them. Not earlier: the pages that were
 * read are freed, and their neighbours may have no struct page before. The sessions
 * are made at the end of the initcalls, when the file handlers of the kernel image
 * have registered and before user space runs.
 */

#define pr_fmt(fmt) "luo: " fmt

#include <linux/crash_dump.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/kexec_handover.h>
#include <linux/kstrtox.h>

#include "luo_debugfs.h"
#include "luo_flb.h"
#include "luo_handover.h"
#include "luo_ioctl.h"
#include "luo_module.h"
#include "luo_notice.h"
#include "luo_recorder.h"
#include "luo_session.h"
#include "luo_state.h"
#include "luo_subsystem.h"
#include "luo_sysfs.h"
#include "luo_trace.h"

static int luo_handover_err = -ENOENT;	/* of luo_handover_read() */
static struct luo_array luo_sessions_in __initdata;
static struct luo_blocks luo_flb_blocks_in __initdata;

static int __init luo_parse_enabled(char *arg)
{
	luo_recorder_stamp_start();
	return kstrtobool(arg, &luo_enabled);
}
early_param("liveupdate", luo_parse_enabled);

static int __init luo_early_init(void)
{
	struct luo_array flbs;
	int err;

	if (!liveupdate_enabled())
		return 0;

	err = luo_recorder_early_init();
	if (err)
		pr_warn("cannot record: %pe\n", ERR_PTR(err));
	luo_handover_err = luo_handover_read(&luo_sessions_in, &flbs);
	if (luo_handover_err)
		return 0;

	luo_flb_blocks_in = luo_flb_deserialize_all(&flbs);
	guard(rwsem_write)(&luo_state_lock);
	luo_subsystem_deserialize_all();
	return 0;
}
pure_initcall(luo_early_init);

static void __init luo_boot(void)
{
	u64 number = luo_number(LUO_DIR_IN);
	struct luo_totals totals = { .bytes = luo_handover_bytes_in() };
	u64 sessions = luo_sessions_in.count;
	int err = luo_handover_err;

	if (err == -ENOENT) {
		luo_state_init_normal();
		return;
	}

	luo_emit(luo_phase_begin, number, LUO_SCOPE_GLOBAL, "", LUO_PHASE_BOOT,
		 sessions == LUO_COUNT_UNKNOWN ? 0 : sessions, 0, 0);
	if (!err) {
		luo_subsystem_report_all();
		luo_session_deserialize_all(&luo_sessions_in, &totals);
		luo_totals_add_blocks(&totals, &luo_flb_blocks_in);
		luo_array_read_done();
	}
	luo_emit(luo_handover_in, number, totals.sessions, totals.files,
		 totals.bytes, err);
	luo_emit(luo_phase_end, number, LUO_SCOPE_GLOBAL, "", LUO_PHASE_BOOT,
		 totals.sessions, totals.files, err);
	if (err) {
		luo_state_init_normal();
		return;
	}

	luo_recorder_totals(LUO_DIR_IN, &totals);
	pr_info("live update %llu: %llu sessions, %llu files handed over\n",
		number, totals.sessions, totals.files);
	if (totals.kept)
		pr_info("%llu KiB of records that nothing proves stay reserved until the next live update\n",
			totals.kept << (PAGE_SHIFT - 10));
	if (totals.reserved)
		pr_warn("handover: at least %llu KiB of what is rejected stay reserved until the next live update\n",
			totals.reserved << (PAGE_SHIFT - 10));
	else if (totals.rejected)
		pr_warn("handover: memory of %llu rejected records stays reserved until the next live update\n",
			totals.rejected);
	if (totals.orphans)
		pr_warn("the handlers of %llu files are not registered (yet)\n",
			totals.orphans);
	luo_state_init_updated();
}

/* KHO is off in a crash kernel, whatever the command line says. */
static const char * __init luo_why_no_kho(void)
{
	if (is_kdump_kernel())
		return " in a crash kernel";
	return "; it needs kho=on and its scratch memory, see the KHO lines above";
}

static int __init luo_init(void)
{
	int err;

	if (luo_enabled && !kho_is_enabled())
		pr_warn("live update is off because KHO is off%s\n",
			luo_why_no_kho());
	if (!liveupdate_enabled())
		return 0;

	luo_session_init();
	err = luo_file_init();
	if (err)
		goto off;

	luo_boot();
	luo_notice_start();

	err = luo_handover_init_out();
	err = err ?: luo_flb_init();
	err = err ?: luo_module_init();
	err = err ?: luo_recorder_init();
	err = err ?: luo_sysfs_init();
	err = err ?: luo_ioctl_init();
	if (!err) {
		luo_debugfs_init();
		luo_recorder_await_init();
		luo_state_init_done();
		return 0;
	}
off:
	luo_state_init_done();
	luo_notice_start();
	pr_err("cannot be set up, live update is off: %pe\n", ERR_PTR(err));
	luo_enabled = false;
	return err;
}
late_initcall_sync(luo_init);
