// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "msg.h"
#include "notify.h"

/* A name that begins with @ is one of the abstract name space. */
static void notify_send(const char *path, const char *text)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t size = strlen(path);
	char message[256];
	int fd, n;

	if (!size || size >= sizeof(to.sun_path)) {
		msg_error("NOTIFY_SOCKET is no name of a socket");
		return;
	}
	memcpy(to.sun_path, path, size);
	if (*path == '@')
		to.sun_path[0] = '\0';
	n = snprintf(message, sizeof(message), "READY=1\nSTATUS=%s\n", text);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sendto(fd, message, n, MSG_NOSIGNAL, (struct sockaddr *)&to,
			     offsetof(struct sockaddr_un, sun_path) + size) < 0)
		msg_error("cannot tell the service manager: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

void notify_ready(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");

	msg_note("%s", text);
	if (path)
		notify_send(path, text);
}
