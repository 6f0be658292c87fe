// SPDX-License-Identifier: GPL-2.0

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "msg.h"
#include "recording.h"

#define FLUSH_SECONDS	1	/* after this what was written is on the disk */
#define TMP_SUFFIX		".new"

struct recording {
	char *path;	/* the file to replace, symbolic links resolved */
	char *tmp;	/* the temporary file, NULL once it has replaced the other */
	int fd;
	bool failed;	/* after a message */

	/* A flush can take seconds, and events must be read meanwhile. */
	pthread_t flusher;
	bool flushing;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool asked;
	bool stop;
	atomic_bool dirty;
	atomic_int error;
};

static bool fail(struct recording *r, const char *path, int err)
{
	if (!r->failed)
		msg_error("cannot write '%s': %s", path, strerror(err));
	r->failed = true;
	return false;
}

/* A pipe or a terminal cannot be flushed. */
static int flush(int fd)
{
	return fdatasync(fd) && errno != EINVAL && errno != EROFS ? errno : 0;
}

static void *flusher(void *data)
{
	struct recording *r = data;
	struct timespec until;
	bool stop;
	int err;

	do {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += FLUSH_SECONDS;
		pthread_mutex_lock(&r->lock);
		while (!r->asked && !r->stop &&
		       pthread_cond_clockwait(&r->wake, &r->lock,
					      CLOCK_MONOTONIC, &until) != ETIMEDOUT)
			;
		r->asked = false;
		stop = r->stop;
		pthread_mutex_unlock(&r->lock);
		if (atomic_exchange(&r->dirty, false)) {
			err = flush(r->fd);
			if (err)
				atomic_store(&r->error, err);
		}
	} while (!stop);
	return NULL;
}

/* Signals are for the thread that reads events. */
static bool start_flusher(struct recording *r)
{
	sigset_t all, old;
	int err;

	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->wake, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&r->flusher, NULL, flusher, r);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		msg_error("cannot start a thread: %s", strerror(err));
	r->flushing = !err;
	return !err;
}

static void stop_flusher(struct recording *r)
{
	if (!r->flushing)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->flusher, NULL);
	r->flushing = false;
}

/* Whether another process has locked it; unknown on a file system without locks. */
static bool locked(int fd, int how)
{
	return flock(fd, how | LOCK_NB) && errno == EWOULDBLOCK;
}

static bool report_busy(struct recording *r)
{
	msg_error("another luotrace record writes to '%s'; stop it, or give each a file of its own",
		  r->path);
	r->failed = true;
	return false;
}

