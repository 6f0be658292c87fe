// SPDX-License-Identifier: GPL-2.0

/* What the kernel log tells of kernel init, from logs that are made here. Prints TAP. */

#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "boot_log.h"
#include "kmsg.h"
#include "../tap.h"

#define MS	1000000ULL
#define INIT	"Run /init as init process"

/* A log is a socket of packets: a record a read(), EAGAIN at the end. */
static int fds[2];
static uint64_t seq;
static struct inside_item items[BOOT_LOG_ITEMS];
static uint64_t init;
static int nr;

static void begin(void)
{
	int size = 16 << 20;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds) ||
	    setsockopt(fds[1], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		perror("socket");
	seq = 0;
}

static void put(const char *record, size_t size)
{
	if (write(fds[1], record, size) != (ssize_t)size)
		perror("write");
}

/* A line of the kernel at a time in ms. */
__attribute__((format(printf, 2, 3)))
static void line(unsigned long long ms, const char *fmt, ...)
{
	char text[8192], record[sizeof(text) + 64];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put(record, snprintf(record, sizeof(record), "6,%llu,%llu,-,caller=T%llu;%s\n",
			     (unsigned long long)seq, ms * 1000,
			     (unsigned long long)seq % 3, text));
	seq++;
}

static void end(void)
{
	nr = boot_log_items(fds[0], items, &init);
	close(fds[0]);
	close(fds[1]);
}

static const struct inside_item *item(const char *text)
{
	int i;

	for (i = 0; i < nr; i++) {
		if (!strcmp(items[i].text, text))
			return &items[i];
	}
	return NULL;
}

/* Whether there is an item of these times in ms; shows what there is if not. */
static void has(const char *text, uint64_t from, uint64_t to, uint64_t ns)
{
	const struct inside_item *is = item(text);
	int i;

	if (check(is && is->from == from * MS && is->to == to * MS && is->ns == ns * MS &&
		  is->span == SPAN_INIT && is->source == INSIDE_LOG,
		  "%llu to %llu ms: %s", (unsigned long long)from, (unsigned long long)to,
		  text))
		return;
	for (i = 0; i < nr; i++)
		printf("# %llu us, %llu to %llu us: %s\n",
		       (unsigned long long)items[i].ns / 1000,
		       (unsigned long long)items[i].from / 1000,
		       (unsigned long long)items[i].to / 1000, items[i].text);
}

static void test_silences(void)
{
	begin();
	line(0, "Linux version 7.3.4");
	line(10, "Unpacking initramfs...");
	line(650, "Freeing initrd memory: 8K");
	line(660, INIT);
	line(5000, "of no interest");
	end();
	check(nr == 3 && init == 660 * MS, "user space starts at its line");
	has("no kernel message after \"Linux version 7.3.4\"", 0, 10, 10);
	has("no kernel message after \"Unpacking initramfs...\"", 10, 650, 640);
	has("no kernel message after \"Freeing initrd memory: 8K\"", 650, 660, 10);

	begin();
	line(100, "late");
	line(200, INIT);
	end();
	has("before the first kernel message", 0, 100, 100);

	begin();
	line(100, "a");
	line(300, "b");
	line(200, "c, of another CPU");
	line(400, INIT);
	end();
	has("no kernel message after \"a\"", 100, 300, 200);
	has("no kernel message after \"c, of another CPU\"", 300, 400, 100);
}

static void test_unknown(void)
{
	begin();
	seq = 50;
	line(100, "the first one that is left");
	line(300, INIT);
	end();
	check(nr == 1, "what was overwritten is unknown");
	has("no kernel message after \"the first one that is left\"", 100, 300, 200);

	begin();
	line(0, "a");
	line(100, "b");
	seq += 2;
	line(300, "c");
	line(400, INIT);
	end();
	check(nr == 2 && !item("no kernel message after \"b\""),
	      "lost in the middle: what is next to it is unknown");
	has("no kernel message after \"c\"", 300, 400, 100);

	begin();
	line(0, "a");
	line(1000, "b");
	end();
	check(!nr, "no line of init: all is unknown");
	begin();
	end();
	check(!nr, "an empty log");
}

