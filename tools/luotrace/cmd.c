// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "cmd.h"
#include "enum_name.h"
#include "event.h"
#include "fmt.h"
#include "msg.h"
#include "textfile.h"

/* How often a loop checks whether to stop. */
#define POLL_MS	100

static volatile sig_atomic_t signalled;

uint64_t cmd_parse_number(const char *text, const char *unit, uint64_t max,
			  const struct argp_state *state)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || n > max)
		argp_error(state, "'%s' is not a number of %s from 0 to %llu",
			   text, unit, (unsigned long long)max);
	return n;
}

const char *cmd_parse_name(char *arg, size_t size, const char *what,
			   const struct argp_state *state)
{
	char name[LT_NAME_LEN > LT_COMPAT_LEN ? LT_NAME_LEN : LT_COMPAT_LEN];

	if (!fmt_given_name(name, size < sizeof(name) ? size : sizeof(name), arg))
		argp_error(state, "the name of a %s has 1 to %zu bytes", what,
			   size - 1);
	/* The name is never longer than its spelling. */
	return strcpy(arg, name);
}

static uint64_t parse_op(const char *arg, const struct argp_state *state)
{
	int op = enum_value(ENUM_OP, arg);

	if (op < 0)
		argp_error(state, "unknown operation '%s', want one of %s", arg,
			   enum_list(ENUM_OP));
	return 1ULL << op;
}

enum { KEY_ERRORS = 256, KEY_MIN_US, KEY_UNTIL_FROZEN, KEY_NO_COLOR,
       KEY_BUFFER, KEY_STACKS };

