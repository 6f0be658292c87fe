// SPDX-License-Identifier: GPL-2.0

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "stock.h"

#define BTF_DIR		"/sys/kernel/btf"

/* Whether a type is a pointer to a structure of that name. */
static bool points_to(const struct btf *btf, __u32 id, const char *name)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	if (!t || !btf_is_ptr(t))
		return false;
	t = btf__type_by_id(btf, t->type);
	while (t && (btf_is_mod(t) || btf_is_typedef(t)))
		t = btf__type_by_id(btf, t->type);
	return t && btf_is_struct(t) &&
	       !strcmp(btf__name_by_offset(btf, t->name_off), name);
}

/* LT_RETURNS_*, or -1 for a type that no operation returns. */
static int returns(const struct btf *btf, __u32 id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	if (!id)
		return LT_RETURNS_VOID;
	while (t && btf_is_typedef(t))
		t = btf__type_by_id(btf, t->type);
	if (!t || !btf_is_int(t))
		return -1;
	return btf_int_encoding(t) & BTF_INT_BOOL ? LT_RETURNS_BOOL :
						    LT_RETURNS_INT;
}

static void add(struct stock *s, unsigned int first, unsigned int max,
		unsigned int *nr, const char *name, int what)
{
	unsigned int i;

	/* A function in a header can appear several times. */
	for (i = first; i < first + *nr; i++) {
		if (!strcmp(s->ops[i].name, name))
			return;
	}
	if (*nr == max || strlen(name) >= STOCK_NAME) {
		s->too_many++;
		return;
	}
	strcpy(s->ops[i].name, name);
	s->ops[i].returns = what;
	++*nr;
}

static void check_function(const struct btf *btf, const struct btf_type *func,
		     struct stock *s)
{
	const char *name = btf__name_by_offset(btf, func->name_off);
	const struct btf_type *proto = btf__type_by_id(btf, func->type);
	const struct btf_param *p = btf_params(proto);
	int what = returns(btf, proto->type);

	if (what < 0)
		return;
	if (btf_vlen(proto) == 1 &&
	    points_to(btf, p[0].type, "liveupdate_file_op_args"))
		add(s, 0, LT_STOCK_ARGS, &s->nr_ops, name, what);
	else if (btf_vlen(proto) == 2 && what == LT_RETURNS_BOOL &&
		 points_to(btf, p[0].type, "liveupdate_file_handler") &&
		 points_to(btf, p[1].type, "file"))
		add(s, LT_STOCK_ARGS, LT_STOCK_OPS - LT_STOCK_ARGS, &s->nr_can_preserve,
		    name, what);
}

static void find_in_btf(const struct btf *btf, __u32 from, struct stock *s)
{
	__u32 id, end = btf__type_cnt(btf);
	const struct btf_type *t;

	for (id = from; id < end; id++) {
		t = btf__type_by_id(btf, id);
		if (btf_is_func(t))
			check_function(btf, t, s);
	}
}

void stock_find(const struct btf *btf, struct stock *s)
{
	DIR *dir = opendir(BTF_DIR);
	struct dirent *entry;
	struct btf *module;

	memset(s, 0, sizeof(*s));
	find_in_btf(btf, 1, s);
	/* Handlers can be in modules. */
	while (dir && (entry = readdir(dir))) {
		if (*entry->d_name == '.' || !strcmp(entry->d_name, "vmlinux"))
			continue;
		module = btf__load_module_btf(entry->d_name, (struct btf *)btf);
		if (!module)
			continue;
		find_in_btf(module, btf__type_cnt(btf), s);
		btf__free(module);
	}
	if (dir)
		closedir(dir);
}
