// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fmt.h"
#include "handover.h"

#define NAME_BUF	(4 * LIVEUPDATE_SESSION_NAME_LENGTH + 1)

/* Records of an array while they are read. */
struct records {
	size_t size;		/* of one, bytes */
	char *data;
	size_t nr;
	size_t room;		/* records that @data has room for */
	const char *what;	/* for messages: what they describe */
	const char *of;		/* "", or " of session NAME" */
};

static int add_records(struct records *r, const char *block, size_t nr)
{
	char *data;

	if (!nr)
		return 0;
	if (r->nr + nr > r->room) {
		r->room = 2 * (r->nr + nr);
		data = realloc(r->data, r->room * r->size);
		if (!data)
			return -ENOMEM;
		r->data = data;
	}
	memcpy(r->data + r->nr * r->size,
	       block + sizeof(struct kho_block_header_ser), nr * r->size);
	r->nr += nr;
	return 0;
}

/* Read a block and move *@at to the next. Returns 0, 1 if it is malformed, -ENOMEM. */
static int read_block(struct handover *h, struct memory *mem, uint64_t *at,
		      struct records *r)
{
	size_t room = LUO_RECORDS_PER_BLOCK(r->size);
	struct kho_block_header_ser head;
	char block[KHO_BLOCK_SIZE];

	if (*at % KHO_BLOCK_SIZE) {
		handover_problem(h, "address 0x%" PRIx64 ": block of %s%s does not begin a page",
				 *at, r->what, r->of);
		return 1;
	}
	if (!mem->read(mem, *at, block, sizeof(block))) {
		handover_problem(h, "address 0x%" PRIx64 ": block of %s%s is not in memory",
				 *at, r->what, r->of);
		return 1;
	}
	memcpy(&head, block, sizeof(head));
	if (head.count > room) {
		handover_problem(h, "address 0x%" PRIx64 ": block of %s%s has %" PRIu64 " records, but room for %zu",
				 *at, r->what, r->of, (uint64_t)head.count, room);
		return 1;
	}
	*at = head.next;
	return add_records(r, block, head.count);
}

/* Each block has the address of the next; a chain can be a loop. */
static int read_chain(struct handover *h, struct memory *mem,
		      const struct handover_array *array, struct records *r)
{
	uint64_t at = array->data, seen = 0, was = 0, next_mark = 1;
	int ret = 0;

	while (at && !ret) {
		if (seen == array->pgcnt) {
			handover_problem(h, "address 0x%" PRIx64 ": more blocks of %s%s than the %" PRIu64 " announced",
					 at, r->what, r->of, array->pgcnt);
			return 0;
		}
		if (at == was) {
			handover_problem(h, "address 0x%" PRIx64 ": the blocks of %s%s are a loop",
					 at, r->what, r->of);
			return 0;
		}
		/* Remember an address at powers of two: a loop comes back to it. */
		if (seen == next_mark) {
			was = at;
			next_mark *= 2;
		}
		seen++;
		ret = read_block(h, mem, &at, r);
	}
	if (ret < 0)
		return ret;
	if (!ret && seen < array->pgcnt)
		handover_problem(h, "address 0x%" PRIx64 ": %" PRIu64 " blocks of %s%s, %" PRIu64 " announced",
				 array->data, seen, r->what, r->of, array->pgcnt);
	if (!ret && r->nr != array->count)
		handover_problem(h, "address 0x%" PRIx64 ": %zu records of %s%s, %" PRIu64 " announced",
				 array->data, r->nr, r->what, r->of, array->count);
	return 0;
}

static bool ends(const char *text, size_t size)
{
	return memchr(text, '\0', size);
}

static int by_token(const void *a, const void *b)
{
	const struct luo_file_ser *x = a, *y = b;

	return x->token < y->token ? -1 : x->token > y->token;
}

