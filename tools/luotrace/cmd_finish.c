// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "black_box.h"
#include "clock.h"
#include "cmd.h"
#include "enum_name.h"
#include "fmt.h"
#include "inventory.h"
#include "json.h"
#include "luo_device.h"
#include "msg.h"

#define MAX_SESSIONS	256
#define NAME_BUF	(4 * INV_NAME_LEN + 1)

static const char finish_doc[] =
	"Finishes incoming sessions that no agent will claim: their files and memory are "
	"given up.\v"
	"Shows what would be given up and asks first. A file that was not retrieved is lost "
	"for good: its content, the RAM of a guest for instance, cannot be recovered.\n\n"
	"Exit code 0 if all sessions are finished, 1 if one is not.\n\n"
	"Examples:\n"
	"  luotrace audit                     list unfinished sessions\n"
	"  luotrace finish vm-large           show, ask, finish\n"
	"  luotrace finish --yes vm-a vm-b    for a script";

struct finish {
	struct cmd_options o;
	const char *names[MAX_SESSIONS];
	int nr;
	bool yes;
	struct probe probe;
	struct inventory inv;
	json_t *results;
};

enum { KEY_YES = 256 };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct finish *f = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &f->o;
		return 0;
	case KEY_YES:
		f->yes = true;
		return 0;
	case ARGP_KEY_ARG:
		if (f->nr == MAX_SESSIONS)
			argp_error(state, "too many sessions, want at most %d",
				   MAX_SESSIONS);
		f->names[f->nr++] = cmd_parse_name(arg, INV_NAME_LEN, "session", state);
		return 0;
	case ARGP_KEY_END:
		if (!f->nr)
			argp_error(state, "no session is named; 'luotrace audit' lists unfinished sessions");
		if (!f->yes && !isatty(STDIN_FILENO))
			argp_error(state, "standard input is not a terminal; --yes finishes without asking");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Read the incoming sessions; none where BPF cannot be used. */
static void read_inventory(struct finish *f)
{
	inventory_free(&f->inv);
	f->inv = (struct inventory){};
	if (!probe_why_no_audit(&f->probe))
		inventory_read(&f->probe, &f->inv, enum_value(ENUM_DIR, "in"), false);
}

static const struct inv_session *session_of(const struct finish *f,
					    const char *name)
{
	size_t i;

	for (i = 0; i < f->inv.nr_sessions; i++) {
		if (!strcmp(f->inv.sessions[i].name, name))
			return &f->inv.sessions[i];
	}
	return NULL;
}

static void describe(const struct finish *f, const char *name)
{
	const struct inv_session *s = session_of(f, name);
	char spelled[NAME_BUF], comm[NAME_BUF], age[FMT_LEN] = "-";
	char held[FMT_LEN] = "-";

	fmt_name(spelled, sizeof(spelled), name);
	if (!strcmp(name, BLACK_BOX_SESSION))
		msg_note("session %s: luotrace's own, which holds the record of the previous kernel; 'luotrace timeline' takes it out first",
			 spelled);
	if (!s) {
		msg_note("session %s: its content is not known", spelled);
		return;
	}
	if (s->born_ns)
		fmt_age(age, monotonic_ns() - s->born_ns);
	if (s->pages != INV_UNKNOWN)
		fmt_bytes(held, s->pages * sysconf(_SC_PAGESIZE));
	msg_note("session %s: %llu file%s, %llu of them retrieved; memory %s; age %s; last claimed by %s",
		 spelled, (unsigned long long)s->files, s->files == 1 ? "" : "s",
		 (unsigned long long)s->retrieved, held, age,
		 s->owner ? fmt_name(comm, sizeof(comm), s->comm) :
		 s->claims ? "-" : "nobody");
}

static bool confirmed(const struct finish *f)
{
	char answer[16];

	if (f->yes)
		return true;
	fprintf(stderr, "Give up %s? Files that are not retrieved are lost for good. [y/N] ",
		f->nr == 1 ? "this session" : "these sessions");
	return fgets(answer, sizeof(answer), stdin) &&
	       (!strcmp(answer, "y\n") || !strcmp(answer, "yes\n"));
}

