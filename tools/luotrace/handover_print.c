// SPDX-License-Identifier: GPL-2.0

#include <inttypes.h>
#include <string.h>

#include "fmt.h"
#include "handover.h"
#include "handover_attr.h"

#define NAME_BUF	(4 * LIVEUPDATE_SESSION_NAME_LENGTH + 1)

/* A string field as a field of a line. */
static const char *field_name(char *buf, const char *field, size_t size)
{
	char text[LIVEUPDATE_SESSION_NAME_LENGTH + 1];

	return fmt_name(buf, NAME_BUF, handover_field(text, field, size));
}

static const char *damaged(const struct handover_record *r)
{
	return r->proof == HANDOVER_DAMAGED ? ", damaged" : "";
}

static void print_array(const char *what, const struct handover_array *a, FILE *f)
{
	if (!a->present)
		fprintf(f, "%-13s -\n", what);
	else if (!a->data)
		fprintf(f, "%-13s none\n", what);
	else if (!a->counted)
		fprintf(f, "%-13s from 0x%" PRIx64 " on\n", what, a->data);
	else
		fprintf(f, "%-13s %" PRIu64 " in %" PRIu64 " block%s from 0x%" PRIx64 " on\n",
			what, a->count, a->pgcnt, fmt_s(a->pgcnt), a->data);
}

static void print_attributes(const struct handover_record *r, FILE *f)
{
	uint32_t attributes = handover_attributes(r);
	const char *name;
	unsigned int i, n;

	if (!handover_attr_known(r))
		return;
	fprintf(f, " mode %04o", attributes & LUO_ATTR_MODE);
	for (i = n = 0; handover_attr_seal(r, i, &name); i++) {
		if (name)
			fprintf(f, "%s%s", n++ ? "," : " seals ", name);
	}
	for (i = n = 0; handover_attr_access(r, i, &name); i++) {
		if (name)
			fprintf(f, "%s%s", n++ ? "," : " opened ", name);
	}
}

static void print_file(const struct handover_record *r, FILE *f)
{
	char name[NAME_BUF];

	fprintf(f, "    token %" PRIu64 " %s data 0x%" PRIx64, (uint64_t)r->file.token,
		field_name(name, r->file.compatible, sizeof(r->file.compatible)),
		(uint64_t)r->file.data);
	print_attributes(r, f);
	fprintf(f, "%s\n", damaged(r));
}

static void print_sessions(const struct handover *h, bool files, FILE *f)
{
	const struct handover_session *s;
	char name[NAME_BUF], size[FMT_LEN];
	size_t n, i;

	for (n = 0; n < h->nr_sessions; n++) {
		s = &h->sessions[n];
		fprintf(f, "  session %s: %zu file%s",
			field_name(name, s->record.session.name,
				   sizeof(s->record.session.name)),
			s->nr_files, fmt_s(s->nr_files));
		if (s->record.proof == HANDOVER_PROVEN)
			fprintf(f, ", %s", fmt_bytes(size, s->record.words[1] *
						     h->page_size));
		fprintf(f, "%s\n", damaged(&s->record));
		for (i = 0; files && i < s->nr_files; i++)
			print_file(&s->files[i], f);
	}
}

static void print_flbs(const struct handover *h, FILE *f)
{
	const struct handover_record *r;
	char name[NAME_BUF];
	size_t i;

	for (i = 0; i < h->nr_flbs; i++) {
		r = &h->flbs[i];
		fprintf(f, "  FLB %s: data 0x%" PRIx64 ", of %" PRIu64 " file%s%s\n",
			field_name(name, r->flb.name, sizeof(r->flb.name)),
			(uint64_t)r->flb.data, handover_attr_files(r),
			fmt_s(handover_attr_files(r)), damaged(r));
	}
}

static void print_proof(const struct handover *h, FILE *f)
{
	if (!h->has_memory)
		return;
	if (h->kind == HANDOVER_BASE)
		fprintf(f, "%-13s %zu block%s, %zu record%s, read without proof\n",
			"arrays", h->nr_blocks, fmt_s(h->nr_blocks), h->nr_records,
			fmt_s(h->nr_records));
	else
		fprintf(f, "%-13s %zu of %zu blocks, %zu of %zu records\n", "proven",
			h->nr_proven_blocks, h->nr_blocks, h->nr_proven, h->nr_records);
}

static void print_arrays(const struct handover *h, bool files, FILE *f)
{
	fprintf(f, "%-13s %" PRIu64 "\n", "live update", h->number);
	print_array("sessions", &h->sessions_at, f);
	print_sessions(h, files, f);
	print_array("FLBs", &h->flbs_at, f);
	print_flbs(h, f);
}

static void print_luo(const struct handover *h, bool files, FILE *f)
{
	static const char *const crcs[] = {
		[HANDOVER_CRC_CUT] = "-", [HANDOVER_CRC_WRONG] = "wrong",
		[HANDOVER_CRC_RIGHT] = "right",
	};
	char name[NAME_BUF];
	size_t i;

	fprintf(f, "%-13s %s\n", "CRC-32", crcs[h->crc]);
	print_arrays(h, files, f);
	fprintf(f, "%-13s %zu\n", "subsystems", h->nr_entries);
	for (i = 0; i < h->nr_entries; i++)
		fprintf(f, "  subsystem %s: data 0x%" PRIx64 "\n",
			fmt_name(name, sizeof(name), h->entries[i].name),
			h->entries[i].data);
	print_proof(h, f);
}

static void print_base(const struct handover *h, bool files, FILE *f)
{
	if (!h->usable)
		return;
	print_arrays(h, files, f);
	print_proof(h, f);
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

	fprintf(f, "%-13s %s\n", h->kind == HANDOVER_BASE ? "table" : "tree",
		h->compatible ? fmt_name(name, sizeof(name), h->compatible) : "-");
	if (h->kind == HANDOVER_LUO)
		print_luo(h, files, f);
	else if (h->kind == HANDOVER_BASE)
		print_base(h, files, f);
	else if (h->kind == HANDOVER_KHO)
		print_kho(h, f);
	print_problems(h, f);
}
