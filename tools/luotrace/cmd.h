/* SPDX-License-Identifier: GPL-2.0 */

/* The commands of luotrace, and their common options and loops. Not for views. */

#ifndef CMD_H
#define CMD_H

#include <argp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "probe.h"
#include "tracer.h"

/* Exit codes. */
enum {
	EXIT_FINE = 0,
	EXIT_FINDING = 1,	/* also: the output could not be written */
	EXIT_USAGE = 2,
	EXIT_CANNOT = 3,
	EXIT_BUDGET = 4,	/* a budget is broken, or not known to be kept */
};

/**
 * struct cmd - one command
 * @name:  its name
 * @brief: what it answers, for the list of commands
 * @run:   argv[0] is the name; returns an exit code
 */
struct cmd {
	const char *name;
	const char *brief;
	int (*run)(int argc, char **argv);
};

int cmd_audit(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_finish(int argc, char **argv);
int cmd_handover(int argc, char **argv);
int cmd_latency(int argc, char **argv);
int cmd_mark(int argc, char **argv);
int cmd_metrics(int argc, char **argv);
int cmd_timeline(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_trace(int argc, char **argv);

/**
 * struct cmd_options - options that several commands have
 * @tracer:	  what to trace
 * @json:	  JSON on stdout
 * @no_color:	  --no-color was given
 * @duration_ms:  stop after this time, 0 for never
 * @until_frozen: stop when the global state is frozen
 * @timestamps:	  print the wall clock, too
 */
struct cmd_options {
	struct tracer_options tracer;
	bool json;
	bool no_color;
	uint64_t duration_ms;
	bool until_frozen;
	bool timestamps;
};

/* For struct argp.children of a command that traces; the input is struct cmd_options. */
extern const struct argp cmd_trace_argp;

/* The same, beside it, for a command that can take stacks. */
extern const struct argp cmd_stacks_argp;

/* The same for a command that only prints. */
extern const struct argp cmd_output_argp;

/** cmd_stream_mask - events to stream, a bit for each; @kho: those of memory, too */
uint32_t cmd_stream_mask(bool kho);

/** cmd_color - whether output on stdout has colours */
bool cmd_color(const struct cmd_options *o);

/**
 * cmd_parse - parse a command's options
 * @argp: its options
 * @argc: from struct cmd.run
 * @argv: from struct cmd.run
 * @input: what its parser fills
 *
 * Return: -1 to go on, or an exit code.
 */
int cmd_parse(const struct argp *argp, int argc, char **argv, void *input);

/**
 * cmd_parse_traced - the same for a command that traces, with a message if it cannot
 * @probe: set to what the kernel offers; the other arguments as above
 *
 * Return: as above.
 */
int cmd_parse_traced(const struct argp *argp, int argc, char **argv, void *input,
		     struct probe *probe);

/**
 * cmd_parse_number - parse a number of an option
 * @text:  the text
 * @unit:  unit, for the message
 * @max:   the largest number allowed
 * @state: of the parser; it ends the program with a message if @text is no
 *	   number from 0 to @max
 */
uint64_t cmd_parse_number(const char *text, const char *unit, uint64_t max,
			  const struct argp_state *state);

/**
 * cmd_parse_name - a name as an argument, raw or as luotrace prints it
 * @arg:   the argument; replaced by the name
 * @size:  bytes of the longest name, and one
 * @what:  what has the name, for the message
 * @state: of the parser; it ends the program with a message if the name is too long or empty
 *
 * Return: @arg.
 */
const char *cmd_parse_name(char *arg, size_t size, const char *what,
			   const struct argp_state *state);

/** cmd_start_tracing - catch signals and say so, once everything is attached */
void cmd_start_tracing(void);

/** cmd_signalled - whether a signal to stop has arrived since then */
bool cmd_signalled(void);

/* Why cmd_loop() ended: as requested, by a signal, by an error after its message. */
enum loop_end { LOOP_DONE, LOOP_SIGNAL, LOOP_ERROR };

/**
 * cmd_loop - trace until the duration is over, @stop is set, or a signal arrives
 * @t:		 the tracer
 * @duration_ms: stop after this time, 0 for never
 * @stop:	 stop when this becomes true, NULL for never
 *
 * The first Ctrl-C (SIGINT), SIGTERM or SIGHUP after cmd_start_tracing() stops it as well.
 */
enum loop_end cmd_loop(struct tracer *t, uint64_t duration_ms, const bool *stop);

/**
 * cmd_flush - flush stdout
 *
 * Return: EXIT_FINE, or EXIT_FINDING if it cannot be written, which main() reports.
 */
int cmd_flush(void);

/**
 * cmd_write - write what a command shows
 * @path: the file, NULL for stdout; a regular one is replaced when all is written
 * @show: prints it; false if out of memory
 * @data: its first argument
 *
 * Return: EXIT_FINE, or EXIT_FINDING after a message; main() has that for stdout.
 */
int cmd_write(const char *path, bool (*show)(const void *data, FILE *f),
	      const void *data);

/** cmd_note_observer - say what tracing cost, unless -q was given */
void cmd_note_observer(const struct observer *o);

/**
 * cmd_warn_lost - report what was lost, if anything was
 * @lost: what was lost
 */
void cmd_warn_lost(const struct tracer_lost *lost);

#endif
