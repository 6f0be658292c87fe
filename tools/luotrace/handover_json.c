// SPDX-License-Identifier: GPL-2.0

#include <inttypes.h>
#include <string.h>

#include "fmt.h"
#include "handover.h"
#include "handover_attr.h"
#include "json.h"

/* Addresses can exceed the range of JSON numbers. */
static json_t *hex_json(uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, n);
	return json_string(text);
}

static json_t *field_json(const char *field, size_t size)
{
	char text[LIVEUPDATE_SESSION_NAME_LENGTH + 1];

	return fmt_json_name(handover_field(text, field, size));
}

static json_t *array_json(const struct handover_array *a)
{
	if (!a->present)
		return json_null();
	return json_pack("{so, so, so}",
			 "count", a->counted ? json_token(a->count) : json_null(),
			 "address", hex_json(a->data),
			 "blocks", a->counted ? json_token(a->pgcnt) : json_null());
}

static json_t *proof_json(enum handover_proof proof)
{
	static const char *const names[] = {
		[HANDOVER_PLAIN] = "none", [HANDOVER_PROVEN] = "proven",
		[HANDOVER_DAMAGED] = "damaged",
	};

	return json_string(names[proof]);
}

static json_t *names_json(const struct handover_record *r,
			  bool (*walk)(const struct handover_record *r,
				       unsigned int i, const char **name))
{
	json_t *all = json_array();
	const char *name;
	unsigned int i;

	for (i = 0; walk(r, i, &name); i++) {
		if (name)
			json_array_append_new(all, json_string(name));
	}
	return all;
}

static json_t *attributes_json(const struct handover_record *r)
{
	char mode[8];

	if (!handover_attr_known(r))
		return json_null();
	snprintf(mode, sizeof(mode), "%04o", handover_attributes(r) & LUO_ATTR_MODE);
	return json_pack("{ss, so, so}", "mode", mode,
			 "seals", names_json(r, handover_attr_seal),
			 "opened", names_json(r, handover_attr_access));
}

static json_t *files_json(const struct handover_session *s)
{
	const struct handover_record *r;
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < s->nr_files; i++) {
		r = &s->files[i];
		json_array_append_new(all, json_pack("{so, so, so, so, so}",
			"token", json_token(r->file.token), "handler",
			field_json(r->file.compatible, sizeof(r->file.compatible)),
			"data", hex_json(r->file.data),
			"attributes", attributes_json(r),
			"proof", proof_json(r->proof)));
	}
	return all;
}

static json_t *sessions_json(const struct handover *h, bool files)
{
	const struct handover_session *s;
	json_t *all = json_array();
	size_t n;

	for (n = 0; n < h->nr_sessions; n++) {
		s = &h->sessions[n];
		json_array_append_new(all, json_pack("{so, sI, so, so, so}",
			"name", field_json(s->record.session.name,
					   sizeof(s->record.session.name)),
			"files", (json_int_t)s->nr_files,
			"pages", s->record.proof == HANDOVER_PROVEN ?
				 json_token(s->record.words[1]) : json_null(),
			"file_list", files ? files_json(s) : json_null(),
			"proof", proof_json(s->record.proof)));
	}
	return all;
}

static json_t *flbs_json(const struct handover *h)
{
	const struct handover_record *r;
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < h->nr_flbs; i++) {
		r = &h->flbs[i];
		json_array_append_new(all, json_pack("{so, so, so, so}",
			"name", field_json(r->flb.name, sizeof(r->flb.name)),
			"data", hex_json(r->flb.data),
			"files", json_token(handover_attr_files(r)),
			"proof", proof_json(r->proof)));
	}
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

/* How many blocks and records were read, and proven. */
static json_t *proven_json(const struct handover *h)
{
	bool base = h->kind == HANDOVER_BASE;

	if (!h->has_memory)
		return json_null();
	return json_pack("{sI, so, sI, so}",
			 "blocks", (json_int_t)h->nr_blocks,
			 "proven_blocks", base ? json_null() :
					  json_integer(h->nr_proven_blocks),
			 "records", (json_int_t)h->nr_records,
			 "proven_records", base ? json_null() :
					   json_integer(h->nr_proven));
}

static void set_luo(json_t *o, const struct handover *h, bool files)
{
	static const char *const crcs[] = {
		[HANDOVER_CRC_CUT] = "cut", [HANDOVER_CRC_WRONG] = "wrong",
		[HANDOVER_CRC_RIGHT] = "right",
	};
	bool tree = h->kind == HANDOVER_LUO;

	json_object_set_new(o, "liveupdate_number", json_token(h->number));
	json_object_set_new(o, "sessions_at", array_json(&h->sessions_at));
	json_object_set_new(o, "shared_state_at", array_json(&h->flbs_at));
	json_object_set_new(o, "sessions", h->has_memory ?
			    sessions_json(h, files) : json_null());
	json_object_set_new(o, "shared_state", h->has_memory ?
			    flbs_json(h) : json_null());
	json_object_set_new(o, "subsystems", tree ? entries_json(h) : json_null());
	json_object_set_new(o, "crc", tree ? json_string(crcs[h->crc]) : json_null());
	json_object_set_new(o, "arrays", proven_json(h));
}

json_t *handover_json(const struct handover *h, bool files)
{
	static const char *const kinds[] = {
		[HANDOVER_LUO] = "luo", [HANDOVER_BASE] = "base",
		[HANDOVER_KHO] = "kho",
	};
	json_t *o = json_object(), *problems = json_array();
	size_t i;

	for (i = 0; i < h->nr_problems && i < HANDOVER_PROBLEMS; i++)
		json_array_append_new(problems, fmt_json_text(h->problems[i]));
	json_object_set_new(o, "tree", h->compatible ?
			    fmt_json_name(h->compatible) : json_null());
	json_object_set_new(o, "kind", kinds[h->kind] ? json_string(kinds[h->kind]) :
							json_null());
	if (h->kind == HANDOVER_LUO || (h->kind == HANDOVER_BASE && h->usable)) {
		set_luo(o, h, files);
	} else if (h->kind == HANDOVER_KHO) {
		json_object_set_new(o, "memory_map", hex_json(h->memory_map));
		json_object_set_new(o, "subtrees", entries_json(h));
	}
	json_object_set_new(o, "nr_problems", json_integer(h->nr_problems));
	json_object_set_new(o, "problems", problems);
	return o;
}