static void test_initcalls(void)
{
	begin();
	line(0, "calling  a_init+0x0/0x10 @ 1");
	line(100, "initcall a_init+0x0/0x10 returned 0 after 90000 usecs");
	line(100, "calling  b+0x0/0x8 [mod] @ 1");
	line(150, "said by b");
	line(300, "initcall b+0x0/0x8 [mod] returned -19 after 200000 usecs");
	line(340, "initcall 0xffffffff81000000 returned 0 after 0 usecs");
	line(400, INIT);
	end();
	has("initcall a_init", 10, 100, 90);
	has("initcall b [mod]", 100, 300, 200);
	has("no kernel message after \"calling  a_init+0x0/0x10 @ 1\"", 0, 10, 10);
	check(!item("no kernel message after \"said by b\""),
	      "silence inside of an initcall is none of its own");
	check(!item("initcall 0xffffffff81000000"), "an initcall of no time is none");
}

/* A module's initcall in another, and two of them at the same time. */
static void test_overlapping(void)
{
	begin();
	line(0, "a");
	line(50, "initcall inner+0x0/0x1 [m] returned 0 after 20000 usecs");
	line(100, "initcall outer+0x0/0x1 returned 0 after 90000 usecs");
	line(130, "initcall other+0x0/0x1 returned 0 after 60000 usecs");
	line(140, INIT);
	end();
	has("initcall inner [m]", 30, 50, 20);
	has("initcall outer", 10, 100, 90);
	has("initcall other", 70, 130, 60);
	has("no kernel message after \"a\"", 0, 10, 10);
	check(nr == 5, "silences are what is in no initcall: %d items", nr);
}

static void test_others(void)
{
	unsigned int i, n = 0;

	begin();
	line(0, "begin");
	/* Of 1 to 100 ms, without a gap. */
	for (i = 1; i <= 100; i++) {
		n += i;
		line(n, "initcall f%u+0x0/0x10 returned 0 after %u usecs", i, i * 1000);
	}
	/* In a longer one. */
	line(n, "initcall f_in+0x0/0x10 returned 0 after 500 usecs");
	line(n, INIT);
	end();
	check(nr == BOOT_LOG_LONGEST + 1 && item("initcall f100") && item("initcall f45") &&
	      !item("initcall f44"), "the longest are listed");
	/* 1 + ... + 44, and nothing for what another one covers. */
	has("45 other initcalls", 0, n, 45 * 22);
}

static void test_malformed(void)
{
	static const char *const bad[] = {
		"initcall a returned 0 after 5000 usecs, or not",
		"initcall a returned 0 after many usecs",
		"initcall a returned after 5000 usecs",
		"initcall a",
		"initcall  returned 0 after 5000 usecs",
		"an initcall a returned 0 after 5000 usecs",
		"initcall a returned 0 after 20001 usecs",
		"initcall a returned 0 after 99999999999999999999999 usecs",
		"initcall a returned 0 after -5 usecs",
	};
	unsigned int i;
	int calls = 0, k;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin();
		line(0, "a");
		line(20, "%s", bad[i]);
		line(30, INIT);
		end();
		for (k = 0; k < nr; k++)
			calls += !strncmp(items[k].text, "initcall", 8);
		if (nr != 2 || calls)
			printf("# %s\n", bad[i]);
	}
	check(!calls, "no initcall: %d were", calls);

	begin();
	line(0, "a");
	put("6,7;no time\n", 12);
	put("nothing\n", 8);
	put(";\n", 2);
	put("6,1,99999999999999999999,-;far\n", 31);
	put("6,2,18446744073709551615,-;far\n", 31);
	seq = 3;
	line(20, INIT);
	end();
	has("no kernel message after \"a\"", 0, 20, 20);
}

