// SPDX-License-Identifier: GPL-2.0

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "fmt.h"
#include "handover.h"
#include "json.h"

#define NAME_BUF	(4 * LIVEUPDATE_SESSION_NAME_LENGTH + 1)

/* The string in a file's record need not be terminated. */
static const char *file_handler(const struct luo_file_ser *f, char *buf)
{
	memcpy(buf, f->compatible, LUO_FILE_COMPAT_LENGTH);
	buf[LUO_FILE_COMPAT_LENGTH] = '\0';
	return buf;
}

static void print_array(const char *what, const struct handover_array *a, FILE *f)
{
	if (!a->present)
		fprintf(f, "%-13s -\n", what);
	else if (!a->data)
		fprintf(f, "%-13s none\n", what);
	else
		fprintf(f, "%-13s %" PRIu64 " in %" PRIu64 " blocks from 0x%" PRIx64 " on\n",
			what, a->count, a->pgcnt, a->data);
}

static void print_sessions(const struct handover *h, bool files, FILE *f)
{
	char name[NAME_BUF], compat[LUO_FILE_COMPAT_LENGTH + 1], size[FMT_LEN];
	const struct handover_session *s;
	size_t n, i;

	for (n = 0; n < h->nr_sessions; n++) {
		s = &h->sessions[n];
		fprintf(f, "  session %s: %zu file%s, %s\n",
			fmt_name(name, sizeof(name), s->ser.name), s->nr_files,
			fmt_s(s->nr_files),
			fmt_bytes(size, s->ser.pages * sysconf(_SC_PAGESIZE)));
		for (i = 0; files && i < s->nr_files; i++)
			fprintf(f, "    token %" PRIu64 " %s data 0x%" PRIx64 "\n",
				(uint64_t)s->files[i].token,
				fmt_name(name, sizeof(name),
					 file_handler(&s->files[i], compat)),
				(uint64_t)s->files[i].data);
	}
}

static void print_flbs(const struct handover *h, FILE *f)
{
	char name[NAME_BUF];
	size_t i;

	for (i = 0; i < h->nr_flbs; i++)
		fprintf(f, "  FLB %s: data 0x%" PRIx64 ", of %" PRIu64 " file%s\n",
			fmt_name(name, sizeof(name), h->flbs[i].name),
			(uint64_t)h->flbs[i].data, (uint64_t)h->flbs[i].count,
			fmt_s(h->flbs[i].count));
}

static void print_luo(const struct handover *h, bool files, FILE *f)
{
	char name[NAME_BUF];
	size_t i;

	fprintf(f, "%-13s %" PRIu64 "\n", "live update", h->number);
	print_array("sessions", &h->sessions_at, f);
	print_sessions(h, files, f);
	print_array("FLBs", &h->flbs_at, f);
	print_flbs(h, f);
	fprintf(f, "%-13s %zu\n", "subsystems", h->nr_entries);
	for (i = 0; i < h->nr_entries; i++)
		fprintf(f, "  subsystem %s: data 0x%" PRIx64 "\n",
			fmt_name(name, sizeof(name), h->entries[i].name),
			h->entries[i].data);
}

static void print_kho(const struct handover *h, FILE *f)
{
	char name[NAME_BUF], size[FMT_LEN];
	size_t i;

	fprintf(f, "%-13s 0x%" PRIx64 "\n", "memory map", h->memory_map);
	for (i = 0; i < h->nr_entries; i++)
		fprintf(f, "  subtree %s: %s at 0x%" PRIx64 "\n",
			fmt_name(name, sizeof(name), h->entries[i].name),
			fmt_bytes(size, h->entries[i].size), h->entries[i].data);
}

static void print_problems(const struct handover *h, FILE *f)
{
	size_t i;

	for (i = 0; i < h->nr_problems && i < HANDOVER_PROBLEMS; i++)
		fmt_wrapped(f, "! ", h->problems[i]);
	if (h->nr_problems > HANDOVER_PROBLEMS)
		fprintf(f, "! and %zu more\n", h->nr_problems - HANDOVER_PROBLEMS);
}

