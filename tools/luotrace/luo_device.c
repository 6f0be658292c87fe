// SPDX-License-Identifier: GPL-2.0

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/liveupdate.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fmt.h"
#include "luo_device.h"
#include "msg.h"

#define DEVICE		"/dev/liveupdate"

int luo_open_device(void)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Whether a process has the device open. */
static bool holds_device(const char *pid)
{
	char path[300], target[64];
	struct dirent *d;
	bool found = false;
	ssize_t n;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	while (dir && !found && (d = readdir(dir))) {
		n = readlinkat(dirfd(dir), d->d_name, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		found = !strcmp(target, DEVICE);
	}
	if (dir)
		closedir(dir);
	return found;
}

static void report_holder(void)
{
	char path[300], comm[64] = "", spelled[4 * sizeof(comm)];
	DIR *dir = opendir("/proc");
	struct dirent *d;
	FILE *f;

	while (dir && (d = readdir(dir))) {
		if (d->d_name[0] < '1' || d->d_name[0] > '9' || !holds_device(d->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", d->d_name);
		f = fopen(path, "re");
		if (f && fgets(comm, sizeof(comm), f))
			comm[strcspn(comm, "\n")] = '\0';
		if (f)
			fclose(f);
		msg_error(DEVICE " is held by process %s (%s); it has to close the device, or has to be stopped first",
			  d->d_name, fmt_name(spelled, sizeof(spelled), comm));
		closedir(dir);
		return;
	}
	if (dir)
		closedir(dir);
	msg_error(DEVICE " is held by a process that is not visible here, in another container for instance");
}

void luo_report_device(int err, const char *why_off)
{
	if (err == -EBUSY)
		report_holder();
	else if (*why_off)
		msg_error("%s", why_off);
	else
		msg_error("cannot open '" DEVICE "': %s%s", strerror(-err),
			  err == -EPERM || err == -EACCES ? "; run luotrace as root" : "");
}

bool luo_device_held(void)
{
	return holds_device("self");
}

static void set_name(__u8 *to, const char *name)
{
	snprintf((char *)to, LIVEUPDATE_SESSION_NAME_LENGTH, "%s", name);
}

int luo_create_session(int dev, const char *name)
{
	struct liveupdate_ioctl_create_session arg = { .size = sizeof(arg) };

	set_name(arg.name, name);
	return ioctl(dev, LIVEUPDATE_IOCTL_CREATE_SESSION, &arg) ? -errno : arg.fd;
}

int luo_claim_session(int dev, const char *name)
{
	struct liveupdate_ioctl_retrieve_session arg = { .size = sizeof(arg) };

	set_name(arg.name, name);
	return ioctl(dev, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &arg) ? -errno : arg.fd;
}

int luo_preserve_file(int session, int fd, uint64_t token)
{
	struct liveupdate_session_preserve_fd arg = {
		.size = sizeof(arg),
		.fd = fd,
		.token = token,
	};

	return ioctl(session, LIVEUPDATE_SESSION_PRESERVE_FD, &arg) ? -errno : 0;
}

int luo_retrieve_file(int session, uint64_t token)
{
	struct liveupdate_session_retrieve_fd arg = {
		.size = sizeof(arg),
		.token = token,
	};

	return ioctl(session, LIVEUPDATE_SESSION_RETRIEVE_FD, &arg) ? -errno : arg.fd;
}

int luo_finish_session(int session)
{
	struct liveupdate_session_finish arg = { .size = sizeof(arg) };

	return ioctl(session, LIVEUPDATE_SESSION_FINISH, &arg) ? -errno : 0;
}
