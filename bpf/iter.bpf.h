/* SPDX-License-Identifier: GPL-2.0 */

/* What the programs on both iterators need. */

#ifndef ITER_BPF_H
#define ITER_BPF_H

#include "types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "luo_iter.h"

#define CO_RE	__attribute__((preserve_access_index))

/* The fields of the kernel's structures that are read, whatever else is there. */
struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 seq_num;
} CO_RE;

/* Both fixed before the programs are loaded; bpftool iter pin takes them so. */
const volatile _Bool binary;	/* records for luotrace instead of text */
const volatile __u32 only_dir = ~0U;

/* Bytes for a word: a table of pointers could not be loaded. */
#define WORD	16

/* Nothing of a name may look like another field, or begin another line. */
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