static bool same_file(int fd, const char *path)
{
	struct stat a, b;

	return !fstat(fd, &a) && !stat(path, &b) && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/*
 * Whether the temporary file is a recorder's own. Another user of the directory can have made
 * one of that name, or a link to a file that is not to be overwritten.
 */
static bool own_file(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_nlink <= 1 &&
	       st.st_uid == geteuid();
}

static bool report_foreign(struct recording *r)
{
	msg_error("cannot write '%s': '%s' exists and is not a file of this user alone; remove it",
		  r->path, r->tmp);
	r->failed = true;
	return false;
}

/*
 * Open and lock the temporary file. Its previous owner can have renamed or removed it since
 * it was opened.
 */
static bool open_tmp(struct recording *r)
{
	for (;;) {
		r->fd = open(r->tmp, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
			     0666);
		if (r->fd < 0)
			return fail(r, r->tmp, errno);
		if (!own_file(r->fd))
			return report_foreign(r);
		if (locked(r->fd, LOCK_EX))
			return report_busy(r);
		if (same_file(r->fd, r->tmp))
			return true;
		close(r->fd);
	}
}

/* A recording in progress holds the lock of the file that it has replaced. */
static bool check_replaced(struct recording *r)
{
	int fd = open(r->path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool taken;
	int err;

	if (fd < 0)
		return errno == ENOENT || fail(r, r->path, errno);
	taken = locked(fd, LOCK_SH);
	/* The new file has the mode of the old one. */
	err = taken || (!fstat(fd, &st) && !fchmod(r->fd, st.st_mode & 07777)) ?
	      0 : errno;
	close(fd);
	if (taken)
		return report_busy(r);
	return !err || fail(r, r->tmp, err);
}

static bool open_regular(struct recording *r)
{
	char *tmp;
	bool ok;

	if (asprintf(&tmp, "%s" TMP_SUFFIX, r->path) < 0)
		return fail(r, r->path, ENOMEM);
	r->tmp = tmp;
	ok = open_tmp(r);
	/* The file of another process must not be removed. */
	if (!ok) {
		free(r->tmp);
		r->tmp = NULL;
		return false;
	}
	/* A killed luotrace record can have left one. */
	return check_replaced(r) && (!ftruncate(r->fd, 0) || fail(r, r->tmp, errno));
}

static bool open_any(struct recording *r, const char *path)
{
	struct stat st;
	bool there = !stat(path, &st);

	if (there && !S_ISREG(st.st_mode)) {
		r->path = strdup(path);
		r->fd = open(path, O_WRONLY | O_CLOEXEC);
		return r->path && (r->fd >= 0 || fail(r, path, errno));
	}
	if (!there && !lstat(path, &st) && S_ISLNK(st.st_mode)) {
		msg_error("cannot write '%s': it is a dangling symbolic link",
			  path);
		return false;
	}
	r->path = there ? realpath(path, NULL) : strdup(path);
	if (!r->path)
		return fail(r, path, errno);
	return open_regular(r);
}

struct recording *recording_new(const char *path)
{
	struct recording *r = calloc(1, sizeof(*r));

	if (!r) {
		msg_error("out of memory");
		return NULL;
	}
	r->fd = -1;
	if (open_any(r, path) && start_flusher(r))
		return r;
	r->failed = true;
	recording_close(r);
	return NULL;
}

static int write_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, text, len);
		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0) {
			text += n;
			len -= n;
		}
	}
	return 0;
}

bool recording_line(struct recording *r, json_t *line)
{
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
	int err = ENOMEM;
	size_t len;

	json_decref(line);
	if (text) {
		/* One write for a line, so that a kill does not leave half of it. */
		len = strlen(text);
		text[len] = '\n';
		err = write_all(r->fd, text, len + 1);
		atomic_store(&r->dirty, true);
	}
	free(text);
	if (!err)
		err = atomic_load(&r->error);
	return err ? fail(r, r->path, err) : !r->failed;
}

/* The new name is on the disk only after its directory. */
static int flush_directory(const char *path)
{
	char *copy = strdup(path);
	int fd, err = 0;

	if (!copy)
		return ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || (fsync(fd) && errno != EINVAL && errno != EROFS))
		err = errno;
	if (fd >= 0)
		close(fd);
	free(copy);
	return err;
}

bool recording_publish(struct recording *r)
{
	int err;

	if (r->failed || !r->tmp)
		return !r->failed;
	err = flush(r->fd);
	if (!err && rename(r->tmp, r->path))
		err = errno;
	if (err)
		return fail(r, r->path, err);
	free(r->tmp);
	r->tmp = NULL;
	err = flush_directory(r->path);
	return !err || fail(r, r->path, err);
}

void recording_sync(struct recording *r)
{
	pthread_mutex_lock(&r->lock);
	r->asked = true;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
}

bool recording_close(struct recording *r)
{
	bool ok;
	int err;

	if (!r)
		return true;
	stop_flusher(r);
	err = atomic_load(&r->error);
	if (r->tmp)
		unlink(r->tmp);
	if (r->fd >= 0 && close(r->fd) && !err)
		err = errno;
	if (err)
		fail(r, r->path, err);
	ok = !r->failed;
	free(r->tmp);
	free(r->path);
	free(r);
	return ok;
}
