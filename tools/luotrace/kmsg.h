/* SPDX-License-Identifier: GPL-2.0 */

/* Records of the kernel log, as /dev/kmsg gives them. */

#ifndef KMSG_H
#define KMSG_H

#include <stdbool.h>
#include <stdint.h>

#define KMSG_PATH	"/dev/kmsg"
#define KMSG_RECORD	16384	/* bytes, more than the kernel writes for one record */

/**
 * struct kmsg - a record
 * @seq:    its number since the start of the kernel, from 0 on
 * @us:     its time by the clock of the log, us
 * @kernel: whether it is of the kernel: user space cannot write records of facility 0
 * @text:   its text, with \xNN for each byte that is not printable ASCII; inside of @buf
 * @buf:    the record as it was read
 */
struct kmsg {
	uint64_t seq;
	uint64_t us;
	bool kernel;
	char *text;
	char buf[KMSG_RECORD];
};

/** kmsg_open - open the log for kmsg_read(); -1 with errno */
int kmsg_open(void);

/**
 * kmsg_read - read the next record
 * @fd: from kmsg_open(), or a socket of packets
 * @k:  filled
 *
 * What is malformed is skipped. Records that were overwritten before they were read are
 * missing, which shows in @seq.
 *
 * Return: false at the end.
 */
bool kmsg_read(int fd, struct kmsg *k);

/** kmsg_is_init - whether it is the kernel's last line before it starts user space */
bool kmsg_is_init(const struct kmsg *k);

#endif
