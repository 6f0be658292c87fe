// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "msg.h"

static const struct cmd commands[] = {
	{ "check",    "what this kernel offers, and which commands will work",
	  cmd_check },
	{ "trace",    "what is happening, one line an event", cmd_trace },
	{ "latency",  "how long handlers take, and what they preserve",
	  cmd_latency },
	{ "timeline", "where the last blackout went, phase by phase",
	  cmd_timeline },
	{ "audit",    "what the previous kernel left and nobody finished",
	  cmd_audit },
	{ "handover", "what one kernel hands over to the next, and its flaws",
	  cmd_handover },
	{ "metrics",  "the same for a monitor, as OpenMetrics", cmd_metrics },
	{ "record",   "keep a trace in a file", cmd_record },
	{ "report",   "show it: text, a page of HTML, a trace for Perfetto",
	  cmd_report },
};

static void usage(FILE *f)
{
	size_t i;

	fputs("usage: luotrace COMMAND [OPTIONS]\n\n"
	      "Shows what a live update of this machine does.\n\n", f);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(f, "  %-9s %s\n", commands[i].name, commands[i].brief);
	fputs("\n'luotrace COMMAND --help' tells more about one.\n\n"
	      "exit codes: 0 fine, 1 a finding, 2 usage, 3 cannot run here\n",
	      f);
}

/* A report that did not reach its reader is a failure. */
static int finish(int ret)
{
	if (fflush(stdout) || ferror(stdout) || fclose(stdout)) {
		msg_error("cannot write the output: %s", strerror(errno));
		return ret == EXIT_FINE ? EXIT_FINDING : ret;
	}
	return ret;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	size_t i;

	if (!strcmp(name, "-h") || !strcmp(name, "--help")) {
		usage(stdout);
		return finish(EXIT_FINE);
	}
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(commands[i].name, name))
			return finish(commands[i].run(argc - 1, argv + 1));
	}
	if (*name)
		msg_error("unknown command '%s'", name);
	usage(stderr);
	return EXIT_USAGE;
}
