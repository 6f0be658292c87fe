// SPDX-License-Identifier: GPL-2.0

#include "handover_attr.h"

struct bit {
	uint32_t bit;
	const char *name;
};

bool handover_attr_known(const struct handover_record *r)
{
	return r->proof == HANDOVER_PROVEN &&
	       handover_attributes(r) & LUO_ATTR_KNOWN;
}


static bool walk(const struct bit *bits, unsigned int nr, uint32_t value,
		 unsigned int i, const char **name)
{
	if (i >= nr)
		return false;
	*name = value & bits[i].bit ? bits[i].name : NULL;
	return true;
}

bool handover_attr_seal(const struct handover_record *r, unsigned int i,
			const char **name)
{
	/* F_SEAL_... of fcntl(2), of which older headers lack some */
	static const struct bit seals[] = {
		{ 0x01, "seal" }, { 0x02, "shrink" }, { 0x04, "grow" },
		{ 0x08, "write" }, { 0x10, "future_write" }, { 0x20, "exec" },
	};

	return walk(seals, sizeof(seals) / sizeof(seals[0]), handover_attr_known(r) ?
		    (handover_attributes(r) & LUO_ATTR_SEALS) >> LUO_ATTR_SEALS_SHIFT : 0,
		    i, name);
}

bool handover_attr_access(const struct handover_record *r, unsigned int i,
			  const char **name)
{
	static const struct bit accesses[] = {
		{ LUO_ATTR_READ, "read" }, { LUO_ATTR_WRITE, "write" },
		{ LUO_ATTR_APPEND, "append" },
	};

	return walk(accesses, sizeof(accesses) / sizeof(accesses[0]),
		    handover_attr_known(r) ? handover_attributes(r) : 0, i, name);
}

uint64_t handover_attr_files(const struct handover_record *r)
{
	/* Its count is 1 then, for the base. */
	if (r->proof == HANDOVER_PROVEN && handover_attributes(r) & LUO_ATTR_NO_FILE)
		return 0;
	return r->flb.count;
}
