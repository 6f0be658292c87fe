// SPDX-License-Identifier: GPL-2.0

#include <stdlib.h>
#include <string.h>

#include "blackout.h"
#include "fmt.h"
#include "timeline.h"
#include "timeline_steps.h"

#define NAME_BUF	(4 * BOX_DEVICE + 1)

/* What a step is, as long as the next one has not begun. */
static const struct {
	const char *key;	/* in JSON */
	const char *label;
} step_names[BOX_NR_STEPS] = {
	[BOX_STEP_FROZEN] = { "before", "before the notifiers" },
	[BOX_STEP_NOTIFIERS] = { "notifiers", "reboot notifiers" },
	[BOX_STEP_DEVICES] = { "devices", "shutdown of devices" },
	[BOX_STEP_CPU] = { "cpu", "move to the CPU that reboots" },
	[BOX_STEP_SYSCORE] = { "syscore", "system core" },
	[BOX_STEP_MACHINE] = { "machine", "interrupts, other CPUs stopped" },
};

struct steps timeline_steps(const struct update *u)
{
	static const char *const notes[] = {
		[UPDATE_IN_UNSEEN] = "no luotrace traced while agents restored: what follows the start of user space is unknown; luotrace-box.service records it",
		[UPDATE_IN_LATE] = "luotrace began to trace after agents had begun to restore: what they did before that is unknown",
		[UPDATE_IN_SEEN] = NULL,
	};
	struct steps s = {
		.reboot = u->has_box ? &u->reboot : NULL,
		/* A copy of the kernel's own record has no such gap. */
		.note = u->magic && u->in <= UPDATE_IN_LATE ? notes[u->in] : NULL,
		.old = u->out_box,
		.inside = &u->inside,
	};

	return s;
}

/* The next step that was reached; BOX_NR_STEPS: none. */
static int next_step(const struct box_reboot *r, int step)
{
	while (++step < BOX_NR_STEPS && !r->steps[step])
		;
	return step;
}

/* Duration of a step; false if it did not begin, or nobody saw its end. */
static bool step_ns(const struct box_reboot *r, int step, uint64_t *ns)
{
	int next = next_step(r, step);

	if (!step_names[step].key || !r->steps[step] || next == BOX_NR_STEPS ||
	    r->steps[next] < r->steps[step])
		return false;
	*ns = r->steps[next] - r->steps[step];
	return true;
}

static int compare_devices(const void *a, const void *b)
{
	const struct box_device *x = a, *y = b;

	return x->duration < y->duration ? 1 : x->duration > y->duration ? -1 : 0;
}

/* The devices, longest first, names with an end. Returns how many. */
static int sort_devices(const struct box_reboot *r, struct box_device *to)
{
	int i, n = 0;

	for (i = 0; i < BOX_DEVICES; i++) {
		if (!r->devices[i].duration)
			continue;
		to[n] = r->devices[i];
		to[n].name[BOX_DEVICE - 1] = '\0';
		to[n++].driver[BOX_DEVICE - 1] = '\0';
	}
	qsort(to, n, sizeof(*to), compare_devices);
	return n;
}

static int list_devices(const struct box_reboot *r, struct step *steps)
{
	struct box_device devices[BOX_DEVICES];
	int n = sort_devices(r, devices), i;

	for (i = 0; i < n && i < STEPS_DEVICES; i++)
		steps[i] = (struct step){ .ns = devices[i].duration,
					  .device = devices[i] };
	return i;
}

int timeline_steps_list(struct steps s, struct step *steps)
{
	uint64_t took;
	int step, n = 0;

	for (step = BOX_STEP_FROZEN; s.reboot && step < BOX_NR_STEPS; step++) {
		if (!step_ns(s.reboot, step, &took))
			continue;
		steps[n++] = (struct step){ .ns = took,
					    .label = step_names[step].label };
		if (step != BOX_STEP_DEVICES)
			continue;
		steps[n - 1].devices = s.reboot->nr_devices;
		n += list_devices(s.reboot, steps + n);
	}
	return n;
}

void timeline_steps_text(struct steps s,
			 void (*under)(FILE *f, const char *time, const char *fmt, ...),
			 FILE *f)
{
	char ns[FMT_LEN], name[NAME_BUF], driver[NAME_BUF];
	struct step steps[STEPS_MAX], *one;
	int n = timeline_steps_list(s, steps), i;

	for (i = 0; i < n; i++) {
		one = &steps[i];
		fmt_ns(ns, one->ns);
		if (one->devices)
			under(f, ns, "%s, %llu of them", one->label,
			      (unsigned long long)one->devices);
		else if (one->label)
			under(f, ns, "%s", one->label);
		else
			under(f, ns, "device %s%s%s",
			      fmt_name(name, sizeof(name), one->device.name),
			      *one->device.driver ? ", driver " : ", no driver",
			      fmt_name(driver, sizeof(driver), one->device.driver));
	}
}

