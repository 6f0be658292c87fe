// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto.h"
#include "scm.h"

static int agent_socket(struct sockaddr_un *at, int flags)
{
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0);

	memset(at, 0, sizeof(*at));
	at->sun_family = AF_UNIX;
	strcpy(at->sun_path, AGENT_SOCKET);
	return sock < 0 ? -errno : sock;
}

int agent_listen(void)
{
	struct sockaddr_un at;
	int sock, err;

	if (mkdir(AGENT_DIR, 0700) && errno != EEXIST)
		return -errno;
	sock = agent_socket(&at, SOCK_NONBLOCK);
	if (sock < 0)
		return sock;
	/* That of an agent that was killed; there is only one, as it has the device. */
	unlink(AGENT_SOCKET);
	if (!bind(sock, (struct sockaddr *)&at, sizeof(at)) && !listen(sock, SOMAXCONN))
		return sock;
	err = -errno;
	close(sock);
	return err;
}

int agent_connect(void)
{
	struct sockaddr_un at;
	int sock = agent_socket(&at, 0), err;

	if (sock < 0 || !connect(sock, (struct sockaddr *)&at, sizeof(at)))
		return sock;
	err = -errno;
	close(sock);
	return err;
}

int agent_send(int sock, const struct agent_msg *msg, int fd)
{
	ssize_t n = scm_send(sock, msg, sizeof(*msg), fd, 0);

	return n < 0 ? n : 0;
}

int agent_receive(int sock, struct agent_msg *msg, int *fd)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec part = { msg, sizeof(*msg) };
	struct msghdr head = {
		.msg_iov = &part, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control.space),
	};
	struct cmsghdr *c;
	ssize_t n;

	*fd = -1;
	/* ECONNRESET comes once, and before what the other side has still sent. */
	do {
		n = recvmsg(sock, &head, MSG_CMSG_CLOEXEC);
	} while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n < 0)
		return -errno;
	c = CMSG_FIRSTHDR(&head);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(c), sizeof(*fd));
	if (n == sizeof(*msg)) {
		msg->name[AGENT_NAME - 1] = '\0';
		msg->text[AGENT_TEXT - 1] = '\0';
		return 0;
	}
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return n ? -EPROTO : -ECONNRESET;
}
