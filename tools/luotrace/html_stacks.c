// SPDX-License-Identifier: GPL-2.0

#include <stdlib.h>
#include <string.h>

#include "html_stacks.h"
#include "html_write.h"
#include "stacks.h"

#define LINE		18	/* height of a row of boxes */
#define LEAST		(WIDTH / 1000.0) /* of a box that is drawn, with those below */
#define CHAR		7.4	/* width of a character, about */
#define HEAD		3	/* rows of target, operation, on or off a CPU */
#define DEPTH		(HEAD + LT_STACK_FRAMES)

/* A stack from the top of the drawing to the bottom. */
struct tower {
	bool off;
	uint64_t ns;
	size_t nr;
	const char *names[DEPTH];
};

struct flames {
	struct tower *all;
	size_t nr;
	uint64_t total;		/* ns */
	size_t deepest;		/* row that is drawn */
};

/* Time on a CPU is left of time off it, whatever they are called. */
static int compare_towers(const void *a, const void *b)
{
	const struct tower *x = a, *y = b;
	size_t i;
	int c;

	for (i = 0; i < x->nr && i < y->nr; i++) {
		c = i == HEAD - 1 ? (int)x->off - (int)y->off :
				    strcmp(x->names[i], y->names[i]);
		if (c)
			return c;
	}
	return x->nr < y->nr ? -1 : x->nr > y->nr;
}

/* The end of the towers from @at on that share the box in that row. */
static size_t same_box(const struct flames *all, size_t at, size_t end, size_t row,
		       uint64_t *ns)
{
	size_t i;

	*ns = 0;
	for (i = at; i < end; i++) {
		if (strcmp(all->all[i].names[row], all->all[at].names[row]))
			break;
		*ns += all->all[i].ns;
	}
	return i;
}

/* As much of a name as fits. */
static void label(const char *name, double x, double y, double width, FILE *f)
{
	size_t size = 4 * strlen(name) + 1, room = width / CHAR;
	char *buf = malloc(size);

	if (!buf || room < 4) {
		free(buf);
		return;
	}
	fmt_text(buf, size, name);
	fprintf(f, "<text x=\"%.2f\" y=\"%.0f\">", x + 3, y + LINE - 5);
	if (strlen(buf) < room) {
		quoted(f, buf);
	} else {
		/* Not inside a character. */
		for (room -= 2; room && (buf[room] & 0xc0) == 0x80; room--)
			;
		buf[room] = '\0';
		quoted(f, buf);
		fputs("..", f);
	}
	fputs("</text>", f);
	free(buf);
}

static void draw_box(const struct flames *all, const struct tower *t, size_t row,
		     double x, uint64_t ns, FILE *f)
{
	double width = (double)ns / all->total * WIDTH, y = row * LINE;
	const char *class = row < HEAD - 1 ? "head" : t->off ? "off" : "on";
	char time[FMT_LEN];

	fprintf(f, "<rect class=\"%s\" x=\"%.2f\" y=\"%.0f\" width=\"%.2f\" height=\"%d\"><title>",
		class, x, y, width, LINE - 1);
	text(f, t->names[row]);
	fprintf(f, ": %s, %.1f %%</title></rect>", fmt_ns(time, ns),
		100.0 * ns / all->total);
	label(t->names[row], x, y, width, f);
	fputc('\n', f);
}

/* The boxes of a row and below; with no file only the deepest row is found. */
static void draw_row(struct flames *all, size_t at, size_t end, size_t row, double x,
		     FILE *f)
{
	uint64_t ns;
	size_t next;

	for (; at < end; at = next) {
		next = at + 1;
		ns = all->all[at].ns;
		if (row < all->all[at].nr) {
			next = same_box(all, at, end, row, &ns);
			if ((double)ns / all->total * WIDTH >= LEAST) {
				if (f)
					draw_box(all, &all->all[at], row, x, ns, f);
				else if (row > all->deepest)
					all->deepest = row;
				draw_row(all, at, next, row + 1, x, f);
			}
		}
		x += (double)ns / all->total * WIDTH;
	}
}

