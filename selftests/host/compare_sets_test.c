// SPDX-License-Identifier: GPL-2.0

/*
 * luotrace compare on simulated live updates, with the noise of a busy machine: equal sides
 * have no difference, one handler that takes 20 ms longer is the only one. Prints TAP, and
 * how often chance was taken for a difference.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "noise.h"
#include "tap.h"

#define US	1000.0
#define MS	1000000.0
#define PAIRS	1000	/* that are equal */
#define SLOWER	200	/* of which one is slower */
#define ALARMS	5	/* at most, where one is to be expected */

static uint64_t state;

/* Uniform from 0 to 1; xorshift. */
static double uniform(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) / 9007199254740992.0;
}

static double normal(void)
{
	return sqrt(-2 * log(1 - uniform())) * cos(2 * M_PI * uniform());
}

/*
 * Calls, and what phases take beside them: the medians of 20 live updates of the emulated
 * machine in the VM test "compare", while two CPUs ran five other jobs, and how much these
 * differed.
 */
static const struct leaf {
	enum span span;
	const char *name;	/* NULL for the rest of a phase */
	unsigned int kind, op, scope, calls;
	double ns, noise;	/* and the standard deviation of its logarithm */
} leaves[] = {
	{ SPAN_PREPARE, NULL, 0, 0, 0, 0, 167 * US, 0.3 },
	{ SPAN_FREEZE, NULL, 0, 0, 0, 0, 1500 * US, 0.4 },
	{ SPAN_FREEZE, "memfd-v2", 0, 5, 2, 4, 23 * US, 0.4 },
	{ SPAN_FREEZE, "luo-test-v1", 0, 5, 2, 2, 61 * US, 0.5 },
	{ SPAN_FREEZE, "luo-recorder", 1, 5, 2, 1, 36 * US, 0.2 },
	{ SPAN_FREEZE, "luo-test-flb-v1", 2, 5, 2, 1, 9 * US, 0.3 },
	{ SPAN_SHUTDOWN, NULL, 0, 0, 0, 0, 15 * MS, 0.8 },
	{ SPAN_KEXEC, NULL, 0, 0, 0, 0, 1280 * MS, 0.4 },
	{ SPAN_INIT, NULL, 0, 0, 0, 0, 2960 * MS, 0.3 },
	{ SPAN_INIT, "luo-recorder", 1, 10, 0, 1, 225 * US, 0.3 },
	{ SPAN_USER, NULL, 0, 0, 0, 0, 640 * MS, 0.4 },
	{ SPAN_RESTORE, NULL, 0, 0, 0, 0, 130 * MS, 0.4 },
	{ SPAN_RESTORE, "memfd-v2", 0, 7, 0, 4, 122 * MS, 0.4 },
	{ SPAN_RESTORE, "luo-test-v1", 0, 7, 0, 2, 434 * US, 0.8 },
	{ SPAN_FINISH, NULL, 0, 0, 0, 0, 10 * MS, 0.5 },
	{ SPAN_FINISH, "memfd-v2", 0, 9, 0, 4, 23 * US, 0.2 },
	{ SPAN_FINISH, "luo-test-v1", 0, 8, 0, 2, 185 * US, 0.8 },
	{ SPAN_FINISH, "luo-test-v1", 0, 9, 0, 2, 29 * US, 0.2 },
	{ SPAN_NR, "memfd-v2", 0, 1, 0, 4, 55 * MS, 0.6 },
	{ SPAN_NR, "luo-test-v1", 0, 1, 0, 2, 84 * US, 0.3 },
	{ SPAN_NR, "luo-test-v1", 0, 3, 1, 2, 27 * US, 0.3 },
};

#define LEAVES	(sizeof(leaves) / sizeof(leaves[0]))

/* Its time: the noise is a factor, within bounds as all that was measured. */
static double draw(const struct leaf *leaf, double machine)
{
	return leaf->ns * machine * exp(leaf->noise * sqrt(3) * (2 * uniform() - 1));
}

/* One of 80 is interrupted, by something else that has a time slice. */
static double interruption(void)
{
	return uniform() < 1 / 80.0 ? (3 + 4 * uniform()) * MS : 0;
}

static void add(struct compare_run *run, struct measure m)
{
	run->all = reallocarray(run->all, run->n + 1, sizeof(m));
	if (!run->all)
		abort();
	run->all[run->n++] = m;
}

