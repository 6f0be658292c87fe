// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "json.h"
#include "msg.h"
#include "textfile.h"
#include "trace_file.h"
#include "version.h"

static const struct cmd commands[] = {
	{ "check",    "what this kernel offers, and which commands will work",
	  cmd_check },
	{ "trace",    "what is happening, one line an event", cmd_trace },
	{ "latency",  "how long handlers take, and how much they preserve",
	  cmd_latency },
	{ "top",      "which calls are in flight, and what they wait for", cmd_top },
	{ "timeline", "where the last blackout went, phase by phase",
	  cmd_timeline },
	{ "audit",    "what the previous kernel handed over and nothing has finished",
	  cmd_audit },
	{ "finish",   "give up sessions that no agent will claim", cmd_finish },
	{ "handover", "what one kernel hands over to the next, and what is malformed",
	  cmd_handover },
	{ "mark",     "say that a workload is paused or resumed", cmd_mark },
	{ "metrics",  "all of this as metrics, in the format of OpenMetrics", cmd_metrics },
	{ "record",   "record a trace in a file", cmd_record },
	{ "report",   "show a recorded trace as text, HTML, or for Perfetto",
	  cmd_report },
	{ "compare",  "which phases and handlers differ between live updates",
	  cmd_compare },
};

static void usage(FILE *f)
{
	size_t i;

	fputs("usage: luotrace COMMAND [OPTIONS]\n\n"
	      "Traces and audits live updates of this machine.\n\n", f);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(f, "  %-9s %s\n", commands[i].name, commands[i].brief);
	fputs("\n'luotrace COMMAND --help' describes a command, 'luotrace --version' shows\n"
	      "the version.\n\n"
	      "exit codes: 0 fine, 1 a finding, 2 usage, 3 cannot run here,\n"
	      "4 a budget is broken or unknown\n",
	      f);
}

static int code;	/* of the command, once it has one */

/*
 * Output that cannot be written is a failure. It is checked at exit, as argp ends the
 * program itself after --help.
 */
static void close_stdout(void)
{
	int err = 0;

	if (fflush(stdout) || ferror(stdout))
		err = textfile_error(stdout);
	/* A network file system reports errors of writes here. */
	else if (fclose(stdout))
		err = errno;
	if (!err)
		return;
	msg_error("cannot write the output: %s", strerror(err));
	_exit(code == EXIT_FINE ? EXIT_FINDING : code);
}

/*
 * A file that is opened must not become standard output because that is closed. Printing
 * to it fails then.
 */
static void reserve_stdio(void)
{
	int fd = open("/dev/null", O_RDONLY);

	while (fd >= 0 && fd <= STDERR_FILENO)
		fd = dup(fd);
	if (fd >= 0)
		close(fd);
}

/* An incomplete report is worse than none. */
static void *xmalloc(size_t size)
{
	void *memory = malloc(size);

	if (memory)
		return memory;
	msg_error("out of memory");
	textfile_abandon();
	_exit(EXIT_FINDING);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	size_t i;

	reserve_stdio();
	atexit(close_stdout);
	msg_catch_libbpf();
	json_set_alloc_funcs(xmalloc, free);
	if (!strcmp(name, "-h") || !strcmp(name, "--help")) {
		usage(stdout);
		return EXIT_FINE;
	}
	if (!strcmp(name, "-V") || !strcmp(name, "--version")) {
		/* Each of the formats has a version of its own. */
		printf("luotrace " VERSION " (" COMMIT "JSON schema %d, record of LUO %u, recording %d)\n",
		       JSON_SCHEMA, LIVEUPDATE_RECORDER_VERSION, TRACE_FILE_VERSION);
		return EXIT_FINE;
	}
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(commands[i].name, name)) {
			code = commands[i].run(argc - 1, argv + 1);
			return code;
		}
	}
	if (*name)
		msg_error("unknown command '%s'", name);
	usage(stderr);
	return EXIT_USAGE;
}
