// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "cmd.h"
#include "enum_name.h"
#include "event.h"
#include "fmt.h"
#include "inventory.h"
#include "json.h"
#include "local_update.h"
#include "latency.h"
#include "msg.h"
#include "recorder.h"
#include "stacks.h"
#include "textfile.h"

static const char latency_doc[] =
	"Counts the calls of file handlers and measures their duration.\v"
	"Without INTERVAL it prints when it is stopped (Ctrl-C), with INTERVAL the new "
	"calls every so many seconds, COUNT times.\n\n"
	"Examples:\n"
	"  luotrace latency --hist          until Ctrl-C, with histograms\n"
	"  luotrace latency 1 10            every second, ten times\n"
	"  luotrace latency --by file -s vm-a\n"
	"  luotrace latency --stacks        in which functions the time was spent\n"
	"  luotrace latency --until-frozen --json-file out.json";

struct latency_cmd {
	struct cmd_options o;
	bool hist;
	const char *json_file;
	FILE *json;	/* that one, open */
	const char *folded_file;
	FILE *folded;	/* that one, open */
	struct ksyms *names;	/* of functions, for stacks */
	uint64_t interval_ms;
	uint64_t start;	/* of the first interval, ns */
	uint64_t count;
	struct session_track *track;
	bool frozen;
	struct tracer_row recorded[LIVEUPDATE_RECORDER_ROWS];
	int nr_recorded;
	struct tracer_row failed[LIVEUPDATE_RECORDER_ROWS];
	int nr_failed;
	uint64_t recorded_number;
};

static void on_event(const struct lt_event *e, void *data)
{
	struct latency_cmd *cmd = data;

	if (e->type >= LT_NR_TYPES)
		return;
	session_track_event(cmd->track, e);
	if (e->type == LT_STATE && e->state.new == STATE_FROZEN)
		cmd->frozen = true;
}

static int parse_by(const char *arg, struct argp_state *state)
{
	static const char *const words[] = {
		[LT_BY_HANDLER] = "handler",
		[LT_BY_SESSION] = "session",
		[LT_BY_FILE] = "file",
	};
	int i;

	for (i = 0; i < 3; i++) {
		if (!strcmp(words[i], arg))
			return i;
	}
	argp_error(state, "cannot count by '%s', want handler, session or file",
		   arg);
	return 0;
}

enum { KEY_HIST = 512, KEY_BY, KEY_JSON_FILE, KEY_FOLDED };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct latency_cmd *cmd = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &cmd->o;
		state->child_inputs[1] = &cmd->o;
		return 0;
	case 't':
		cmd->o.timestamps = true;
		return 0;
	case KEY_HIST:
		cmd->hist = true;
		return 0;
	case KEY_BY:
		cmd->o.tracer.by = parse_by(arg, state);
		return 0;
	case KEY_JSON_FILE:
		cmd->json_file = arg;
		return 0;
	case KEY_FOLDED:
		cmd->folded_file = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 1)
			argp_error(state, "too many arguments, want INTERVAL [COUNT]");
		if (state->arg_num)
			cmd->count = cmd_parse_number(arg, "times", 1000000, state);
		else
			cmd->interval_ms = 1000 * cmd_parse_number(arg, "seconds",
							   1000000, state);
		return 0;
	case ARGP_KEY_END:
		if (state->arg_num && !cmd->interval_ms)
			argp_error(state, "INTERVAL is at least 1 second");
		if (state->arg_num > 1 && !cmd->count)
			argp_error(state, "COUNT is at least 1");
		if (cmd->o.timestamps && !cmd->interval_ms)
			argp_error(state, "--timestamps is for several readings, want INTERVAL");
		if (cmd->json_file && cmd->o.json)
			argp_error(state, "--json replaces the text on stdout, --json-file goes beside it; want one of them");
		if (cmd->json_file && cmd->interval_ms)
			argp_error(state, "--json-file is for one reading, want --json with INTERVAL");
		if (cmd->o.tracer.stacks && cmd->interval_ms)
			argp_error(state, "--stacks is for one reading, want no INTERVAL");
		if (cmd->folded_file && !cmd->o.tracer.stacks)
			argp_error(state, "--folded is for stacks, want --stacks with it");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Whether sessions are shown in each of several readings, so that files are counted. */
static bool shows_sessions_often(const struct latency_cmd *cmd)
{
	return cmd->interval_ms && cmd->o.json;
}

/*
 * Read how many files the present outgoing sessions have: an event has their number from
 * PREPARE on only. To count them would cost a BPF program for each file of a freeze.
 */