/* A live update; each call of leaf @slow takes @by longer. */
static void make_run(struct compare_run *run, size_t slow, double by)
{
	double phases[SPAN_NR + 1] = { 0 }, machine = exp(0.1 * normal()), all = 0;
	double ns, other;
	const struct leaf *l;
	size_t i;
	int s;

	memset(run, 0, sizeof(*run));
	memset(run->complete, 1, sizeof(run->complete));
	run->source = strdup("simulated");
	for (i = 0; i < LEAVES; i++) {
		l = &leaves[i];
		ns = draw(l, machine) + (i == slow ? by * l->calls : 0);
		other = interruption();
		phases[l->span] += ns + other;
		if (!l->name)
			continue;
		add(run, (struct measure){
			.of = MEASURE_CALL, .span = l->span, .kind = l->kind, .op = l->op,
			.by = l->span >= SPAN_KEXEC && l->span < SPAN_NR ? BY_NEW_KERNEL :
									   BY_OLD_KERNEL,
			.scope = l->scope, .known = true, .ns = ns + other,
			.count = l->calls, .total = ns + other,
			.longest = ns / l->calls * (l->calls > 1 ? 1.2 : 1) + other });
		strcpy(run->all[run->n - 1].name, l->name);
	}
	for (s = 0; s < SPAN_NR; s++) {
		all += phases[s];
		add(run, (struct measure){ .of = MEASURE_PHASE, .span = s, .known = true,
					   .ns = phases[s] });
	}
	add(run, (struct measure){ .of = MEASURE_BLACKOUT, .span = SPAN_NR, .known = true,
				   .ns = all });
	add(run, (struct measure){ .of = MEASURE_WINDOW, .span = SPAN_NR, .known = true,
				   .ns = phases[SPAN_FREEZE] + phases[SPAN_SHUTDOWN] });
	add(run, (struct measure){ .of = MEASURE_WORKLOAD, .span = SPAN_NR, .name = "vm-1",
				   .known = true, .ns = all + 170 * MS * exp(0.1 * normal()) });
}

static void make_side(struct compare_side *side, int n, size_t slow, double by)
{
	side->runs = calloc(n, sizeof(*side->runs));
	if (!side->runs)
		abort();
	for (side->n = 0; side->n < n; side->n++)
		make_run(&side->runs[side->n], slow, by);
}

/*
 * Compare two sides of @n and @m live updates. Returns whether all that differs is leaf
 * @slow, or nothing with LEAVES; @found is set to whether that does.
 */
static bool compare_once(int n, int m, size_t slow, double by, bool *found)
{
	struct compare_side sides[2];
	struct compare c = { .sides = { &sides[0], &sides[1] }, .names = { "a", "b" } };
	const struct compare_row **all;
	int nr;

	make_side(&sides[0], n, LEAVES, 0);
	make_side(&sides[1], m, slow, by);
	if (!compare_sides(&c))
		abort();
	all = compare_differences(&c);
	for (nr = 0, *found = false; all[nr]; nr++)
		*found = *found || (slow < LEAVES && all[nr]->verdict == VERDICT_WORSE &&
				    all[nr]->what.of == MEASURE_CALL &&
				    all[nr]->what.op == leaves[slow].op &&
				    all[nr]->what.span == leaves[slow].span &&
				    !strcmp(all[nr]->what.name, leaves[slow].name));
	free(all);
	compare_free(&c);
	compare_side_free(&sides[0]);
	compare_side_free(&sides[1]);
	return nr == *found;
}

#define SET(...) ((struct noise_set){ (const uint64_t[]){ __VA_ARGS__ },		\
	sizeof((uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t) })

static bool nearly(uint64_t is, double want)
{
	bool ok = fabs(is - want) < want / 1000;

	if (!ok)
		printf("# is %llu, want %.0f\n", (unsigned long long)is, want);
	return ok;
}

