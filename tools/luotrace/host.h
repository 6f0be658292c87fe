/* SPDX-License-Identifier: GPL-2.0 */

/* What this machine is called. For the commands record and report. */

#ifndef HOST_H
#define HOST_H

#define HOST_NAME_LEN	65	/* bytes of a name, as of uname(2) */
#define HOST_ID_LEN	33	/* of an id: 32 hexadecimal digits */

/** host_name - the name of this machine, in HOST_NAME_LEN bytes; NULL if it has none */
char *host_name(char *name);

/** host_id - its id of machine-id(5), in HOST_ID_LEN bytes; NULL if it has none */
char *host_id(char *id);

#endif
