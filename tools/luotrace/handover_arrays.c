// SPDX-License-Identifier: GPL-2.0

/* The arrays of a handover: their records, and what is wrong with one. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fmt.h"
#include "handover_blocks.h"

static bool ends(const char *text, size_t size)
{
	return memchr(text, '\0', size);
}

/* What is wrong with the string of a record, or NULL. */
static const char *why_bad_string(const char *text, size_t size)
{
	if (!text[0])
		return "is empty";
	return ends(text, size) ? NULL : "does not end";
}

static int by_token(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The token of a damaged record may be that of any file. */
static int check_tokens(struct handover *h, const struct handover_chain *chain)
{
	uint64_t *tokens = calloc(chain->nr + 1, sizeof(*tokens));
	size_t nr = 0, i;

	if (!tokens)
		return -ENOMEM;
	for (i = 0; i < chain->nr; i++) {
		if (chain->records[i].proof != HANDOVER_DAMAGED)
			tokens[nr++] = chain->records[i].file.token;
	}
	qsort(tokens, nr, sizeof(*tokens), by_token);
	for (i = 1; i < nr; i++) {
		if (tokens[i] == tokens[i - 1])
			handover_problem(h, "%s, token %" PRIu64 ": appears twice",
					 chain->what, tokens[i]);
	}
	free(tokens);
	return 0;
}

static void check_file(struct handover *h, const struct handover_chain *chain,
		       const struct handover_record *r)
{
	const char *why = why_bad_string(r->file.compatible,
					 sizeof(r->file.compatible));

	if (r->proof == HANDOVER_DAMAGED)
		handover_problem(h, "%s, token %" PRIu64 ": record's sum is wrong",
				 chain->what, (uint64_t)r->file.token);
	else if (why)
		handover_problem(h, "%s, token %" PRIu64 ": the handler %s",
				 chain->what, (uint64_t)r->file.token, why);
}

static int read_files(struct handover *h, struct memory *mem,
		      struct handover_session *s)
{
	struct handover_chain chain = {
		.kind = LUO_ARRAY_FILES,
		.name = s->record.session.name,
		.at = s->record.session.file_set_ser.files,
		.count = s->record.session.file_set_ser.count,
		.pgcnt = HANDOVER_UNKNOWN,
	};
	char name[HANDOVER_NAME];
	size_t i;
	int err;

	snprintf(chain.what, sizeof(chain.what), "files of session \"%s\"",
		 fmt_label(name, sizeof(name), chain.name));
	err = handover_read_chain(h, mem, &chain);
	s->files = chain.records;
	s->nr_files = chain.nr;
	for (i = 0; i < chain.nr && !err; i++)
		check_file(h, &chain, &chain.records[i]);
	return err ? err : check_tokens(h, &chain);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of sessions or FLBs that are proven, or that nothing proves. */
static void check_names(struct handover *h, const char *what, const char **names,
			size_t nr)
{
	char name[HANDOVER_NAME];
	size_t i;

	qsort(names, nr, sizeof(*names), by_name);
	for (i = 1; i < nr; i++) {
		if (!strcmp(names[i], names[i - 1]))
			handover_problem(h, "%s \"%s\": appears twice", what,
					 fmt_label(name, sizeof(name), names[i]));
	}
}

/* Whether a record is what its kernel wrote, as far as that can be seen. */
static bool check_record(struct handover *h, const char *what, size_t number,
			 const struct handover_record *r, const char *string,
			 size_t size)
{
	char field[LIVEUPDATE_SESSION_NAME_LENGTH + 1], name[HANDOVER_NAME];
	const char *why = why_bad_string(string, size);

	if (r->proof == HANDOVER_DAMAGED) {
		handover_problem(h, "%s \"%s\": record's sum is wrong", what,
				 fmt_label(name, sizeof(name),
					   handover_field(field, string, size)));
		return false;
	}
	if (why)
		handover_problem(h, "%s %zu: the name %s", what, number, why);
	return !why;
}

/* A damaged record stays, but it leads to no files and counts for no name. */
static int take_sessions(struct handover *h, struct memory *mem,
			 const struct handover_chain *chain, const char **names)
{
	struct handover_session *s;
	size_t i, nr = 0;
	int err = 0;

	for (i = 0; i < chain->nr && !err; i++) {
		s = &h->sessions[h->nr_sessions++];
		s->record = chain->records[i];
		if (!check_record(h, "session", i, &s->record, s->record.session.name,
				  sizeof(s->record.session.name)))
			continue;
		names[nr++] = s->record.session.name;
		err = read_files(h, mem, s);
	}
	check_names(h, "session", names, nr);
	return err;
}

/* An array that the table leads to. */
static struct handover_chain chain_of(const struct handover_array *array,
				      enum luo_array_kind kind, const char *what)
{
	struct handover_chain chain = {
		.kind = kind, .name = "", .at = array->data,
		.count = array->counted ? array->count : HANDOVER_UNKNOWN,
		.pgcnt = array->counted ? array->pgcnt : HANDOVER_UNKNOWN,
	};

	snprintf(chain.what, sizeof(chain.what), "%s", what);
	return chain;
}

/* A table without counts has those that were found. */
static void note_counts(struct handover_array *array,
			const struct handover_chain *chain)
{
	if (array->counted)
		return;
	array->counted = true;
	array->count = chain->nr;
	array->pgcnt = chain->nr_blocks;
}

static int read_sessions(struct handover *h, struct memory *mem)
{
	struct handover_chain chain = chain_of(&h->sessions_at, LUO_ARRAY_SESSIONS,
					       "sessions");
	int err = handover_read_chain(h, mem, &chain);
	const char **names;

	h->sessions = calloc(chain.nr + 1, sizeof(*h->sessions));
	names = calloc(chain.nr + 1, sizeof(*names));
	if (!err)
		err = h->sessions && names ?
		      take_sessions(h, mem, &chain, names) : -ENOMEM;
	free(names);
	free(chain.records);
	note_counts(&h->sessions_at, &chain);
	return err;
}

static int read_flbs(struct handover *h, struct memory *mem)
{
	struct handover_chain chain = chain_of(&h->flbs_at, LUO_ARRAY_FLBS, "FLBs");
	int err = handover_read_chain(h, mem, &chain);
	const char **names = calloc(chain.nr + 1, sizeof(*names));
	const struct handover_record *r;
	size_t nr = 0, i;

	h->flbs = chain.records;
	h->nr_flbs = chain.nr;
	note_counts(&h->flbs_at, &chain);
	if (!names)
		return -ENOMEM;
	for (i = 0; i < chain.nr && !err; i++) {
		r = &chain.records[i];
		if (check_record(h, "FLB", i, r, r->flb.name, sizeof(r->flb.name)))
			names[nr++] = r->flb.name;
	}
	check_names(h, "FLB", names, nr);
	free(names);
	return err;
}

int handover_read_arrays(struct handover *h, struct memory *mem)
{
	int err;

	h->has_memory = true;
	err = read_sessions(h, mem);
	return err ? err : read_flbs(h, mem);
}