/* With the quantiles of published tables: of 0.9995, as the test is two-sided. */
static void test_rules(void)
{
	const double error = sqrt(3);

	check(noise_median(SET(1, 2, 9)) == 2 && noise_median(SET(1, 2, 8, 9)) == 5 &&
	      noise_spread(SET(1, 2, 9)) == 1 && noise_spread(SET(7)) == 0,
	      "median and spread");
	check(noise_needed(SET(1000000), SET(30000000), 15 * MS, 9) == 15 * MS &&
	      noise_needed(SET(90000000), SET(4000000), 15 * MS, 9) == 36 * MS,
	      "one time has to be ten times the other one, and so much longer");
	check(noise_needed(SET(1000000, 3000000), SET(30000000, 34000000), 12 * MS, 9) ==
	      13500000 + 1 * MS + 2 * MS &&
	      noise_needed(SET(1000, 1000), SET(30000000, 34000000), 12 * MS, 9) ==
	      6 * MS + 2 * MS, "with two each half of it, from the longest to the shortest");
	/* Squares of the distances, and of a fiftieth of the median, 2 ms. */
	check(nearly(noise_needed(SET(99000000, 100000000, 101000000),
				  SET(100000000, 101000000, 102000000), 60 * MS, 1),
		     8.6103 * error * sqrt((1 + 4) * 2 / 3.0) * MS), "t of 4 degrees");
	check(nearly(noise_needed(SET(99000000, 100000000, 101000000),
				  SET(100000000, 101000000), 60 * MS, 1),
		     12.924 * error * sqrt((2.5 / 3 + 4) * 5 / 6.0) * MS), "of 3");
	check(nearly(noise_needed(SET(98000000, 99000000, 100000000, 101000000, 102000000),
				  SET(98000000, 99000000, 100000000, 101000000, 102000000),
				  60 * MS, 1),
		     5.0413 * error * sqrt((2.5 + 4) * 2 / 5.0) * MS), "of 8");
	check(nearly(noise_needed(SET(100000000, 100000000, 100000000),
				  SET(100000000, 100000000, 100000000), 60 * MS, 1),
		     8.6103 * error * sqrt(4 * 2 / 3.0) * MS),
	      "times that are equal by chance have a spread");
	check(noise_needed(SET(1000, 1000, 1000), SET(1000, 1000, 1000), 60 * MS, 1) ==
	      NOISE_LEAST_NS && noise_needed(SET(1000, 1000, 1000, 1000), SET(1000),
					     60 * MS, 1) == 60 * MS,
	      "a difference has a least size, more if one side is a single time");
	check(nearly(noise_needed(SET(98000000, 99000000, 100000000, 101000000, 102000000),
				  SET(98000000, 99000000, 100000000, 101000000, 900000000),
				  60 * MS, 1),
		     5.4079 * error * sqrt((15 / 7.0 + 4) * 2 / 5.0) * MS),
	      "one that is far from all others is no spread");
}

static const int sizes[][2] = {
	{ 1, 1 }, { 1, 5 }, { 2, 2 }, { 3, 3 }, { 5, 5 }, { 5, 10 }, { 10, 10 }, { 20, 20 },
};

#define SIZES	(sizeof(sizes) / sizeof(sizes[0]))

static void test_equal(void)
{
	int i, alarms, ten;
	bool found;
	size_t k;

	for (k = 0; k < SIZES; k++) {
		state = 88172645463325252ULL + k;
		for (i = alarms = ten = 0; i < PAIRS; i++) {
			alarms += !compare_once(sizes[k][0], sizes[k][1], LEAVES, 0, &found);
			ten += i == 9 ? 10 - alarms : 0;
		}
		printf("# %d and %d equal live updates: %d of %d pairs have a difference\n",
		       sizes[k][0], sizes[k][1], alarms, PAIRS);
		check(ten == 10, "%d and %d equal live updates: none in ten of ten",
		      sizes[k][0], sizes[k][1]);
		check(alarms <= ALARMS, "few in a thousand");
	}
}

/* Freeze or finish of the test handler, 20 ms in two calls. */
static void test_slower(void)
{
	static const size_t slow[] = { 3, 17 };
	int i, named, ten;
	bool found;
	size_t k, j;

	for (k = 0; k < SIZES; k++) {
		for (j = 0; j < 2; j++) {
			state = 2463534242ULL + k;
			for (i = named = ten = 0; i < SLOWER; i++) {
				named += compare_once(sizes[k][0], sizes[k][1], slow[j], 10 * MS,
						      &found) && found;
				ten += i == 9 ? named : 0;
			}
			printf("# %d and %d, 20 ms slower: exactly that in %d of %d pairs, %d of the first ten\n",
			       sizes[k][0], sizes[k][1], named, SLOWER, ten);
			check(100 * named >= 97 * SLOWER && (ten == 10 || sizes[k][0] < 5),
			      "%d and %d live updates, one handler 20 ms slower: exactly that",
			      sizes[k][0], sizes[k][1]);
		}
	}
}

int main(void)
{
	puts("TAP version 13");
	test_rules();
	test_equal();
	test_slower();
	return end_tests();
}
