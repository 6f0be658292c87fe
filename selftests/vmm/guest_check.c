// SPDX-License-Identifier: GPL-2.0

/*
 * Judges a guest (guest.c) by its RAM, while it runs or not:
 *
 *	guest_check NUMBER RAM [SUMS]	exit code 1 if anything is not as the guest left it,
 *					or as when --sum printed the file SUMS; without,
 *					if the guest was ever reset
 *	guest_check --pass NUMBER RAM [SUMS]	the same once the guest has looked at its
 *					whole pattern once more
 *	guest_check --wait NUMBER RAM	wait until it ticks
 *	guest_check --ticks RAM		print their number
 *	guest_check --sum RAM		print how often the guest has started, and the checksums
 *					of what does not change any more
 *	guest_check --lock FILE		hold the lock of a VMM
 *	guest_check --break ram|tick|rest RAM	change a byte of the pattern, an entry of the
 *					log, or a byte that the guest does not know
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define LIMIT		600	/* seconds; a busy machine emulates slowly */
#define CODE_END	0x110000	/* firmware, guest.c's code, data and stack */
#define PAGE		0x1000
#define MIB		0x100000

static const char * const devices[GUEST_DEVICES] = {
	[GUEST_UART]		= "the serial port's scratch register",
	[GUEST_CMOS]		= "the battery-backed RAM",
	[GUEST_PIC]		= "the interrupt mask",
	[GUEST_DEBUG_REGISTER]	= "a debug register",
	[GUEST_MSR]		= "a model-specific register",
};

struct ram {
	volatile unsigned char *bytes;
	uint64_t size;
};

static bool failed;

__attribute__((format(printf, 1, 2)))
static void fault(const char *format, ...)
{
	va_list args;

	failed = true;
	va_start(args, format);
	printf("BROKEN: ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
}

__attribute__((format(printf, 1, 2), noreturn))
static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "guest_check: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	exit(1);
}

static struct ram map(const char *path, bool writable)
{
	struct ram ram;
	struct stat st;
	int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	void *at;

