// SPDX-License-Identifier: GPL-2.0

/*
 * A service that keeps memfds in systemd's store of file descriptors, and the tests of
 * what luotrace says about the live update that systemd made.
 *
 *	systemd_test serve	the service; checks what it finds in the store and
 *				writes the result to INTACT
 *	systemd_test		the tests
 */

#include "luo_test.h"

#include <jansson.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "luo_json.h"

#define NR_MEMFDS	8
#define FIRST_FD	3
#define INTACT		"/run/intact"

static size_t size_of(int nr)
{
	return (nr + 1) * 300000 + nr;
}

static void notify(const char *text, int fd)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {};
	struct iovec iov = { (void *)text, strlen(text) };
	struct msghdr msg = {
		.msg_name = &to, .msg_iov = &iov, .msg_iovlen = 1,
	};
	const char *path = getenv("NOTIFY_SOCKET");
	struct cmsghdr *head;
	int sock;

	must(path && strlen(path) < sizeof(to.sun_path), "NOTIFY_SOCKET");
	strcpy(to.sun_path, path);
	msg.msg_namelen = offsetof(struct sockaddr_un, sun_path) + strlen(path);
	if (*path == '@')
		to.sun_path[0] = '\0';
	if (fd >= 0) {
		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		head = CMSG_FIRSTHDR(&msg);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(head), &fd, sizeof(int));
	}
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	must(sock >= 0, "socket");
	must(sendmsg(sock, &msg, 0) >= 0, "sendmsg");
	close(sock);
}

static void store(int nr)
{
	int fd = memfd(size_of(nr), nr);
	char text[64];

	must(fd >= 0, "memfd");
	snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=guest-%d", nr);
	notify(text, fd);
	close(fd);
}

/* One letter for each memfd: y, n, or - if it is missing. */
static void verify(int nr_fds)
{
	char letters[NR_MEMFDS + 1], *names = getenv("LISTEN_FDNAMES");
	char *name = names ? strtok(names, ":") : NULL;
	FILE *f;
	int i, nr;

	memset(letters, '-', NR_MEMFDS);
	letters[NR_MEMFDS] = '\0';
	for (i = 0; i < nr_fds && name; i++, name = strtok(NULL, ":")) {
		if (sscanf(name, "guest-%d", &nr) == 1 && nr >= 0 && nr < NR_MEMFDS)
			letters[nr] = memfd_intact(FIRST_FD + i, size_of(nr), nr) ?
				      'y' : 'n';
	}
	f = fopen(INTACT, "w");
	must(f && fprintf(f, "%s\n", letters) > 0 && !fclose(f), INTACT);
}

static int serve(void)
{
	const char *fds = getenv("LISTEN_FDS");
	int i;

	if (fds)
		verify(atoi(fds));
	else
		for (i = 0; i < NR_MEMFDS; i++)
			store(i);
	notify("READY=1", -1);
	return pause();
}

static json_t *load(const char *path)
{
	json_error_t error;
	json_t *json = json_load_file(path, 0, &error);

	if (!json)
		fprintf(stderr, "# %s:%d: %s\n", path, error.line, error.text);
	return json;
}

TEST(each_memfd_is_intact)
{
	char letters[64] = "";
	FILE *f = fopen(INTACT, "r");

	ASSERT_NE(NULL, f);
	ASSERT_NE(NULL, fgets(letters, sizeof(letters), f));
	EXPECT_STREQ("yyyyyyyy\n", letters);
	fclose(f);
}

/* A phase that begins and ends in one kernel is measured with its clock. */
TEST(timeline_knows_every_phase_but_the_kexec)
{
	json_t *json = load("/tmp/timeline.json"), *phase, *ns;
	const char *name;
	size_t i, known = 0;
	bool across;

	ASSERT_NE(NULL, json);
	json_array_foreach(json_object_get(json, "phases"), i, phase) {
		name = json_string_value(json_object_get(phase, "phase"));
		ASSERT_NE(NULL, name);
		ns = json_object_get(phase, "duration_ns");
		ASSERT_NE(NULL, ns);
		across = strstr(name, "jump") || strstr(name, "kexec");
		if (json_is_null(ns) && !across)
			TH_LOG("%s is unknown", name);
		EXPECT_TRUE(json_is_integer(ns) || across);
		known += json_is_integer(ns);
	}
	EXPECT_LE(5, known);
}

/* Of what is known: the kexec is not. */
TEST(nearly_all_of_the_blackout_has_a_name)
{
	json_t *json = load("/tmp/timeline.json");

	TH_LOG("%.1f %% has a name", named_percent(json));
	EXPECT_LE(NAMED_MIN, named_percent(json));
}

TEST(timeline_says_finished)
{
	json_t *json = load("/tmp/timeline.json");

	ASSERT_NE(NULL, json);
	EXPECT_TRUE(json_is_true(json_object_get(json, "finished")));
}

TEST(audit_is_clean)
{
	json_t *json = load("/tmp/audit.json");

	ASSERT_NE(NULL, json);
	EXPECT_EQ(0, json_array_size(json_object_get(json, "findings")));
	EXPECT_TRUE(json_is_array(json_object_get(json, "findings")));
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "serve"))
		return serve();
	return run_cases(argc, argv, NULL);
}