static void read_files(struct latency_cmd *cmd, const struct probe *probe)
{
	struct inventory inv = {};
	size_t i;

	/* Hardly any time is left, and there are events for all. */
	if (cmd->frozen || cmd->interval_ms || probe->flavour != FLAVOUR_TRACED ||
	    !probe->session_iter || !probe->file_iter)
		return;
	/* If they cannot be read a message was printed. */
	if (!inventory_read(probe, &inv, enum_value(ENUM_DIR, "out"), true)) {
		for (i = 0; i < inv.nr_sessions; i++)
			session_track_set_files(cmd->track, inv.sessions[i].name,
						inv.sessions[i].files);
	}
	inventory_free(&inv);
}

/* What was counted up to now; the caller frees its rows. */
static int latency_snapshot(struct latency_cmd *cmd, struct tracer *t,
			    const struct probe *probe, struct latency *l)
{
	read_files(cmd, probe);
	memset(l, 0, sizeof(*l));
	l->by = cmd->o.tracer.by;
	l->at = monotonic_ns();
	l->track = cmd->track;
	l->frozen = cmd->frozen;
	l->recorded = cmd->recorded;
	l->nr_recorded = cmd->nr_recorded;
	l->recorded_failed = cmd->failed;
	l->nr_recorded_failed = cmd->nr_failed;
	l->recorded_number = cmd->recorded_number;
	l->has_kho = probe->tracepoints[LT_KHO_PRESERVE];
	l->nr_rows = tracer_read_rows(t, &l->rows);
	if (l->nr_rows < 0)
		return l->nr_rows;
	l->nr_slow = tracer_read_slowest(t, l->slow, LT_SLOWEST);
	if (l->nr_slow < 0 || tracer_read_kho(t, l->kho) ||
	    tracer_read_folios(t, &l->folios)) {
		free(l->rows);
		return -EIO;
	}
	tracer_read_lost(t, &l->lost);
	tracer_read_observer(t, &l->observer);
	if (cmd->o.tracer.stacks)
		l->stacks = stacks_read(t, &cmd->names);
	return 0;
}

/* Empty a file that was opened, which keeps its old content until now. 0 or an errno. */
static int empty(FILE *f)
{
	struct stat st;

	return !fstat(fileno(f), &st) && S_ISREG(st.st_mode) && ftruncate(fileno(f), 0) ?
	       errno : 0;
}

/* Close a file that was written, with a message if it could not be. */
static int close_file(FILE **f, const char *path, int err)
{
	if (!err && (fflush(*f) || ferror(*f)))
		err = textfile_error(*f);
	if (fclose(*f) && !err)
		err = errno;
	*f = NULL;
	if (!err)
		return EXIT_FINE;
	msg_error("cannot write '%s': %s", path, strerror(err));
	return EXIT_FINDING;
}

static int write_json(struct latency_cmd *cmd, const struct latency *l,
		      const struct probe *probe)
{
	json_t *root = json_head("latency", probe);
	int err;

	latency_json(l, cmd->hist, root);
	if (cmd->o.timestamps) {
		json_object_set_new(root, "time_ns", json_integer(l->at - cmd->start));
		json_object_set_new(root, "wall_clock_ns", json_integer(wall_ns(l->at)));
	}
	/* Several readings are a line each. */
	if (!cmd->json_file)
		return json_print(root, cmd->interval_ms ? JSON_COMPACT : JSON_INDENT(2)) ?
		       EXIT_FINE : EXIT_FINDING;

	err = empty(cmd->json);
	if (!err && (json_dumpf(root, cmd->json, JSON_INDENT(2)) ||
		     fputc('\n', cmd->json) == EOF))
		err = textfile_error(cmd->json);
	json_decref(root);
	return close_file(&cmd->json, cmd->json_file, err);
}

static int write_folded(struct latency_cmd *cmd, const struct latency *l)
{
	int err = empty(cmd->folded);

	if (!err)
		stacks_folded(l->stacks, cmd->folded);
	return close_file(&cmd->folded, cmd->folded_file, err);
}

/* Text and JSON of one reading; a text is written at once. */
static int print(struct latency_cmd *cmd, const struct latency *l,
		 const struct probe *probe)
{
	int ret = EXIT_FINE, err;
	size_t size;
	char *text;
	FILE *f;

	if (!cmd->o.json) {
		f = open_memstream(&text, &size);
		if (!f) {
			msg_error("out of memory");
			return EXIT_FINDING;
		}
		latency_text(l, cmd->hist, f);
		fclose(f);
		fwrite(text, 1, size, stdout);
		ret = cmd_flush();
		free(text);
	}
	if (cmd->o.json || cmd->json_file) {
		err = write_json(cmd, l, probe);
		ret = ret == EXIT_FINE ? err : ret;
	}
	if (cmd->folded) {
		err = write_folded(cmd, l);
		ret = ret == EXIT_FINE ? err : ret;
	}
	cmd_warn_lost(&l->lost);
	return ret;
}