static void add_tower(struct flames *all, json_t *call, json_t *stack)
{
	struct tower *t = &all->all[all->nr];
	json_t *frame;
	size_t i;

	t->ns = json_integer_value(json_object_get(stack, "ns"));
	t->off = !json_is_true(json_object_get(stack, "on_cpu"));
	t->names[0] = json_string_value(json_object_get(call, stacks_target(call)));
	t->names[1] = json_string_value(json_object_get(call, "op"));
	t->names[2] = t->off ? "off the CPU" : "on a CPU";
	t->nr = HEAD;
	json_array_foreach(json_object_get(stack, "frames"), i, frame)
		t->names[t->nr++] = json_string_value(frame);
	all->total += t->ns;
	all->nr += t->ns > 0;
}

static void draw(json_t *calls, FILE *f)
{
	struct flames all = {};
	json_t *call, *stack;
	size_t i, j, nr = 0;

	json_array_foreach(calls, i, call)
		nr += json_array_size(json_object_get(call, "stacks"));
	all.all = calloc(nr + 1, sizeof(*all.all));
	json_array_foreach(calls, i, call) {
		json_array_foreach(json_object_get(call, "stacks"), j, stack) {
			if (all.all)
				add_tower(&all, call, stack);
		}
	}
	if (all.nr) {
		qsort(all.all, all.nr, sizeof(*all.all), compare_towers);
		draw_row(&all, 0, all.nr, 0, 0, NULL);
		fprintf(f, "<svg class=\"flames\" viewBox=\"0 0 %d %zu\" role=\"img\" aria-label=\"flame graph of long calls\">\n",
			WIDTH, (all.deepest + 1) * LINE);
		draw_row(&all, 0, all.nr, 0, 0, f);
		fputs("</svg>\n", f);
	}
	free(all.all);
}

static void table(json_t *calls, FILE *f)
{
	json_t *call;
	size_t i;

	fputs("<table><tr><th>name<th>operation<th class=n>calls<th class=n>in all<th class=n>on a CPU<th class=n>off the CPU</tr>\n",
	      f);
	json_array_foreach(calls, i, call) {
		fputs("<tr>", f);
		cell(f, NULL, json_string_value(json_object_get(call,
							stacks_target(call))));
		cell(f, NULL, json_string_value(json_object_get(call, "op")));
		cell_number(f, json_integer_value(json_object_get(call, "count")));
		cell_ns(f, json_integer_value(json_object_get(call, "total_ns")));
		cell_ns(f, json_integer_value(json_object_get(call, "on_cpu_ns")));
		cell_ns(f, json_integer_value(json_object_get(call, "off_cpu_ns")));
		fputs("</tr>\n", f);
	}
	if (!json_array_size(calls))
		fputs("<tr><td colspan=6 class=dim>none</td></tr>\n", f);
	fputs("</table>\n", f);
}

/* What is not known. */
static void losses(json_t *stacks, FILE *f)
{
	const char *missing = json_string_value(json_object_get(stacks, "missing"));
	unsigned long long lost, calls;

	lost = json_integer_value(json_object_get(stacks, "lost_stacks"));
	calls = json_integer_value(json_object_get(stacks, "lost_calls"));
	if (json_is_null(json_object_get(stacks, "period_ns")))
		fputs("<p class=bad>Time on a CPU is unknown: the kernel gave no perf event.</p>\n",
		      f);
	if (missing) {
		fputs("<p class=bad>", f);
		text(f, missing);
		fputs("</p>\n", f);
	}
	if (lost || calls)
		fprintf(f, "<p class=bad>%llu stack%s, and those of %llu call%s, found no room.</p>\n",
			lost, fmt_s(lost), calls, fmt_s(calls));
}

void html_stacks(json_t *stacks, FILE *f)
{
	json_t *calls = json_object_get(stacks, "calls");
	char min[FMT_LEN];

	if (!json_is_object(stacks))
		return;
	fprintf(f, "<h2>Where calls of %s and more spent their time</h2>\n",
		fmt_ns(min, json_integer_value(json_object_get(stacks, "min_ns"))));
	fputs("<p class=dim>A function is below the one that called it, and as wide as the time was long. "
	      "Calls in parallel are added up. Time on a CPU is sampled, time off it is measured.</p>\n",
	      f);
	losses(stacks, f);
	draw(calls, f);
	table(calls, f);
}
