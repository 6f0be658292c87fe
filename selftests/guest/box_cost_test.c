// SPDX-License-Identifier: GPL-2.0

/*
 * The cost of the black box: a session of FILES memfds is frozen by a reboot() that fails at
 * the session after it, repeatedly, alternately with luotrace record --carry and without it.
 * Prints JSON.
 *
 *	box_cost_test FUNCTION FILES ROUNDS
 *
 * FUNCTION of the kernel freezes the files of a session.
 */

#include "bench_luotrace.h"

#include <sys/stat.h>

#define TRACING	"/sys/kernel/tracing/"
#define TIMES	5	/* reboots of a round, with and without each */
#define IDLE	10	/* seconds */
#define SIZE	4096

static const char *function;
static char *const carry[] = {
	"luotrace", "record", "--carry", "--dir", "/tmp/updates", NULL
};

static void trace_begin(void)
{
	char text[256];

	snprintf(text, sizeof(text), "p:luo/begin %s\nr:luo/end %s\n", function, function);
	write_file(TRACING "kprobe_events", text);
	write_file(TRACING "events/luo/enable", "1");
}

/* Duration of the first call of the function since the trace was cleared. */
static double traced_ns(void)
{
	FILE *f = fopen(TRACING "trace", "r");
	double at, begin = 0;
	char line[512];

	must(f, "trace");
	while (fgets(line, sizeof(line), f)) {
		char *what = strstr(line, ": begin: ") ?: strstr(line, ": end: ");

		if (!what || line[0] == '#')
			continue;
		while (what > line && what[-1] != ' ')
			what--;
		at = atof(what);
		if (begin) {
			fclose(f);
			return (at - begin) * 1e9;
		}
		begin = at;
	}
	must(false, "the freeze is not in the trace");
	return 0;
}

/* A freeze; everything is as before afterwards. */
static double freeze_ns(void)
{
	int err;

	write_file(TRACING "trace", "\n");
	err = reboot_kexec();
	must(err == -EDOM, "reboot() did not fail as it should");
	return traced_ns();
}

static void freeze(json_t *to)
{
	int i;

	for (i = 0; i < TIMES; i++)
		json_array_append_new(to, json_real(freeze_ns()));
}

/* Bytes of a kind of BPF object that the kernel has allocated. */
static long memlock(int next(__u32, __u32 *), int open_id(__u32))
{
	long sum = 0, bytes;
	char line[256];
	__u32 id = 0;
	FILE *f;
	int fd;

	while (!next(id, &id)) {
		fd = open_id(id);
		if (fd < 0)
			continue;
		snprintf(line, sizeof(line), "/proc/self/fdinfo/%d", fd);
		f = fopen(line, "r");
		must(f, line);
		while (fgets(line, sizeof(line), f)) {
			if (sscanf(line, "memlock: %ld", &bytes) == 1)
				sum += bytes;
		}
		fclose(f);
		close(fd);
	}
	return sum;
}

/*
 * KiB of a process that are resident, without the mapped pages of BPF maps, which are
 * counted as such: its program's, others that belong to files, its own.
 */
static json_t *resident(pid_t pid)
{
	long program = 0, box = 0, own = 0, *to = &own, kib;
	char line[512];
	FILE *f;

	snprintf(line, sizeof(line), "/proc/%d/smaps", pid);
	f = fopen(line, "r");
	must(f, line);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Rss: %ld", &kib) == 1 && to)
			*to += kib;
		else if (strstr(line, "/luotrace\n"))
			to = &program;
		else if (strstr(line, "memfd:"))
			to = &box;
		else if (strstr(line, "bpf-map"))
			to = NULL;
		else if (sscanf(line, "%*x-%*x %*s %*x") == 0 && strchr(line, '-') &&
			 strchr(line, '-') < strchr(line, ' '))
			to = &own;
	}
	fclose(f);
	return json_pack("{sI, sI, sI}", "program", (json_int_t)program, "box",
			 (json_int_t)box, "own", (json_int_t)own);
}

static json_t *memory(pid_t pid)
{
	json_t *all = resident(pid);

	json_object_set_new(all, "maps",
			    json_integer(memlock(bpf_map_get_next_id,
					 bpf_map_get_fd_by_id) / 1024));
	json_object_set_new(all, "programs",
			    json_integer(memlock(bpf_prog_get_next_id,
					 bpf_prog_get_fd_by_id) / 1024));
	return all;
}

/* Microseconds of CPU time that a process has used. */
static double cpu_us(pid_t pid)
{
	struct timespec ts;
	clockid_t clock;

	must(!clock_getcpuclockid(pid, &clock) && !clock_gettime(clock, &ts), "CPU time");
	return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

/* In a second in which nothing happens. */
static double idle_us(pid_t pid)
{
	double before;

	sleep(2);
	before = cpu_us(pid);
	sleep(IDLE);
	return (cpu_us(pid) - before) / IDLE;
}

/* A file whose freeze fails. */
static int refuse(void)
{
	int fd = open("/dev/luo_test_module", O_RDWR);

	if (fd >= 0) {
		must(write(fd, "x", 1) == 1, "refuse");
		return fd;
	}
	fd = test_file(1);
	must(fd >= 0 && !test_set(fd, LIVEUPDATE_TEST_FREEZE, EDOM, 0), "refuse");
	return fd;
}

int main(int argc, char **argv)
{
	json_t *without = json_array(), *with = json_array(), *start = json_array();
	json_t *progs = NULL, *mem = NULL;
	int dev = open_device(), files, rounds, i, fd, last;
	double idle = 0;
	uint64_t begun;
	pid_t pid;

	must(argc == 4 && dev >= 0, "usage: box_cost_test FUNCTION FILES ROUNDS");
	function = argv[1];
	files = atoi(argv[2]);
	rounds = atoi(argv[3]);
	last = create(dev, "bench");
	for (i = 0; i < files; i++) {
		fd = memfd(SIZE, i);
		must(!preserve(last, fd, i), "preserve");
		close(fd);
	}
	last = create(dev, "refuse");
	must(!preserve(last, refuse(), 0), "preserve");
	close(dev);
	must(!system("vm-kexec --load"), "load");
	trace_begin();
	freeze_ns();
	for (i = 0; i < rounds; i++) {
		freeze(without);
		begun = now_ns();
		pid = attach("is ready", carry);
		json_array_append_new(start, json_integer(now_ns() - begun));
		freeze_ns();
		freeze(with);
		/* The time of each program is counted in the last round only, as this costs, too. */
		if (i == rounds - 1) {
			int stats;

			idle = idle_us(pid);
			mem = memory(pid);
			stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
			freeze_ns();
			progs = programs();
			close(stats);
		}
		detach(pid);
	}
	json_dumpf(json_pack("{si, so, so, so, sf, so, so}", "files", files, "detached_ns",
			     without, "attached_ns", with, "start_ns", start,
			     "idle_us", idle, "memory_kib", mem, "programs", progs),
		   stdout, JSON_INDENT(1));
	putchar('\n');
	return 0;
}
