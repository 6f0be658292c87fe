// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "msg.h"
#include "textfile.h"

#define SUFFIX	".new"	/* the collector reads *.prom, which this is not */

/* The temporary file that is being written, "" for none. */
static char unfinished[PATH_MAX + sizeof(SUFFIX)];

void textfile_abandon(void)
{
	if (*unfinished)
		unlink(unfinished);
}

/* The file to replace, NULL after a message. */
static char *target_of(const char *path)
{
	struct stat st;

	if (!stat(path, &st)) {
		if (S_ISREG(st.st_mode))
			return realpath(path, NULL);
		msg_error("'%s' is not a regular file and is not replaced; without --textfile the metrics go to standard output",
			  path);
		errno = 0;
		return NULL;
	}
	if (errno == ENOENT && !lstat(path, &st)) {
		msg_error("'%s' is a dangling symbolic link; create its target, or remove it",
			  path);
		errno = 0;
		return NULL;
	}
	return errno == ENOENT ? strdup(path) : NULL;
}

/*
 * Open and lock the temporary file. Another process can have renamed it meanwhile: then open
 * a new one.
 */
static int open_tmp(const char *path)
{
	struct stat mine, there;
	int fd;

	for (;;) {
		fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
			  0600);
		if (fd < 0)
			return -1;
		if (flock(fd, LOCK_EX) || fstat(fd, &mine))
			break;
		if (!S_ISREG(mine.st_mode) || mine.st_nlink > 1 ||
		    mine.st_uid != geteuid()) {
			errno = EEXIST;
			break;
		}
		if (!lstat(path, &there) && there.st_ino == mine.st_ino &&
		    there.st_dev == mine.st_dev) {
			if (ftruncate(fd, 0))
				break;
			return fd;
		}
		close(fd);
	}
	close(fd);
	return -1;
}

int textfile_error(FILE *f)
{
	clearerr(f);
	errno = 0;
	if (fputc('\n', f) != EOF && !fflush(f))
		return EIO;
	return errno ? errno : EIO;
}

/* Write all of it; false with errno set. */
static bool write_all(FILE *f, bool (*write)(const void *data, FILE *f), const void *data)
{
	bool complete = write(data, f);

	if (fflush(f) || ferror(f)) {
		errno = textfile_error(f);
		return false;
	}
	if (!complete)
		errno = ENOMEM;
	return complete;
}

static bool write_tmp(const char *tmp, const char *target, mode_t mode,
		      bool (*write)(const void *data, FILE *f), const void *data)
{
	int fd = open_tmp(tmp), err;
	FILE *f;

	if (fd < 0)
		return false;
	strcpy(unfinished, tmp);
	f = fdopen(fd, "w");
	if (f) {
		/* The lock goes with the file, so that comes last. */
		if (write_all(f, write, data) && !fchmod(fd, mode) && !fsync(fd) &&
		    !rename(tmp, target)) {
			*unfinished = '\0';
			fclose(f);
			return true;
		}
	}
	err = errno;
	unlink(tmp);
	*unfinished = '\0';
	if (f)
		fclose(f);
	else
		close(fd);
	errno = err;
	return false;
}

/* The mode of the file; that of an output is as open() would leave it. */
static mode_t mode_of(const char *target, enum textfile_use use)
{
	struct stat st;
	mode_t mask;

	if (use != TEXTFILE_OUTPUT)
		return use == TEXTFILE_OWN ? 0600 : 0644;
	if (!stat(target, &st))
		return st.st_mode & 0777;
	mask = umask(0);
	umask(mask);
	return 0666 & ~mask;
}

bool textfile_replace(const char *path, enum textfile_use use,
		      bool (*write)(const void *data, FILE *f), const void *data)
{
	char *target = use == TEXTFILE_OWN ? strdup(path) : target_of(path);
	char tmp[PATH_MAX + sizeof(SUFFIX)];
	bool ok = false;

	if (target) {
		snprintf(tmp, sizeof(tmp), "%s" SUFFIX, target);
		ok = write_tmp(tmp, target, mode_of(target, use), write, data);
	}
	if (!ok && errno == EEXIST)
		msg_error("cannot write '%s': '%s' exists and belongs to another user; remove it",
			  path, tmp);
	else if (!ok && errno)
		msg_error("cannot write '%s': %s", path, strerror(errno));
	free(target);
	return ok;
}