static void test_user(void)
{
	begin();
	line(0, "a");
	put("14,1,5000,-;initcall x returned 0 after 4000 usecs\n", 52);
	put("14,2,6000,-;" INIT "\n", 12 + sizeof(INIT));
	seq = 3;
	line(20, INIT);
	end();
	check(nr == 1, "what user space wrote is not the kernel's");
	has("no kernel message after \"a\"", 0, 20, 20);
}

static void test_texts(void)
{
	char longest[3001], record[4096];

	begin();
	line(0, "ACPI: \\x1b[31m\\xc3\\xa9 \\x5c \\xff\\x0asecond line");
	line(10, "said\n TEXT=;" INIT);
	line(20, "\\x0a\\x0a  after empty lines");
	line(30, "%s", "");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	line(40, "%s", longest);
	line(50, "nul \\x00 inside");
	line(60, INIT);
	end();
	has("no kernel message after \"ACPI: \\x1b[31m\xc3\xa9 \\x5c \\xff\"", 0, 10, 10);
	has("no kernel message after \"said\"", 10, 20, 10);
	has("no kernel message after \"after empty lines\"", 20, 30, 10);
	has("no kernel message after \"\"", 30, 40, 10);
	snprintf(record, sizeof(record), "no kernel message after \"%.92s...\"", longest);
	has(record, 40, 50, 10);
	has("no kernel message after \"nul \\x5cx00 inside\"", 50, 60, 10);
}

static void set_by(long long offset, unsigned int ms)
{
	begin();
	line(0, "a");
	line(ms, "sched_clock: Marking stable (1, 2)->(3, %lld)", offset);
	line(3000, INIT);
	end();
}

/* What it has missed does not count: it is not known where. */
static void test_missed(void)
{
	static const char lost[] = "lost ticks, for which the clock of the log stood still";

	set_by(-727000000, 2000);
	has(lost, 0, 2000, 727);
	check(item(lost) && item(lost)->detail &&
	      !item("no kernel message after \"a\"")->detail, "which is a detail");
	set_by(-900000, 2000);
	check(!item(lost) && nr == 2, "less than a millisecond is no lost tick");
	set_by(727000000, 2000);
	check(!item(lost) && nr == 2, "a clock that was ahead has lost none");
	set_by(-2727000000, 2000);
	check(!item(lost) && nr == 2, "more than there was");
	set_by(INT64_MIN, 2000);
	check(!item(lost) && nr == 2, "nonsense");
}

/* Whatever a byte of a record becomes, items stay sane. */
static void test_damaged(void)
{
	static const char good[] =
		"6,1,20000,-,caller=T1;initcall a+0x0/0x1 [m] returned 0 after 9000 usecs\n";
	static const char bytes[] = { 0, ' ', '\n', ';', ',', '9', '-', '\\', '"', 0x7f, -1 };
	char record[sizeof(good)];
	unsigned int i, k, bad = 0;
	int n;

	for (i = 0; i < sizeof(good) - 1; i++) {
		for (k = 0; k < sizeof(bytes); k++) {
			memcpy(record, good, sizeof(good));
			record[i] = bytes[k];
			begin();
			line(0, "a");
			put(record, sizeof(good) - 1);
			seq = 2;
			line(30, INIT);
			end();
			for (n = 0; n < nr; n++)
				bad += items[n].from >= items[n].to ||
				       items[n].ns > items[n].to - items[n].from ||
				       !memchr(items[n].text, '\0', INSIDE_TEXT);
			bad += nr > 3;
		}
	}
	check(!bad, "damaged records do no harm: %u did", bad);
}

int main(void)
{
	test_silences();
	test_unknown();
	test_initcalls();
	test_overlapping();
	test_others();
	test_malformed();
	test_user();
	test_texts();
	test_missed();
	test_damaged();
	return end_tests();
}