void handover_text(const struct handover *h, bool files, FILE *f)
{
	char name[NAME_BUF];

	fprintf(f, "%-13s %s\n", "tree", h->compatible ?
		fmt_name(name, sizeof(name), h->compatible) : "-");
	if (h->kind == HANDOVER_LUO)
		print_luo(h, files, f);
	else if (h->kind == HANDOVER_KHO)
		print_kho(h, f);
	print_problems(h, f);
}

/* Addresses can exceed the range of JSON numbers. */
static json_t *hex_json(uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, n);
	return json_string(text);
}

static json_t *array_json(const struct handover_array *a)
{
	if (!a->present)
		return json_null();
	return json_pack("{so, so, so}", "count", json_token(a->count),
			 "address", hex_json(a->data),
			 "blocks", json_token(a->pgcnt));
}

static json_t *sessions_json(const struct handover *h, bool files)
{
	const struct handover_session *s;
	char compat[LUO_FILE_COMPAT_LENGTH + 1];
	json_t *all = json_array(), *list;
	size_t n, i;

	for (n = 0; n < h->nr_sessions; n++) {
		s = &h->sessions[n];
		list = json_array();
		for (i = 0; files && i < s->nr_files; i++)
			json_array_append_new(list, json_pack("{so, so, so}",
				"token", json_token(s->files[i].token), "handler",
				fmt_json_name(file_handler(&s->files[i], compat)),
				"data", hex_json(s->files[i].data)));
		json_array_append_new(all, json_pack("{so, sI, so, so}",
			"name", fmt_json_name(s->ser.name),
			"files", (json_int_t)s->nr_files,
			"pages", json_token(s->ser.pages),
			"file_list", files ? list : json_null()));
		if (!files)
			json_decref(list);
	}
	return all;
}

static json_t *flbs_json(const struct handover *h)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < h->nr_flbs; i++)
		json_array_append_new(all, json_pack("{so, so, so}",
			"name", fmt_json_name(h->flbs[i].name),
			"data", hex_json(h->flbs[i].data),
			"files", json_token(h->flbs[i].count)));
	return all;
}

static json_t *entries_json(const struct handover *h)
{
	json_t *all = json_array(), *o;
	size_t i;

	for (i = 0; i < h->nr_entries; i++) {
		o = json_pack("{so, so}", "name", fmt_json_name(h->entries[i].name),
			      "data", hex_json(h->entries[i].data));
		if (h->kind == HANDOVER_KHO)
			json_object_set_new(o, "bytes",
					    json_token(h->entries[i].size));
		json_array_append_new(all, o);
	}
	return all;
}

json_t *handover_json(const struct handover *h, bool files)
{
	json_t *o = json_object(), *problems = json_array();
	size_t i;

	for (i = 0; i < h->nr_problems && i < HANDOVER_PROBLEMS; i++)
		json_array_append_new(problems, fmt_json_text(h->problems[i]));
	json_object_set_new(o, "tree", h->compatible ?
			    fmt_json_name(h->compatible) : json_null());
	if (h->kind == HANDOVER_LUO) {
		json_object_set_new(o, "liveupdate_number",
				    json_token(h->number));
		json_object_set_new(o, "sessions_at", array_json(&h->sessions_at));
		json_object_set_new(o, "shared_state_at", array_json(&h->flbs_at));
		json_object_set_new(o, "sessions", h->has_memory ?
				    sessions_json(h, files) : json_null());
		json_object_set_new(o, "shared_state", h->has_memory ?
				    flbs_json(h) : json_null());
		json_object_set_new(o, "subsystems", entries_json(h));
	} else if (h->kind == HANDOVER_KHO) {
		json_object_set_new(o, "memory_map", hex_json(h->memory_map));
		json_object_set_new(o, "subtrees", entries_json(h));
	}
	json_object_set_new(o, "nr_problems", json_integer(h->nr_problems));
	json_object_set_new(o, "problems", problems);
	return o;
}