/* Report the files that keep their session from being finished. */
static void report_files(struct finish *f, const char *name)
{
	const struct inv_session *s;
	const struct inv_file *file;
	char compat[4 * INV_COMPAT_LEN + 1];
	size_t i;

	read_inventory(f);
	s = session_of(f, name);
	for (i = 0; s && i < f->inv.nr_files; i++) {
		file = &f->inv.files[i];
		if (file->session_id == s->id && file->ret)
			msg_error("  file %llu of handler %s: %s failed: %s",
				  (unsigned long long)file->token,
				  fmt_name(compat, sizeof(compat), file->compatible),
				  enum_name(ENUM_OP, file->ret_op), fmt_errno(file->ret));
	}
}

static void report_failure(struct finish *f, const char *name, const char *what, int err)
{
	const struct inv_session *s = session_of(f, name);
	char spelled[NAME_BUF], comm[NAME_BUF];

	fmt_name(spelled, sizeof(spelled), name);
	if (err == -ENOENT) {
		msg_error("no incoming session %s; 'luotrace audit' lists unfinished sessions",
			  spelled);
	} else if (!strcmp(what, "claim") && err == -EBUSY) {
		msg_error("session %s is claimed%s%s%s: its agent has to finish or close it",
			  spelled, s && s->owner ? " by " : "",
			  s && s->owner ? fmt_name(comm, sizeof(comm), s->comm) : "",
			  s && s->owner ? "" : " by another process");
	} else {
		msg_error("session %s: %s failed: %s", spelled, what, fmt_errno(err));
		if (strcmp(what, "claim"))
			report_files(f, name);
	}
}

static int finish_one(struct finish *f, int dev, const char *name)
{
	const char *what = "claim";
	int session = luo_claim_session(dev, name), err = session;

	if (session >= 0) {
		what = "finish";
		err = luo_finish_session(session);
		close(session);
	}
	if (err < 0)
		report_failure(f, name, what, err);
	json_array_append_new(f->results,
		json_pack("{so, sb, si, so}", "session", fmt_json_name(name),
			  "finished", !err, "ret", err, "error",
			  err ? json_string(fmt_errno(err)) : json_null()));
	return err;
}

static int finish_all(struct finish *f, int dev)
{
	char spelled[NAME_BUF];
	json_t *root;
	int i, ret = EXIT_FINE, printed;

	f->results = json_array();
	for (i = 0; i < f->nr; i++) {
		if (finish_one(f, dev, f->names[i]))
			ret = EXIT_FINDING;
		else if (!f->o.json)
			printf("finished %s\n",
			       fmt_name(spelled, sizeof(spelled), f->names[i]));
	}
	if (!f->o.json) {
		json_decref(f->results);
		return ret;
	}
	root = json_head("finish", &f->probe);
	json_object_set_new(root, "sessions", f->results);
	printed = json_print(root, JSON_INDENT(2)) ? EXIT_FINE : EXIT_FINDING;
	return ret ? ret : printed;
}

int cmd_finish(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "yes", KEY_YES, NULL, 0, "Finish without asking", 0 },
		{ 0 },
	};
	static const struct argp_child children[] = {
		{ &cmd_output_argp, 0, NULL, 0 },
		{ 0 },
	};
	static const struct argp argp = { options, parse, "SESSION...", finish_doc,
		children, NULL, NULL };
	struct finish f = {};
	int ret, dev, i;

	ret = cmd_parse(&argp, argc, argv, &f);
	if (ret >= 0)
		return ret;

	/* A question about what was not shown cannot be answered. */
	msg_quiet &= f.yes;
	probe_kernel(&f.probe);
	read_inventory(&f);
	for (i = 0; i < f.nr; i++)
		describe(&f, f.names[i]);
	if (!confirmed(&f)) {
		msg_error("nothing is finished");
		ret = EXIT_FINDING;
		goto out;
	}
	dev = luo_open_device();
	if (dev < 0) {
		if (f.probe.flavour == FLAVOUR_NONE)
			msg_error("%s", probe_why_no_trace(&f.probe));
		else
			luo_report_device(dev, f.probe.why_off);
		ret = EXIT_CANNOT;
		goto out;
	}
	ret = finish_all(&f, dev);
	close(dev);
out:
	inventory_free(&f.inv);
	return ret;
}