/* Reduce calls and memory to what is new since the earlier reading. */
static void subtract(struct latency *l, const struct latency *earlier)
{
	int a, k;

	for (a = 0; a < LT_KHO_ACTIONS; a++) {
		for (k = 0; k < LT_KHO_KINDS; k++) {
			l->kho[a][k].calls -= earlier->kho[a][k].calls;
			l->kho[a][k].errors -= earlier->kho[a][k].errors;
			l->kho[a][k].pages -= earlier->kho[a][k].pages;
		}
	}
	l->nr_rows = tracer_rows_since(l->rows, l->nr_rows, earlier->rows,
				       earlier->nr_rows);
	folios_since(&l->folios, &earlier->folios);
	l->observer = observer_since(&l->observer, &earlier->observer);
}

static void print_time(const struct latency_cmd *cmd, uint64_t at)
{
	char when[FMT_WALL];

	if (cmd->o.timestamps)
		printf("%s %13.6f\n", fmt_wall(when, wall_ns(at)),
		       event_since(at, cmd->start) / 1e9);
}

static int print_interval(struct latency_cmd *cmd, struct latency *now,
			  const struct latency *earlier,
			  const struct probe *probe)
{
	struct latency shown = *now;
	int ret;

	shown.rows = calloc(now->nr_rows + 1, sizeof(*shown.rows));
	if (!shown.rows) {
		msg_error("out of memory");
		return EXIT_FINDING;
	}
	memcpy(shown.rows, now->rows, now->nr_rows * sizeof(*shown.rows));
	subtract(&shown, earlier);
	if (cmd->o.json) {
		ret = print(cmd, &shown, probe);
	} else {
		print_time(cmd, now->at);
		latency_table(&shown, stdout);
		putchar('\n');
		ret = cmd_flush();
	}
	free(shown.rows);
	return ret;
}

static int run_intervals(struct latency_cmd *cmd, struct tracer *t,
			 const struct probe *probe)
{
	uint64_t left = cmd->o.duration_ms, wait, n = 0;
	struct latency earlier = {}, now;
	int ret = EXIT_FINE;
	enum loop_end stop;

	cmd->start = monotonic_ns();
	do {
		wait = cmd->interval_ms;
		if (cmd->o.duration_ms && left < wait)
			wait = left;
		left -= wait;
		stop = cmd_loop(t, wait, cmd->o.until_frozen ? &cmd->frozen : NULL);
		if (stop == LOOP_ERROR || latency_snapshot(cmd, t, probe, &now)) {
			ret = EXIT_FINDING;
			break;
		}
		ret = print_interval(cmd, &now, &earlier, probe);
		free(earlier.rows);
		earlier = now;
		n++;
	} while (stop == LOOP_DONE && ret == EXIT_FINE && n != cmd->count &&
		 !(cmd->o.duration_ms && !left) &&
		 !(cmd->o.until_frozen && cmd->frozen));
	/* With JSON each reading has reported it. */
	if (!cmd->o.json)
		cmd_warn_lost(&earlier.lost);
	free(earlier.rows);
	return ret;
}

static int run_once(struct latency_cmd *cmd, struct tracer *t,
		    const struct probe *probe)
{
	struct latency l;
	int ret;

	if (cmd_loop(t, cmd->o.duration_ms, cmd->o.until_frozen ?
					  &cmd->frozen : NULL) == LOOP_ERROR ||
	    latency_snapshot(cmd, t, probe, &l))
		return EXIT_FINDING;
	ret = print(cmd, &l, probe);
	json_decref(l.stacks);
	free(l.rows);
	return ret;
}

static bool recorded_wanted(const struct latency_cmd *cmd, const struct tracer_row *row)
{
	const struct tracer_options *t = &cmd->o.tracer;

	return t->ops >> row->key.op & 1 &&
	       (!t->handler || !strcmp(row->key.name, t->handler));
}

static int recorded_compare(const void *a, const void *b)
{
	const struct lt_key *x = &((const struct tracer_row *)a)->key;
	const struct lt_key *y = &((const struct tracer_row *)b)->key;
	int diff = (int)x->kind - (int)y->kind;

	if (!diff)
		diff = strncmp(x->name, y->name, sizeof(x->name));
	return diff ? diff : (int)x->op - (int)y->op;
}