static int check_files(struct handover *h, const struct handover_session *s,
		       const char *of)
{
	struct luo_file_ser *sorted;
	size_t i;

	for (i = 0; i < s->nr_files; i++) {
		if (!s->files[i].compatible[0])
			handover_problem(h, "record %zu of the files%s names no handler",
					 i, of);
	}
	if (s->nr_files < 2)
		return 0;
	sorted = malloc(s->nr_files * sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	memcpy(sorted, s->files, s->nr_files * sizeof(*sorted));
	qsort(sorted, s->nr_files, sizeof(*sorted), by_token);
	for (i = 1; i < s->nr_files; i++) {
		if (sorted[i].token == sorted[i - 1].token)
			handover_problem(h, "token %" PRIu64 "%s appears twice",
					 (uint64_t)sorted[i].token, of);
	}
	free(sorted);
	return 0;
}

static int read_files(struct handover *h, struct memory *mem,
		      struct handover_session *s)
{
	const struct handover_array array = {
		.count = s->ser.count, .data = s->ser.files,
		.pgcnt = s->ser.pgcnt,
	};
	struct records r = {
		.size = sizeof(struct luo_file_ser), .what = "files",
	};
	char name[NAME_BUF], of[NAME_BUF + 16];
	int err;

	snprintf(of, sizeof(of), " of session %s",
		 fmt_name(name, sizeof(name), s->ser.name));
	r.of = of;
	err = read_chain(h, mem, &array, &r);
	s->files = (struct luo_file_ser *)r.data;
	s->nr_files = r.nr;
	return err ? err : check_files(h, s, of);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int check_names(struct handover *h)
{
	const char **names = calloc(h->nr_sessions + 1, sizeof(*names));
	char name[NAME_BUF];
	size_t i;

	if (!names)
		return -ENOMEM;
	for (i = 0; i < h->nr_sessions; i++)
		names[i] = h->sessions[i].ser.name;
	qsort(names, h->nr_sessions, sizeof(*names), by_name);
	for (i = 1; i < h->nr_sessions; i++) {
		if (!strcmp(names[i], names[i - 1]))
			handover_problem(h, "session %s appears twice",
					 fmt_name(name, sizeof(name), names[i]));
	}
	free(names);
	return 0;
}

static int read_sessions(struct handover *h, struct memory *mem)
{
	struct records r = {
		.size = sizeof(struct luo_session_ser), .what = "sessions",
		.of = "",
	};
	const struct luo_session_ser *ser;
	int err;
	size_t i;

	err = read_chain(h, mem, &h->sessions_at, &r);
	if (!err && r.nr) {
		h->sessions = calloc(r.nr, sizeof(*h->sessions));
		err = h->sessions ? 0 : -ENOMEM;
	}
	ser = (const struct luo_session_ser *)r.data;
	for (i = 0; i < r.nr && !err; i++) {
		/* The session was closed after its record had been written. */
		if (!ser[i].name[0])
			continue;
		if (!ends(ser[i].name, sizeof(ser[i].name))) {
			handover_problem(h, "record %zu of the sessions: the name does not end", i);
			continue;
		}
		h->sessions[h->nr_sessions].ser = ser[i];
		err = read_files(h, mem, &h->sessions[h->nr_sessions++]);
	}
	free(r.data);
	return err ? err : check_names(h);
}

static int read_flbs(struct handover *h, struct memory *mem)
{
	struct records r = {
		.size = sizeof(struct luo_flb_ser), .what = "FLBs",
		.of = "",
	};
	int err = read_chain(h, mem, &h->flbs_at, &r);
	size_t i;

	h->flbs = (struct luo_flb_ser *)r.data;
	for (i = 0; i < r.nr && !err; i++) {
		if (ends(h->flbs[i].name, sizeof(h->flbs[i].name)) &&
		    h->flbs[i].name[0]) {
			h->flbs[h->nr_flbs++] = h->flbs[i];
			continue;
		}
		handover_problem(h, "record %zu of the FLBs: the name is empty or does not end",
				 i);
	}
	return err;
}

int handover_read_arrays(struct handover *h, struct memory *mem)
{
	int err;

	h->has_memory = true;
	err = read_sessions(h, mem);
	return err ? err : read_flbs(h, mem);
}
