// SPDX-License-Identifier: GPL-2.0

/* What the agent makes of the events of a VMM. Prints TAP. */

#include "../agent/qmp.c"
#include "../agent/scm.c"
#include "tap.h"

#include <stdlib.h>

#define SAID	"luo_keeper: the guest of process 4711 was reset at 1700000000.000042: "

/* What is said on standard error of messages from the VMM. */
static char *said(const char *messages, char *text, size_t size)
{
	struct qmp q = { .pid = 4711, .migrated = QMP_ACTIVE };
	int pair[2], old = dup(STDERR_FILENO);
	FILE *f = tmpfile();
	size_t n;

	if (!f || old < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) ||
	    write(pair[1], messages, strlen(messages)) != (ssize_t)strlen(messages))
		abort();
	q.sock = pair[0];
	dup2(fileno(f), STDERR_FILENO);
	qmp_drain(&q);
	fflush(stderr);
	dup2(old, STDERR_FILENO);
	rewind(f);
	n = fread(text, 1, size - 1, f);
	text[n] = '\0';
	fclose(f);
	close(old);
	close(pair[0]);
	close(pair[1]);
	check(q.migrated == (strstr(messages, "completed") ? QMP_COMPLETED : QMP_ACTIVE),
	      "a migration is noted if it ends");
	return text;
}

int main(void)
{
	char text[1024];

	puts("TAP version 13");
	check_string(said("{\"event\": \"RESET\", \"timestamp\": {\"seconds\": 1700000000, "
			  "\"microseconds\": 42}, \"data\": {\"guest\": true, "
			  "\"reason\": \"guest-reset\"}}\r\n", text, sizeof(text)),
		     SAID "guest-reset\n", "a reset that nobody asked for is told");
	check_string(said("{\"event\": \"RESET\", \"timestamp\": {\"seconds\": 1700000000, "
			  "\"microseconds\": 42}}\r\n", text, sizeof(text)),
		     SAID "QEMU does not say why\n", "also without a reason");
	check_string(said("{\"event\": \"STOP\"}\r\n{\"event\": \"MIGRATION\", "
			  "\"data\": {\"status\": \"completed\"}}\r\n", text, sizeof(text)),
		     "", "no other event is");
	return end_tests();
}
