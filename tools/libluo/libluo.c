// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <fcntl.h>
#include <linux/liveupdate.h>
#include <string.h>
#include <sys/ioctl.h>

#include "libluo.h"
#include "luotrace_mark.h"

static int luo_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) ? -errno : 0;
}

/*
 * The errno of an ioctl that not every LUO has, and that gives EINVAL for nothing else: the
 * base's LUO says EINVAL where its header promises ENOTTY.
 */
static int luo_if_known(int err)
{
	return err == -ENOTTY || err == -EINVAL ? -EOPNOTSUPP : err;
}

/* The kernel cannot tell a name that is too long from one that is not terminated. */
static int luo_set_name(__u8 *to, const char *name)
{
	size_t len = strlen(name);

	if (!len)
		return -EINVAL;
	if (len >= LIVEUPDATE_SESSION_NAME_LENGTH)
		return -ENAMETOOLONG;
	memcpy(to, name, len + 1);
	return 0;
}

int luo_open(void)
{
	int fd = open("/dev/liveupdate", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int luo_session_create(int dev, const char *name)
{
	struct liveupdate_ioctl_create_session arg = { .size = sizeof(arg) };
	int err = luo_set_name(arg.name, name);

	if (!err)
		err = luo_ioctl(dev, LIVEUPDATE_IOCTL_CREATE_SESSION, &arg);
	return err ? err : arg.fd;
}

int luo_session_retrieve(int dev, const char *name)
{
	struct liveupdate_ioctl_retrieve_session arg = { .size = sizeof(arg) };
	int err = luo_set_name(arg.name, name);

	if (!err)
		err = luo_ioctl(dev, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &arg);
	return err ? err : arg.fd;
}

int luo_get_state(int dev, enum luo_state *state)
{
	struct liveupdate_ioctl_get_state arg = { .size = sizeof(arg) };
	int err = luo_ioctl(dev, LIVEUPDATE_IOCTL_GET_STATE, &arg);

	if (!err)
		*state = (enum luo_state)arg.state;
	return luo_if_known(err);
}

/*
 * The same of one that can give EINVAL, for the event or from a handler. Where there are
 * states, an ioctl that is missing gives ENOTTY.
 */
static int luo_if_known_on_device(int dev, int err)
{
	enum luo_state state;

	if (err == -EINVAL && luo_get_state(dev, &state) != -EOPNOTSUPP)
		return err;
	return luo_if_known(err);
}

int luo_set_event(int dev, enum luo_event event)
{
	struct liveupdate_ioctl_set_event arg = {
		.size = sizeof(arg),
		.event = event,
	};

	return luo_if_known_on_device(dev, luo_ioctl(dev, LIVEUPDATE_IOCTL_SET_EVENT, &arg));
}

int luo_fd_preserve(int dev, int fd, uint64_t token)
{
	struct liveupdate_ioctl_fd_preserve arg = {
		.size = sizeof(arg),
		.fd = fd,
		.token = token,
	};

	return luo_if_known_on_device(dev, luo_ioctl(dev, LIVEUPDATE_IOCTL_FD_PRESERVE, &arg));
}

int luo_fd_unpreserve(int dev, uint64_t token)
{
	struct liveupdate_ioctl_fd_unpreserve arg = {
		.size = sizeof(arg),
		.token = token,
	};

	return luo_if_known(luo_ioctl(dev, LIVEUPDATE_IOCTL_FD_UNPRESERVE, &arg));
}

int luo_fd_restore(int dev, uint64_t token)
{
	struct liveupdate_ioctl_fd_restore arg = {
		.size = sizeof(arg),
		.token = token,
	};
	int err = luo_ioctl(dev, LIVEUPDATE_IOCTL_FD_RESTORE, &arg);

	return err ? luo_if_known_on_device(dev, err) : arg.fd;
}

int luo_fd_get_state(int dev, int incoming, uint64_t token, enum luo_state *state)
{
	struct liveupdate_ioctl_fd_get_state arg = {
		.size = sizeof(arg),
		.token = token,
		.incoming = !!incoming,
	};
	int err = luo_ioctl(dev, LIVEUPDATE_IOCTL_FD_GET_STATE, &arg);

	if (!err)
		*state = (enum luo_state)arg.state;
	return luo_if_known(err);
}

int luo_fd_set_event(int dev, uint64_t token, enum luo_event event)
{
	struct liveupdate_ioctl_fd_set_event arg = {
		.size = sizeof(arg),
		.event = event,
		.token = token,
	};

	return luo_if_known_on_device(dev, luo_ioctl(dev, LIVEUPDATE_IOCTL_FD_SET_EVENT, &arg));
}

int luo_session_preserve_fd(int session, int fd, uint64_t token)
{
	struct liveupdate_session_preserve_fd arg = {
		.size = sizeof(arg),
		.fd = fd,
		.token = token,
	};

	return luo_ioctl(session, LIVEUPDATE_SESSION_PRESERVE_FD, &arg);
}

int luo_session_unpreserve_fd(int session, uint64_t token)
{
	struct liveupdate_session_unpreserve_fd arg = {
		.size = sizeof(arg),
		.token = token,
	};

	return luo_if_known(luo_ioctl(session, LIVEUPDATE_SESSION_UNPRESERVE_FD, &arg));
}

int luo_session_retrieve_fd(int session, uint64_t token)
{
	struct liveupdate_session_retrieve_fd arg = {
		.size = sizeof(arg),
		.token = token,
	};
	int err = luo_ioctl(session, LIVEUPDATE_SESSION_RETRIEVE_FD, &arg);

	return err ? err : arg.fd;
}

int luo_session_finish(int session)
{
	struct liveupdate_session_finish arg = { .size = sizeof(arg) };

	return luo_ioctl(session, LIVEUPDATE_SESSION_FINISH, &arg);
}

int luo_session_get_name(int session, char name[LUO_NAME_SIZE])
{
	struct liveupdate_session_get_name arg = { .size = sizeof(arg) };
	int err = luo_ioctl(session, LIVEUPDATE_SESSION_GET_NAME, &arg);

	if (!err)
		memcpy(name, arg.name, LUO_NAME_SIZE);
	return luo_if_known(err);
}

int luo_session_get_state(int session, enum luo_state *state)
{
	struct liveupdate_session_get_state arg = { .size = sizeof(arg) };
	int err = luo_ioctl(session, LIVEUPDATE_SESSION_GET_STATE, &arg);

	if (!err)
		*state = (enum luo_state)arg.state;
	return luo_if_known(err);
}

/* As luo_if_known_on_device(), of a session. */
static int luo_if_known_on_session(int session, int err)
{
	enum luo_state state;

	if (err == -EINVAL && luo_session_get_state(session, &state) != -EOPNOTSUPP)
		return err;
	return luo_if_known(err);
}

int luo_session_set_event(int session, enum luo_event event)
{
	struct liveupdate_session_set_event arg = {
		.size = sizeof(arg),
		.event = event,
	};
	int err = luo_ioctl(session, LIVEUPDATE_SESSION_SET_EVENT, &arg);

	return luo_if_known_on_session(session, err);
}

int luo_session_fd_get_state(int session, uint64_t token, enum luo_state *state)
{
	struct liveupdate_session_fd_get_state arg = {
		.size = sizeof(arg),
		.token = token,
	};
	int err = luo_ioctl(session, LIVEUPDATE_SESSION_FD_GET_STATE, &arg);

	if (!err)
		*state = (enum luo_state)arg.state;
	return luo_if_known(err);
}

int luo_session_fd_set_event(int session, uint64_t token, enum luo_event event)
{
	struct liveupdate_session_fd_set_event arg = {
		.size = sizeof(arg),
		.event = event,
		.token = token,
	};
	int err = luo_ioctl(session, LIVEUPDATE_SESSION_FD_SET_EVENT, &arg);

	return luo_if_known_on_session(session, err);
}

int luo_mark(const char *name, int paused)
{
	return luotrace_mark(name, paused);
}
