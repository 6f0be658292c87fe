/* SPDX-License-Identifier: GPL-2.0 */

/*
 * Functions to attach to on a kernel whose LUO has no trace events, found by their types in
 * the BTF of the kernel and of its modules. For probe.c.
 */

#ifndef STOCK_H
#define STOCK_H

#include <bpf/btf.h>

#include <linux/types.h>
#include "../../bpf/luotrace.h"

#define STOCK_NAME	128	/* bytes of a function's name */

/**
 * struct stock_function - a function of a file handler
 * @name:    its name, "" if the entry is not in use
 * @returns: LT_RETURNS_*
 */
struct stock_function {
	char name[STOCK_NAME];
	int returns;
};

/**
 * struct stock - the functions
 * @ops:     functions with the arguments of an operation, then, from LT_STOCK_ARGS on, those
 *	     with the arguments of can_preserve
 * @nr_ops:  number of the former
 * @nr_can_preserve: number of the latter
 * @too_many: functions for which no entry was free
 */
struct stock {
	struct stock_function ops[LT_STOCK_OPS];
	unsigned int nr_ops;
	unsigned int nr_can_preserve;
	unsigned int too_many;
};

/** stock_find - find them; @btf: of the kernel */
void stock_find(const struct btf *btf, struct stock *s);

#endif