static error_t cmd_parse_output(int key, char *arg, struct argp_state *state)
{
	struct cmd_options *o = state->input;

	(void)arg;
	switch (key) {
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	case 'j':
		o->json = true;
		return 0;
	case 'q':
		msg_quiet = true;
		return 0;
	case 'v':
		msg_verbose = true;
		return 0;
	case KEY_NO_COLOR:
		o->no_color = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option cmd_output_options[] = {
	{ NULL, 'h', NULL, 0, "The same as --help", -1 },
	{ "json", 'j', NULL, 0, "JSON on stdout", 10 },
	{ "quiet", 'q', NULL, 0, "Only errors on stderr", 10 },
	{ "verbose", 'v', NULL, 0, "Show the messages of the BPF loader", 10 },
	{ "no-color", KEY_NO_COLOR, NULL, 0,
	  "No colours; the same as the environment's NO_COLOR", 10 },
	{ 0 },
};

const struct argp cmd_output_argp = { cmd_output_options, cmd_parse_output,
	NULL, NULL, NULL, NULL, NULL };

static error_t cmd_parse_trace(int key, char *arg, struct argp_state *state)
{
	struct cmd_options *o = state->input;
	struct tracer_options *t = &o->tracer;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = o;
		return 0;
	case 's':
		t->session = cmd_parse_name(arg, LT_NAME_MAX, "session", state);
		return 0;
	case 'H':
		t->handler = cmd_parse_name(arg, LT_COMPAT_LEN, "handler", state);
		return 0;
	case 'o':
		if (t->ops == TRACER_ALL_OPS)
			t->ops = 0;
		t->ops |= parse_op(arg, state);
		return 0;
	case 'd':
		o->duration_ms = 1000 * cmd_parse_number(arg, "seconds", 1000000,
							 state);
		return 0;
	case KEY_ERRORS:
		t->errors = true;
		return 0;
	case KEY_MIN_US:
		t->min_ns = 1000 * cmd_parse_number(arg, "microseconds", 1000000000,
						    state);
		return 0;
	case KEY_UNTIL_FROZEN:
		o->until_frozen = true;
		return 0;
	case KEY_BUFFER:
		t->buffer_kib = cmd_parse_number(arg, "KiB", 1 << 20, state);
		/* The kernel accepts only powers of two, in pages. */
		if (t->buffer_kib < 4 || t->buffer_kib & (t->buffer_kib - 1))
			argp_error(state, "'%s' KiB is not a power of two from 4 on",
				   arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option cmd_trace_options[] = {
	{ "session", 's', "NAME", 0, "Only this session", 1 },
	{ "handler", 'H', "COMPATIBLE", 0, "Only this file handler", 1 },
	{ "op", 'o', "OP", 0, "Only this operation; can be given again", 1 },
	{ "errors", KEY_ERRORS, NULL, 0, "Only failures", 1 },
	{ "min-us", KEY_MIN_US, "N", 0,
	  "Only handler calls of N microseconds or more", 1 },
	{ "duration", 'd', "SECONDS", 0, "Stop after this time", 2 },
	{ "until-frozen", KEY_UNTIL_FROZEN, NULL, 0,
	  "Stop when the global state is frozen, just before the kexec", 2 },
	{ "buffer", KEY_BUFFER, "KIB", 0,
	  "Size of the buffer between kernel and luotrace (4096)", 3 },
	{ 0 },
};

static const struct argp_child cmd_trace_children[] = {
	{ &cmd_output_argp, 0, NULL, 0 },
	{ 0 },
};

const struct argp cmd_trace_argp = { cmd_trace_options, cmd_parse_trace, NULL,
	NULL, cmd_trace_children, NULL, NULL };

#define STACKS_TIME	"1ms"	/* a call of this duration is long */

static error_t cmd_parse_stacks(int key, char *arg, struct argp_state *state)
{
	struct cmd_options *o = state->input;

	switch (key) {
	case KEY_STACKS:
		o->tracer.stacks = true;
		if (!fmt_read_ns(arg ? arg : STACKS_TIME, &o->tracer.stacks_ns))
			argp_error(state, "'%s' is not a time, such as 20ms, 1.5s or 800us",
				   arg);
		return 0;
	case ARGP_KEY_END:
		if (o->tracer.stacks && o->tracer.errors)
			argp_error(state, "--stacks begins before a call can fail; want no --errors with it");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option cmd_stacks_options[] = {
	{ "stacks", KEY_STACKS, "TIME", OPTION_ARG_OPTIONAL,
	  "Add the kernel's functions in which calls of TIME or more (" STACKS_TIME
	  ") spent their time", 3 },
	{ 0 },
};

const struct argp cmd_stacks_argp = { cmd_stacks_options, cmd_parse_stacks, NULL,
	NULL, NULL, NULL, NULL };

uint32_t cmd_stream_mask(bool kho)
{
	uint32_t mask = 0;
	int type;

	for (type = 0; type < LT_NR_TYPES; type++) {
		if (!probe_is_kho(type) || kho)
			mask |= 1U << type;
	}
	return mask & ~EVENT_ENTERS;
}

bool cmd_color(const struct cmd_options *o)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (o->no_color || (no && *no) || !term || !*term || !strcmp(term, "dumb"))
		return false;
	return isatty(STDOUT_FILENO);
}

int cmd_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	char name[64];
	error_t err;

	snprintf(name, sizeof(name), "luotrace %s", argv[0]);
	argv[0] = name;
	argp_err_exit_status = EXIT_USAGE;
	err = argp_parse(argp, argc, argv, 0, NULL, input);
	if (err) {
		msg_error("%s: %s", name, strerror(err));
		return EXIT_USAGE;
	}
	return -1;
}

int cmd_parse_traced(const struct argp *argp, int argc, char **argv, void *input,
		     struct probe *probe)
{
	int ret = cmd_parse(argp, argc, argv, input);
	const char *why_not;

	if (ret >= 0)
		return ret;
	probe_kernel(probe);
	why_not = probe_why_no_trace(probe);
	if (why_not) {
		msg_error("%s", why_not);
		return EXIT_CANNOT;
	}
	return -1;
}

static void on_signal(int sig)
{
	(void)sig;
	signalled = 1;
}

/*
 * A second Ctrl-C ends the program in any case. When a terminal goes away, SIGHUP can
 * arrive twice, from the kernel and from the shell; under nohup it is ignored.
 */
static void catch_signals(void)
{
	struct sigaction act = {
		.sa_handler = on_signal,
		.sa_flags = SA_RESETHAND,
	};
	struct sigaction old;

	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	act.sa_flags = 0;
	if (!sigaction(SIGHUP, NULL, &old) && old.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &act, NULL);
}

bool cmd_signalled(void)
{
	return signalled;
}

void cmd_start_tracing(void)
{
	catch_signals();
	msg_note("tracing, Ctrl-C stops");
}

static uint64_t now_ms(void)
{
	return monotonic_ns() / 1000000;
}

enum loop_end cmd_loop(struct tracer *t, uint64_t duration_ms,
		       const bool *stop)
{
	uint64_t end = duration_ms ? now_ms() + duration_ms : UINT64_MAX;
	uint64_t now;
	int err;

	while (!signalled && !(stop && *stop)) {
		now = now_ms();
		if (now >= end)
			break;
		err = tracer_poll(t, end - now < POLL_MS ? end - now : POLL_MS);
		if (err && err != -EINTR) {
			msg_error("cannot read events: %s", strerror(-err));
			return LOOP_ERROR;
		}
	}
	/* The last events are still in the buffer. */
	if (!stop || !*stop)
		tracer_poll(t, 0);
	return signalled ? LOOP_SIGNAL : LOOP_DONE;
}

int cmd_flush(void)
{
	/* main() reports the reason when it closes stdout. */
	return fflush(stdout) || ferror(stdout) ? EXIT_FINDING : EXIT_FINE;
}

int cmd_write(const char *path, bool (*show)(const void *data, FILE *f),
	      const void *data)
{
	bool complete;
	struct stat st;
	int err = 0;
	FILE *f;

	/* Whole, or as it was. */
	if (path && (stat(path, &st) || S_ISREG(st.st_mode)))
		return textfile_replace(path, TEXTFILE_OUTPUT, show, data) ? EXIT_FINE :
									     EXIT_FINDING;
	f = path ? fopen(path, "we") : stdout;
	if (!f) {
		msg_error("cannot write '%s': %s", path, strerror(errno));
		return EXIT_FINDING;
	}
	complete = show(data, f);
	if (fflush(f) || ferror(f)) {
		err = textfile_error(f);
	} else if (!complete) {
		msg_error("out of memory");
		err = ENOMEM;
	}
	if (!path)
		return err ? EXIT_FINDING : EXIT_FINE;
	if (fclose(f) && !err)
		err = errno;
	if (!err)
		return EXIT_FINE;
	msg_error("cannot write '%s': %s", path, strerror(err));
	return EXIT_FINDING;
}

void cmd_note_observer(const struct observer *o)
{
	char text[OBSERVER_TEXT];

	msg_note("%s", observer_text(o, text));
}

void cmd_warn_lost(const struct tracer_lost *lost)
{
	if (lost->events)
		msg_error("%llu event%s dropped because the buffer was full; filter more; trace, latency and record take a larger --buffer",
			  (unsigned long long)lost->events,
			  lost->events == 1 ? " was" : "s were");
	if (lost->rows)
		msg_error("%llu call%s counted under \"others\" because they have more than %d different keys; filter more or count by handler",
			  (unsigned long long)lost->rows,
			  lost->rows == 1 ? " is" : "s are", LT_MAX_ROWS);
	if (lost->functions)
		msg_error("%llu function%s not be traced, see the messages at the beginning; their calls are missing",
			  (unsigned long long)lost->functions,
			  lost->functions == 1 ? " could" : "s could");
	if (lost->missed)
		msg_error("%llu event%s missed because others were handled on the same CPU",
			  (unsigned long long)lost->missed,
			  lost->missed == 1 ? " was" : "s were");
}
