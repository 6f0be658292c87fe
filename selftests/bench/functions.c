// SPDX-License-Identifier: GPL-2.0

/*
 * A plugin of the emulator: how many instructions of each block of code are executed
 * while a program in the VM counts, see count_functions() in selftests/guest/luo_test.h;
 * with begin=ADDRESS,end=ADDRESS: those after the block with the one, up to that with the
 * other. At the end it writes a line for each block: its address and that number.
 *
 * The few declarations are those of <qemu-plugin.h>, which the emulator's packages lack.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT	__attribute__((visibility("default")))
#define MARK	15	/* the longest instruction there can be, which is not used otherwise */

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info_t;

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*fn)(uint64_t id,
						   struct qemu_plugin_tb *tb));
void qemu_plugin_register_atexit_cb(uint64_t id, void (*fn)(uint64_t id, void *data),
				    void *data);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  void (*fn)(unsigned int cpu, void *data),
					  int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*fn)(unsigned int cpu, void *data),
					    int flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

/* The API of before version 9 of the emulator, and one that all later ones take. */
EXPORT int qemu_plugin_version = QEMU_MAJOR < 9 ? 1 : 2;

struct block {
	struct block *next;
	uint64_t addr, insns, executed;
};

static struct block *blocks;
static uint64_t begin, end;
static bool counts;

static void count(unsigned int cpu, void *data)
{
	struct block *b = data;

	(void)cpu;
	if (counts)
		b->executed += b->insns;
}

static void toggle(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	counts = !counts;
}

static void turn(unsigned int cpu, void *data)
{
	(void)cpu;
	counts = data;
}

static void translate(uint64_t id, struct qemu_plugin_tb *tb)
{
	struct block *b = calloc(1, sizeof(*b));
	struct qemu_plugin_insn *insn;
	uint64_t addr;
	size_t i;

	(void)id;
	b->addr = qemu_plugin_tb_vaddr(tb);
	b->insns = qemu_plugin_tb_n_insns(tb);
	b->next = blocks;
	blocks = b;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, count, 0, b);
	for (i = 0; i < b->insns; i++) {
		insn = qemu_plugin_tb_get_insn(tb, i);
		addr = qemu_plugin_insn_vaddr(insn);
		if (end && (addr == begin || addr == end))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, turn, 0,
							       addr == begin ? b : NULL);
		if (!end && qemu_plugin_insn_size(insn) == MARK)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, toggle, 0, NULL);
	}
}

static void finish(uint64_t id, void *path)
{
	FILE *f = fopen(path, "w");
	struct block *b;

	(void)id;
	if (!f)
		return;
	for (b = blocks; b; b = b->next)
		if (b->executed)
			fprintf(f, "%llx %llu\n", (unsigned long long)b->addr,
				(unsigned long long)b->executed);
	fclose(f);
}

EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info_t *info, int argc,
			       char **argv)
{
	char *out = NULL;
	int i;

	(void)info;
	for (i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			out = argv[i] + 4;
		else if (!strncmp(argv[i], "begin=", 6))
			begin = strtoull(argv[i] + 6, NULL, 16);
		else if (!strncmp(argv[i], "end=", 4))
			end = strtoull(argv[i] + 4, NULL, 16);
		else
			return 1;
	}
	if (!out || !begin != !end)
		return 1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	qemu_plugin_register_atexit_cb(id, finish, strdup(out));
	return 0;
}
