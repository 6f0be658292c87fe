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
 * A failure to set up the recorder or sysfs is reported and nothing else: what was handed
 * over is worth more than what is known of it. Without the tables of files, the handover to
 * the next kernel, the block of FLBs or the device LUO turns itself off and undoes what it
 * has set up.
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

	/* Before the first module can be loaded. */
	err = luo_module_init();
	if (err)
		pr_warn("subsystems and FLBs of modules are not told of what was handed over: %pe\n",
			ERR_PTR(err));
	err = luo_recorder_early_init();
	if (err)
		pr_warn("cannot record: %pe\n", ERR_PTR(err));
	luo_handover_err = luo_handover_read(&luo_sessions_in, &flbs);
	if (luo_handover_err == -ENOENT)
		return 0;
	luo_flb_blocks_in = luo_flb_deserialize_all(&flbs);
	if (luo_handover_err)
		return 0;

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

/* What is only lost to those who look at a live update. */
static void __init luo_init_views(void)
{
	int err = luo_recorder_init();

	if (err)
		pr_warn("cannot record the next live update: %pe\n", ERR_PTR(err));
	err = luo_sysfs_init();
	if (err)
		pr_warn("cannot create /sys/kernel/liveupdate: %pe\n", ERR_PTR(err));
}

static int __init luo_init_all(void)
{
	int err;

	luo_session_init();
	err = luo_file_init();
	if (err)
		return err;

	luo_boot();
	luo_notice_start();

	err = luo_handover_init_out();
	err = err ?: luo_flb_init();
	if (err)
		return err;
	luo_init_views();
	return luo_ioctl_init();
}

/*
 * Undo what is set up, in the opposite order, so that the next kexec is an ordinary one. No
 * agent gets what was handed over; its memory stays reserved. What is booted of subsystems is
 * finished.
 */
static void __init luo_init_undo(void)
{
	scoped_guard(rwsem_write, &luo_state_lock) {
		luo_enabled = false;
		luo_session_give_up_all();
		luo_flb_give_up_all();
		luo_subsystem_finish_all();
		luo_subsystem_give_up_all();
	}
	luo_sysfs_exit();
	luo_recorder_off();
	luo_flb_exit();
	luo_handover_exit_out();
	luo_module_exit();
	luo_notice_start();
}

static int __init luo_init(void)
{
	int err;

	if (!luo_enabled)
		return 0;
	if (!kho_is_enabled()) {
		pr_warn("live update is off because KHO is off%s\n", luo_why_no_kho());
		/* KHO may have been on when the handover was read. */
		if (luo_handover_err != -ENOENT)
			pr_err("what the previous kernel handed over is lost\n");
		luo_init_undo();
		return 0;
	}

	err = luo_init_all();
	if (err) {
		pr_err("cannot be set up, live update is off: %pe\n", ERR_PTR(err));
		luo_state_init_done();
		luo_init_undo();
		return err;
	}
	luo_debugfs_init();
	luo_recorder_await_init();
	luo_state_init_done();
	return 0;
}
late_initcall_sync(luo_init);