	if (fd < 0 || fstat(fd, &st))
		die("cannot open '%s': %s", path, strerror(errno));
	if (st.st_size < GUEST_PATTERN)
		die("'%s' has %jd bytes; the RAM of a guest has at least %d", path,
		    (intmax_t)st.st_size, GUEST_PATTERN);
	at = mmap(NULL, st.st_size, writable ? PROT_READ | PROT_WRITE : PROT_READ,
		  MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		die("cannot map '%s': %s", path, strerror(errno));
	close(fd);
	ram.bytes = at;
	ram.size = st.st_size;
	return ram;
}

static volatile struct guest_state *state_of(struct ram ram)
{
	return (volatile void *)(ram.bytes + GUEST_STATE);
}

static volatile struct guest_tick *tick_of(struct ram ram, uint32_t n)
{
	return (volatile struct guest_tick *)(ram.bytes + GUEST_LOG) + n % GUEST_TICKS;
}

/* The oldest entry of the log that is not replaced meanwhile */
static uint32_t first_of(uint32_t n)
{
	return n > GUEST_TICKS ? n - GUEST_TICKS + GUEST_HZ : 0;
}

static void check_log(struct ram ram)
{
	uint32_t n = state_of(ram)->ticks, first = first_of(n), i, sum = 0;

	if (first)
		sum = tick_of(ram, first++)->sum;
	for (i = first; i < n; i++) {
		volatile struct guest_tick *t = tick_of(ram, i);

		if (t->tick != i) {
			fault("the log has tick %u where %u should be", t->tick, i);
			return;
		}
		sum = guest_sum(sum, i, t->tsc);
		if (t->sum != sum) {
			fault("the checksum of tick %u is %08x, should be %08x", i, t->sum,
			      sum);
			return;
		}
	}
	printf("log: ticks %u to %u, none missing, none twice\n", first, n - 1);
}

/* Whole values around a fault: they tell a step from a single wrong one. */
static void print_times(struct ram ram, uint32_t at)
{
	uint32_t n = state_of(ram)->ticks, i = at < first_of(n) + 3 ? first_of(n) : at - 3;

	for (; i < n && i <= at + 2; i++)
		printf("tick %u: time-stamp counter %#" PRIx64 ", %#" PRIx64 " at its end\n",
		       i, tick_of(ram, i)->tsc, tick_of(ram, i)->end);
}

/* The time-stamp counter goes on; the last tick is perhaps not over yet. */
static void check_ends(struct ram ram)
{
	uint32_t n = state_of(ram)->ticks, i;

	for (i = first_of(n); i + 1 < n; i++) {
		volatile struct guest_tick *t = tick_of(ram, i);

		if (t->end >= t->tsc && t->end <= tick_of(ram, i + 1)->tsc)
			continue;
		fault(t->end ? "tick %u did not end between its beginning and the next one" :
		      "tick %u was not carried to its end", i);
		print_times(ram, i);
		return;
	}
}

static void check_pattern(struct ram ram)
{
	volatile struct guest_state *s = state_of(ram);
	uint64_t at, end = GUEST_PATTERN + (uint64_t)s->touched, bad = 0;

	if (end > ram.size) {
		fault("the pattern ends at %" PRIu64 ", RAM at %" PRIu64, end, ram.size);
		return;
	}
	for (at = GUEST_PATTERN; at < end; at += 4) {
		uint32_t found = *(volatile uint32_t *)(ram.bytes + at);
		uint32_t want = guest_word(s->number, at);

		if (found != want && !bad++)
			fault("RAM differs at %#" PRIx64 ": %08x, should be %08x", at,
			      found, want);
	}
	if (bad > 1)
		fault("so do %" PRIu64 " words more", bad - 1);
	if (s->bad_words)
		fault("the guest has found %u wrong words, the first one at %#x: %08x",
		      s->bad_words, s->bad_address, s->bad_value);
	if (!failed)
		printf("RAM: %u MiB of pattern equal, seen by the guest itself in %u passes\n",
		       s->touched >> 20, s->passes);
}

/* FNV-1a over what does not change in a MiB: not firmware, code, state, log. */
static uint64_t sum_mib(struct ram ram, uint64_t at)
{
	const uint64_t state_end = GUEST_STATE + PAGE;
	const uint64_t log_end = GUEST_LOG + GUEST_TICKS * sizeof(struct guest_tick);
	uint64_t end = at + MIB, sum = 0xcbf29ce484222325ULL;

	for (; at < end; at += sizeof(sum)) {
		if (at < CODE_END || (at >= GUEST_STATE && at < state_end) ||
		    (at >= GUEST_LOG && at < log_end))
			continue;
		sum = (sum ^ *(volatile uint64_t *)(ram.bytes + at)) * 0x100000001b3ULL;
	}
	return sum;
}

/* Compare with what --sum printed. */
static void check_rest(struct ram ram, FILE *f, const char *path)
{
	uint64_t at, want, bad = 0;

	for (at = 0; at < ram.size; at += MIB) {
		if (fscanf(f, "%" SCNx64, &want) != 1)
			die("'%s' has sums of %" PRIu64 " MiB, the guest has %" PRIu64, path,
			    at / MIB, ram.size / MIB);
		if (sum_mib(ram, at) != want && !bad++)
			fault("RAM that the guest does not write differs in the MiB at %#"
			      PRIx64, at);
	}
	if (bad > 1)
		fault("so do %" PRIu64 " more", bad - 1);
	if (!bad)
		printf("RAM: all %" PRIu64 " MiB as before\n", ram.size / MIB);
}

static void check_devices(struct ram ram)
{
	volatile struct guest_state *s = state_of(ram);
	int i;

	for (i = 0; i < GUEST_DEVICES; i++)
		if (s->bad_devices & 1u << i)
			fault("%s has lost its value", devices[i]);
	if (!failed)
		printf("devices: %d with the values of the tick before, at each tick\n",
		       GUEST_DEVICES);
}

static void check_starts(struct ram ram, uint32_t before)
{
	volatile struct guest_state *s = state_of(ram);

	if (s->caught)
		fault("exception %u has ended the guest, on its stack are %#x %#x %#x %#x",
		      s->caught - 1, s->stack[0], s->stack[1], s->stack[2], s->stack[3]);
	if (s->starts == before)
		return;
	fault("the guest has started %u times, before it was %u; the last time at tick %u: it was reset",
	      s->starts, before, s->start_tick);
	print_times(ram, s->start_tick);
}

static void check_number(struct ram ram, const char *number)
{
	volatile struct guest_state *s = state_of(ram);

	if (s->magic != GUEST_MAGIC || !s->ticks)
		die("this RAM has no guest, or one that has not started");
	if (s->number != (uint32_t)atoi(number))
		die("this is the RAM of guest %u, not of %s", s->number, number);
}

static void await(struct ram ram, bool pass)
{
	volatile struct guest_state *s = state_of(ram);
	const struct timespec span = { .tv_nsec = 20000000 };
	uint32_t before = s->passes, words = s->bad_words;
	int i;

	for (i = 0; i < LIMIT * 50; i++) {
		/* One that was under way began before. */
		if (s->magic == GUEST_MAGIC && s->ticks &&
		    (!pass || s->passes >= before + 2 || s->bad_words != words))
			return;
		nanosleep(&span, NULL);
	}
	die("the guest %s after %d s", pass ? "has not looked at its pattern" :
	    "does not tick", LIMIT);
}

static int cmd_check(char **args)
{
	struct ram ram = map(args[1], false);
	FILE *sums = args[2] ? fopen(args[2], "re") : NULL;
	uint32_t starts = 1;

	if (args[2] && !sums)
		die("cannot open '%s': %s", args[2], strerror(errno));
	if (sums && fscanf(sums, "starts %" SCNu32, &starts) != 1)
		die("'%s' is not what guest_check --sum prints", args[2]);
	check_number(ram, args[0]);
	check_starts(ram, starts);
	check_log(ram);
	check_ends(ram);
	check_pattern(ram);
	check_devices(ram);
	if (sums) {
		check_rest(ram, sums, args[2]);
		fclose(sums);
	}
	return failed;
}

static int cmd_pass(char **args)
{
	await(map(args[1], false), true);
	return cmd_check(args);
}

static int cmd_wait(char **args)
{
	struct ram ram = map(args[1], false);

	await(ram, false);
	check_number(ram, args[0]);
	return 0;
}

static int cmd_ticks(char **args)
{
	printf("%u\n", state_of(map(args[0], false))->ticks);
	return 0;
}

static int cmd_sum(char **args)
{
	struct ram ram = map(args[0], false);
	uint64_t at;

	printf("starts %" PRIu32 "\n", state_of(ram)->starts);
	for (at = 0; at < ram.size; at += MIB)
		printf("%016" PRIx64 "\n", sum_mib(ram, at));
	return 0;
}

static int cmd_break(char **args)
{
	struct ram ram = map(args[1], true);
	volatile struct guest_state *s = state_of(ram);

	if (!strcmp(args[0], "ram") && s->touched)
		ram.bytes[GUEST_PATTERN + s->touched / 2] ^= 1;
	else if (!strcmp(args[0], "tick") && s->ticks)
		tick_of(ram, s->ticks - 1)->tick++;
	else if (!strcmp(args[0], "rest"))
		ram.bytes[GUEST_LOG - PAGE] ^= 1;
	else
		die("cannot break '%s', want ram, tick or rest of a guest that has ticked",
		    args[0]);
	return 0;
}

static int cmd_lock(char **args)
{
	int fd = open(args[0], O_RDWR | O_CREAT, 0600);

	if (fd < 0 || flock(fd, LOCK_EX))
		die("cannot lock '%s': %s", args[0], strerror(errno));
	printf("ready\n");
	fflush(stdout);
	pause();
	return 0;
}

static const struct {
	const char *name;
	int least, most;	/* arguments */
	int (*run)(char **args);
} commands[] = {
	{ "--pass",	2, 3,	cmd_pass },
	{ "--wait",	2, 2,	cmd_wait },
	{ "--ticks",	1, 1,	cmd_ticks },
	{ "--sum",	1, 1,	cmd_sum },
	{ "--lock",	1, 1,	cmd_lock },
	{ "--break",	2, 2,	cmd_break },
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name) &&
		    argc - 2 >= commands[i].least && argc - 2 <= commands[i].most)
			return commands[i].run(argv + 2);
	if (argc >= 3 && argc <= 4 && argv[1][0] != '-')
		return cmd_check(argv + 1);
	fprintf(stderr, "usage: guest_check [--pass] NUMBER RAM [SUMS]\n"
		"       guest_check --wait NUMBER RAM\n"
		"       guest_check --ticks|--sum RAM\n"
		"       guest_check --lock FILE\n"
		"       guest_check --break ram|tick|rest RAM\n");
	return 2;
}