const char *timeline_steps_until(struct steps s, char *text, size_t size)
{
	char ns[FMT_LEN];

	if (!s.reboot || s.reboot->steps[BOX_STEP_KEXEC])
		return NULL;
	snprintf(text, size, "the black box saw until %s after reboot() began; the rest of the shutdown is unknown",
		 fmt_ns(ns, s.reboot->last - s.reboot->steps[BOX_STEP_REBOOT]));
	return text;
}

struct observer timeline_steps_observer(struct steps s)
{
	const struct box_reboot *r = s.reboot;
	struct observer o = OBSERVER_NOTHING;
	uint64_t observed;
	double ns;

	if (!r || !r->own_timed || r->own_timed > r->own_runs ||
	    r->last < r->steps[BOX_STEP_REBOOT])
		return o;
	observed = r->last - r->steps[BOX_STEP_REBOOT];
	ns = r->own_flush_ns + (double)r->own_ns * r->own_runs / r->own_timed;
	/* They ran in one task. A box may be damaged on purpose. */
	if (ns > observed || observed > INT64_MAX || r->own_runs > INT64_MAX / 2 ||
	    r->own_flushes > INT64_MAX / 2)
		return o;
	o.runs = r->own_runs + r->own_flushes;
	o.run_ns = ns;
	o.observed_ns = observed;
	return o;
}

static json_t *devices_json(const struct box_reboot *r)
{
	struct box_device devices[BOX_DEVICES];
	int n = sort_devices(r, devices), i;
	json_t *all = json_array();

	for (i = 0; i < n; i++)
		json_array_append_new(all,
			json_pack("{so, so, sI}", "device", fmt_json_name(devices[i].name),
				  "driver", *devices[i].driver ?
				  fmt_json_name(devices[i].driver) : json_null(),
				  "duration_ns", (json_int_t)devices[i].duration));
	return all;
}

/*
 * What the box saw of the reboot where the kernel's recorder is the source: the same
 * phases and calls, by which both can be compared.
 */
static json_t *box_json(const struct box_reboot *reboot)
{
	struct liveupdate_recorder *r = calloc(1, sizeof(*r));
	struct black_box *box = calloc(1, sizeof(*box));
	json_t *all = json_object(), *phases, *calls;
	struct blackout b;

	if (!r || !box) {
		free(r);
		free(box);
		json_decref(all);
		return NULL;
	}
	box->reboot = *reboot;
	black_box_part(box, &r->last_out);
	blackout_measure(r, &b);
	timeline_json(r, &b, all);
	phases = json_incref(json_object_get(all, "phases"));
	while (json_array_size(phases) > SPAN_KEXEC)
		json_array_remove(phases, SPAN_KEXEC);
	calls = json_incref(json_object_get(json_object_get(all, "old_kernel"), "calls"));
	json_decref(all);
	free(r);
	free(box);
	return json_pack("{so, so?}", "phases", phases, "calls", calls);
}

void timeline_steps_json(struct steps s, json_t *root)
{
	struct observer observer = timeline_steps_observer(s);
	json_t *o, *steps;
	uint64_t ns;
	int step;

	json_object_set_new(root, "new_kernel_note",
			    s.note ? json_string(s.note) : json_null());
	json_object_set_new(root, "old_kernel_by", json_string(s.old ? "box" : "recorder"));
	json_object_set_new(root, "observer", observer_json(&observer));
	if (!s.reboot) {
		json_object_set_new(root, "shutdown", json_null());
		json_object_set_new(root, "box", json_null());
		return;
	}
	steps = json_object();
	for (step = BOX_STEP_FROZEN; step < BOX_NR_STEPS; step++) {
		if (step_names[step].key)
			json_object_set_new(steps, step_names[step].key,
					    step_ns(s.reboot, step, &ns) ?
					    json_integer(ns) : json_null());
	}
	o = json_pack("{so, sI, so, sI, sb}", "steps_ns", steps, "devices",
		      (json_int_t)s.reboot->nr_devices, "longest_devices",
		      devices_json(s.reboot), "seen_until_ns",
		      (json_int_t)(s.reboot->last - s.reboot->steps[BOX_STEP_REBOOT]),
		      "seen_to_end", s.reboot->steps[BOX_STEP_KEXEC] != 0);
	json_object_set_new(root, "shutdown", o);
	json_object_set_new(root, "box", s.old ? json_null() : box_json(s.reboot));
}
