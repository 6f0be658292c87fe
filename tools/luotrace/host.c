// SPDX-License-Identifier: GPL-2.0

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "host.h"

#define MACHINE_ID	"/etc/machine-id"

char *host_name(char *name)
{
	struct utsname names;

	if (uname(&names) || !*names.nodename || !strcmp(names.nodename, "(none)"))
		return NULL;
	snprintf(name, HOST_NAME_LEN, "%s", names.nodename);
	return name;
}

/* It is "uninitialized" before the first boot. */
char *host_id(char *id)
{
	FILE *f = fopen(MACHINE_ID, "re");
	size_t n = 0;

	if (!f)
		return NULL;
	n = fread(id, 1, HOST_ID_LEN - 1, f);
	fclose(f);
	id[n] = '\0';
	return n == HOST_ID_LEN - 1 && strspn(id, "0123456789abcdef") == n ? id : NULL;
}
