/* SPDX-License-Identifier: GPL-2.0 */

/* Common parts of the programs on both iterators. */

#ifndef ITER_BPF_H
#define ITER_BPF_H

#include "types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "luo_iter.h"

#define CO_RE	__attribute__((preserve_access_index))

/* Only the fields of the kernel's structures that are read. */
struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 seq_num;
} CO_RE;

/* Set before the programs are loaded; bpftool iter pin leaves these defaults. */
const volatile _Bool binary;	/* records for luotrace instead of text */
const volatile __u32 only_dir = ~0U;

/* Bytes for a name: a table of pointers could not be loaded. */
#define WORD	16

/* A name must not look like another field, or begin another line. */
static __always_inline void printable(char *name, __u32 size)
{
	__u32 i;

	for (i = 0; i < size; i++) {
		if (name[i] && (name[i] <= ' ' || name[i] > '~' ||
				name[i] == '=' || name[i] == '"'))
			name[i] = '?';
	}
}

#endif
