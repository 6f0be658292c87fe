// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "box_lock.h"

int box_lock(void)
{
	int fd, err;

	if (mkdir(BOX_LOCK_DIR, 0755) && errno != EEXIST)
		return -errno;
	fd = open(BOX_LOCK_DIR "/lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	err = -errno;
	close(fd);
	return err;
}
