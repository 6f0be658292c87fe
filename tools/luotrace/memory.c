// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "msg.h"

/* A range of memory that is completely in the file. */
struct piece {
	uint64_t phys;
	uint64_t size;
	uint64_t offset;
};

struct core {
	struct memory mem;
	int fd;
	struct piece *pieces;
	size_t nr;
};

static bool core_read(struct memory *mem, uint64_t phys, void *to, size_t size)
{
	struct core *core = (struct core *)mem;
	const struct piece *p;

	for (p = core->pieces; p < core->pieces + core->nr; p++) {
		if (phys < p->phys || phys - p->phys >= p->size ||
		    size > p->size - (phys - p->phys))
			continue;
		return pread(core->fd, to, size,
			     p->offset + (phys - p->phys)) == (ssize_t)size;
	}
	return false;
}

/* Only segments with a physical address count. */
static int core_load(struct core *core, Elf *elf)
{
	size_t nr, i;
	GElf_Phdr p;

	if (elf_kind(elf) != ELF_K_ELF || elf_getphdrnum(elf, &nr) || !nr)
		return -ENOEXEC;
	core->pieces = calloc(nr, sizeof(*core->pieces));
	if (!core->pieces)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		if (!gelf_getphdr(elf, i, &p))
			return -ENOEXEC;
		if (p.p_type != PT_LOAD || p.p_paddr == UINT64_MAX)
			continue;
		core->pieces[core->nr++] = (struct piece){
			.phys = p.p_paddr, .size = p.p_filesz,
			.offset = p.p_offset,
		};
	}
	return core->nr ? 0 : -ENOEXEC;
}

struct memory *memory_open(const char *path)
{
	struct core *core = calloc(1, sizeof(*core));
	Elf *elf;
	int err;

	if (!core) {
		msg_error("out of memory");
		return NULL;
	}
	core->mem.read = core_read;
	core->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (core->fd < 0) {
		msg_error("cannot read '%s': %s", path, strerror(errno));
		free(core);
		return NULL;
	}
	elf_version(EV_CURRENT);
	elf = elf_begin(core->fd, ELF_C_READ, NULL);
	err = elf ? core_load(core, elf) : -ENOEXEC;
	elf_end(elf);
	if (err) {
		msg_error("'%s' is not an ELF core with physical addresses, such as a vmcore, a dump by QEMU's dump-guest-memory, or /proc/kcore",
			  path);
		memory_close(&core->mem);
		return NULL;
	}
	return &core->mem;
}

void memory_close(struct memory *mem)
{
	struct core *core = (struct core *)mem;

	if (!core)
		return;
	close(core->fd);
	free(core->pieces);
	free(core);
}
