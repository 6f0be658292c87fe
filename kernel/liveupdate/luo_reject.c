// SPDX-License-Identifier: GPL-2.0

/*
 * What is rejected of the handover is traced and recorded, entry by entry. The log gets
 * one line for an array: a serial console prints it inside the blackout.
 */

#include <linux/string.h>

#include "luo_notice.h"
#include "luo_recorder.h"
#include "luo_reject.h"
#include "luo_trace.h"

/**
 * luo_handover_trace_reject - trace an entry that is rejected, kept for later or given up
 * @what:   "tree", "table", "sessions", "flbs" or "subsystems" as a whole, or "session",
 *	    "file", "flb" or "subsystem"
 * @name:   name of the entry, or of its session, or "" if unknown
 * @token:  token of the file, 0 for any other entry
 * @reason: a word for the reason
 */
void luo_handover_trace_reject(const char *what, const char *name, u64 token,
			       const char *reason)
{
	luo_emit(luo_handover_reject, luo_number(LUO_DIR_IN), what, name, token,
		 reason);
}

/**
 * luo_handover_record_reject - trace and record an entry that is rejected
 * @what:   as in luo_handover_trace_reject()
 * @name:   as in luo_handover_trace_reject()
 * @token:  as in luo_handover_trace_reject()
 * @reason: as in luo_handover_trace_reject()
 */
void luo_handover_record_reject(const char *what, const char *name, u64 token,
				const char *reason)
{
	luo_handover_trace_reject(what, name, token, reason);
	luo_recorder_add_reject(what, name, token, reason);
}

/**
 * luo_handover_reject - report, trace and record an entry that is rejected
 * @what:   as in luo_handover_trace_reject()
 * @name:   as in luo_handover_trace_reject()
 * @token:  as in luo_handover_trace_reject()
 * @reason: as in luo_handover_trace_reject()
 */
void luo_handover_reject(const char *what, const char *name, u64 token,
			 const char *reason)
{
	luo_notice("of the handover rejected", what, reason, name,
		   strcmp(what, "file") ? NULL : &token);
	luo_handover_record_reject(what, name, token, reason);
}
