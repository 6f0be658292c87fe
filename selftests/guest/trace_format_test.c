// SPDX-License-Identifier: GPL-2.0

/* The trace events that tracefs has, and the fields of each. */

#include "trace_test.h"

#include <dirent.h>

/* The fields of each event, in order, as "type name". An ABI: fields are only added. */
static const struct {
	const char *event;
	const char *fields;
} formats[] = {
	{ "luo/luo_state", "u64 number;u32 old;u32 new;u32 event;int ret;" },
	{ "luo/luo_device_open", "u64 number;int ret;" },
	{ "luo/luo_mark", "u64 number;u32 mark;int ret;__data_loc char[] name;" },
	{ "luo/luo_phase_begin", "u64 number;u64 sessions;u64 files;u32 scope;u32 phase;int ret;__data_loc char[] name;" },
	{ "luo/luo_phase_end", "u64 number;u64 sessions;u64 files;u32 scope;u32 phase;int ret;__data_loc char[] name;" },
	{ "luo/luo_session_create", "u64 number;u64 files;u32 dir;u32 state;int ret;__data_loc char[] name;" },
	{ "luo/luo_session_retrieve", "u64 number;u64 files;u32 dir;u32 state;int ret;__data_loc char[] name;" },
	{ "luo/luo_session_release", "u64 number;u64 files;u32 dir;u32 state;int ret;__data_loc char[] name;" },
	{ "luo/luo_session_finish", "u64 number;u64 files;u32 dir;u32 state;int ret;__data_loc char[] name;" },
	{ "luo/luo_session_state", "u64 number;u32 dir;u32 old;u32 new;u32 event;int ret;__data_loc char[] name;" },
	{ "luo/luo_session_leak", "u64 number;u64 files;u64 retrieved;u64 age_ns;u32 reason;__data_loc char[] name;" },
	{ "luo/luo_file_state", "u64 number;u64 token;u32 old;u32 new;int ret;__data_loc char[] session;__data_loc char[] compatible;" },
	{ "luo/luo_file_error", "u64 number;u64 token;u32 old;u32 new;int ret;__data_loc char[] session;__data_loc char[] compatible;" },
	{ "luo/luo_handler_enter", "u64 number;u64 token;u32 op;__data_loc char[] session;__data_loc char[] compatible;" },
	{ "luo/luo_handler_exit", "u64 number;u64 token;u64 duration_ns;u32 op;int ret;__data_loc char[] session;__data_loc char[] compatible;" },
	{ "luo/luo_handler_calls", "u64 number;u64 total_ns;u32 op;int ret;u32 nr;__data_loc char[] compatible;" },
	{ "luo/luo_handler_error", "u64 number;u64 token;u64 duration_ns;u32 op;int ret;__data_loc char[] session;__data_loc char[] compatible;" },
	{ "luo/luo_subsystem_state", "u64 number;u32 dir;u32 old;u32 new;u32 event;int ret;__data_loc char[] name;" },
	{ "luo/luo_subsystem_enter", "u64 number;u32 op;__data_loc char[] name;" },
	{ "luo/luo_subsystem_exit", "u64 number;u64 duration_ns;u32 op;int ret;__data_loc char[] name;" },
	{ "luo/luo_flb_enter", "u64 number;u32 op;__data_loc char[] name;" },
	{ "luo/luo_flb_exit", "u64 number;u64 duration_ns;u32 op;int ret;__data_loc char[] name;" },
	{ "luo/luo_handover_out", "u64 number;u64 sessions;u64 files;u64 bytes;int ret;" },
	{ "luo/luo_handover_in", "u64 number;u64 sessions;u64 files;u64 bytes;int ret;" },
	{ "luo/luo_handover_reject", "u64 number;u64 token;__data_loc char[] what;__data_loc char[] name;__data_loc char[] reason;" },
	{ "kho/kho_preserve", "unsigned long pfn;unsigned long nr_pages;unsigned long caller;u32 kind;int ret;" },
	{ "kho/kho_unpreserve", "unsigned long pfn;unsigned long nr_pages;unsigned long caller;u32 kind;int ret;" },
	{ "kho/kho_restore", "unsigned long pfn;unsigned long nr_pages;unsigned long caller;u32 kind;int ret;" },
	{ "kho/kho_subtree_add", "u64 bytes;int ret;__data_loc char[] name;" },
	{ "kho/kho_subtree_remove", "u64 bytes;int ret;__data_loc char[] name;" },
	{ "kho/kho_subtree_retrieve", "u64 bytes;int ret;__data_loc char[] name;" },
};

#define NR_FORMATS	(sizeof(formats) / sizeof(formats[0]))

/* "field:u64 number;\toffset..." of a format file to "u64 number;..." */
static void fields_of(const char *event, char *to, size_t size)
{
	char path[256], *text, *line, *save, *end;

	snprintf(path, sizeof(path), TRACEFS "events/%s/format", event);
	text = read_all(path);
	*to = '\0';
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "\tfield:", 7) || strstr(line, " common_"))
			continue;
		end = strchr(line, ';');
		snprintf(to + strlen(to), size - strlen(to), "%.*s;",
			 (int)(end - line - 7), line + 7);
	}
	free(text);
}

TEST(events_have_their_fields)
{
	char fields[512];
	size_t i;

	for (i = 0; i < NR_FORMATS; i++) {
		fields_of(formats[i].event, fields, sizeof(fields));
		EXPECT_STREQ(formats[i].fields, fields)
			TH_LOG("%s", formats[i].event);
	}
}

TEST(this_test_knows_all_events)
{
	static const char *const systems[] = { "luo", "kho" };
	unsigned int n = 0, i;
	char path[64];
	struct dirent *d;
	DIR *dir;

	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), TRACEFS "events/%s", systems[i]);
		dir = opendir(path);
		ASSERT_NE(NULL, dir);
		while ((d = readdir(dir)))
			n += d->d_type == DT_DIR && d->d_name[0] != '.';
		closedir(dir);
	}
	EXPECT_EQ(NR_FORMATS, n);
}

RUN_CASES_MAIN
