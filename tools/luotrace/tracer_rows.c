// SPDX-License-Identifier: GPL-2.0

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hist.h"
#include "tracer.h"
#include "luotrace.skel.h"
#include "msg.h"
#include "tracer_rows.h"

#define MAX_ROWS	(LT_MAX_ROWS + LT_MAX_OPS + LT_KNOWN)

static int compare_rows(const void *a, const void *b)
{
	const struct tracer_row *x = a, *y = b;
	int c = (int)x->key.kind - (int)y->key.kind;

	if (!c)
		c = strncmp(x->key.name, y->key.name, LT_NAME_LEN);
	if (c)
		return c;
	if (x->key.token != y->key.token)
		return x->key.token < y->key.token ? -1 : 1;
	return (int)x->key.op - (int)y->key.op;
}

static int read_value(struct bpf_map *map, const void *key, size_t key_size, void *value,
		      size_t size)
{
	int err = bpf_map__lookup_elem(map, key, key_size, value, size, 0);

	if (err)
		msg_error("cannot read the map '%s': %s", bpf_map__name(map),
			  strerror(-err));
	return err ? -EIO : 0;
}

/* The programs keep the minimum inverted. */
static void invert(struct lt_row *row)
{
	row->min_ns = row->count ? ~row->min_ns : 0;
}

static int read_searched(struct luotrace_bpf *bpf, struct tracer_row *rows)
{
	struct lt_key *prev = NULL;
	int err, n = 0;

	while (n < LT_MAX_ROWS &&
	       !bpf_map__get_next_key(bpf->maps.rows, prev, &rows[n].key,
				      sizeof(rows[n].key))) {
		err = read_value(bpf->maps.rows, &rows[n].key, sizeof(rows[n].key),
				 &rows[n].calls, sizeof(rows[n].calls));
		if (err)
			return err;
		invert(&rows[n].calls);
		prev = &rows[n++].key;
	}
	return n;
}

static int read_others(struct luotrace_bpf *bpf, struct tracer_row *rows, int n)
{
	__u32 op;
	int err;

	for (op = 0; op < LT_MAX_OPS; op++) {
		rows[n].key = (struct lt_key){ .kind = LT_OTHERS, .op = op };
		err = read_value(bpf->maps.others, &op, sizeof(op), &rows[n].calls,
				 sizeof(rows[n].calls));
		if (err)
			return err;
		invert(&rows[n].calls);
		n++;
	}
	return n;
}

/* The same handler and operation can have been searched for, too. */
static int add_known(struct lt_known *k, struct tracer_row *rows, int n)
{
	int i;

	for (i = 0; i < n && memcmp(&rows[i].key, &k->key, sizeof(k->key)); i++)
		;
	invert(&k->row);
	if (i < n) {
		hist_add(&rows[i].calls, &k->row);
		return n;
	}
	rows[n].key = k->key;
	rows[n].calls = k->row;
	return n + 1;
}

static int read_known(struct luotrace_bpf *bpf, struct tracer_row *rows, int n)
{
	struct lt_known k;
	__u32 slot;
	int err;

	for (slot = 0; slot < LT_KNOWN; slot++) {
		err = read_value(bpf->maps.known, &slot, sizeof(slot), &k, sizeof(k));
		if (err)
			return err;
		if (k.row.count)
			n = add_known(&k, rows, n);
	}
	return n;
}

static int read_all(struct luotrace_bpf *bpf, struct tracer_row *rows)
{
	int i, nr = 0, n = read_searched(bpf, rows);

	if (n >= 0)
		n = read_others(bpf, rows, n);
	if (n >= 0)
		n = read_known(bpf, rows, n);
	/* A row is made before its first call is counted. */
	for (i = 0; i < n; i++) {
		if (rows[i].calls.count)
			rows[nr++] = rows[i];
	}
	return n < 0 ? n : nr;
}

int tracer_rows_read(struct luotrace_bpf *bpf, struct tracer_row **rows)
{
	int n;

	*rows = calloc(MAX_ROWS, sizeof(**rows));
	if (!*rows) {
		msg_error("out of memory");
		return -ENOMEM;
	}
	n = read_all(bpf, *rows);
	if (n < 0) {
		free(*rows);
		*rows = NULL;
		return n;
	}
	qsort(*rows, n, sizeof(**rows), compare_rows);
	return n;
}
