/* SPDX-License-Identifier: GPL-2.0 */

/* The attributes of a record, for both outputs of the command handover. */

#ifndef HANDOVER_ATTR_H
#define HANDOVER_ATTR_H

#include "handover.h"

/** handover_attr_known - whether the record of a file is proven and has attributes */
bool handover_attr_known(const struct handover_record *r);

/**
 * handover_attr_seal - walk over the seals of a file
 * @r:	  its record
 * @i:	  from 0
 * @name: set to the name of seal @i if the file has it, else to NULL
 *
 * Return: false after the last seal.
 */
bool handover_attr_seal(const struct handover_record *r, unsigned int i,
			const char **name);

/** handover_attr_access - the same for read, write and append */
bool handover_attr_access(const struct handover_record *r, unsigned int i,
			  const char **name);

/** handover_attr_files - number of files that depend on an FLB */
uint64_t handover_attr_files(const struct handover_record *r);

#endif