/* The requested rows of a record, sorted. Returns their number. */
static int filter_recorded(struct latency_cmd *cmd,
			   const struct liveupdate_recorder_part *p,
			   unsigned int scopes, struct tracer_row *rows)
{
	int i, n = recorder_rows(p, scopes, rows), nr = 0;

	for (i = 0; i < n; i++) {
		if (recorded_wanted(cmd, &rows[i]))
			rows[nr++] = rows[i];
	}
	qsort(rows, nr, sizeof(rows[0]), recorded_compare);
	return nr;
}

/*
 * Load what the previous kernel recorded, if the filters can be applied to it.
 */
static void load_recorded(struct latency_cmd *cmd, const struct probe *probe)
{
	const struct tracer_options *t = &cmd->o.tracer;
	struct liveupdate_recorder *r;

	/* If it cannot be read a message was printed, and tracing goes on. */
	if (t->session || t->min_ns || t->errors || cmd->interval_ms ||
	    local_update_record(probe, &r) || !r)
		return;
	if (recorder_present(&r->last_out)) {
		cmd->nr_recorded = filter_recorded(cmd, &r->last_out,
						   RECORDER_UPDATE, cmd->recorded);
		cmd->nr_failed = filter_recorded(cmd, &r->last_out,
						 RECORDER_SCOPE(FAILED), cmd->failed);
		cmd->recorded_number = r->last_out.number;
	}
	free(r);
}

static int latency_run(struct latency_cmd *cmd, const struct probe *probe)
{
	struct tracer *t;
	int ret;

	cmd->track = session_track_new(SESSION_TRACK_MAX);
	if (!cmd->track) {
		msg_error("out of memory");
		return EXIT_FINDING;
	}
	t = tracer_open(probe, &cmd->o.tracer, on_event, cmd);
	if (!t) {
		session_track_free(cmd->track);
		return EXIT_CANNOT;
	}
	load_recorded(cmd, probe);
	if (cmd->o.tracer.stacks)
		cmd->names = stacks_names();
	cmd_start_tracing();
	ret = cmd->interval_ms ? run_intervals(cmd, t, probe) :
			       run_once(cmd, t, probe);
	ksyms_free(cmd->names);
	tracer_close(t);
	session_track_free(cmd->track);
	return ret;
}

/* Before the trace, to fail early if the file cannot be written. */
static bool open_file(const char *path, FILE **f)
{
	int fd;

	if (!path)
		return true;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	*f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!*f)
		msg_error("cannot write '%s': %s", path, strerror(errno));
	return *f;
}

int cmd_latency(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "timestamps", 't', NULL, 0,
		  "With INTERVAL: print the time of each reading", 3 },
		{ "hist", KEY_HIST, NULL, 0, "Add histograms", 3 },
		{ "by", KEY_BY, "WHAT", 0,
		  "Count by handler (default), session or file", 3 },
		{ "json-file", KEY_JSON_FILE, "FILE", 0,
		  "Also write JSON to FILE", 3 },
		{ "folded", KEY_FOLDED, "FILE", 0,
		  "Also write the stacks of --stacks to FILE, a line each", 3 },
		{ 0 },
	};
	static const struct argp_child children[] = {
		{ &cmd_trace_argp, 0, NULL, 0 },
		{ &cmd_stacks_argp, 0, NULL, 0 },
		{ 0 },
	};
	static const struct argp argp = { options, parse, "[INTERVAL [COUNT]]",
		latency_doc, children, NULL, NULL };
	static struct latency_cmd cmd = {
		.o.tracer = {
			.ops = TRACER_ALL_OPS,
			.count_calls = true,
			.count_memory = true,
			.count_folios = true,
			.whole_sessions = true,
			.stream = 1U << LT_STATE | 1U << LT_PHASE_END |
				  1U << LT_SESSION_CREATE |
				  1U << LT_SESSION_RETRIEVE |
				  1U << LT_SESSION_RELEASE |
				  1U << LT_SESSION_FINISH |
				  1U << LT_SESSION_STATE |
				  1U << LT_SESSION_LEAK |
				  1U << LT_FILE_STATE,
		},
	};
	struct probe probe;
	int ret;

	ret = cmd_parse_traced(&argp, argc, argv, &cmd, &probe);
	if (ret >= 0)
		return ret;

	cmd.o.tracer.stream &= event_mask(&cmd.o.tracer);
	if (probe.flavour == FLAVOUR_TRACED && !shows_sessions_often(&cmd))
		cmd.o.tracer.stream &= ~(1U << LT_FILE_STATE);
	if (!open_file(cmd.json_file, &cmd.json) ||
	    !open_file(cmd.folded_file, &cmd.folded))
		return EXIT_FINDING;
	ret = latency_run(&cmd, &probe);
	if (cmd.json)
		fclose(cmd.json);
	if (cmd.folded)
		fclose(cmd.folded);
	return ret;
}
