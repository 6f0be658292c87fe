/* SPDX-License-Identifier: GPL-2.0 */

/* A file that is replaced in one step: nobody ever reads a half of it. */

#ifndef TEXTFILE_H
#define TEXTFILE_H

#include <stdbool.h>
#include <stdio.h>

/**
 * textfile_replace - write a file anew, and replace it in one step
 * @path:  the file, which need not be there; of a symbolic link its target is
 *	   replaced. What is there and is no regular file stays as it is.
 * @write: writes what shall be in it
 * @data:  for @write
 *
 * What is written first is in a file of the same directory, @path and ".new". One
 * that a killed program left is used by the next.
 *
 * Return: false after a message.
 */
bool textfile_replace(const char *path, void (*write)(FILE *f, const void *data),
		      const void *data);

#endif
