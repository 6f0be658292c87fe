// SPDX-License-Identifier: GPL-2.0

/*
 * The file of luotrace record: what is on the disk, and when; that an old file stays until
 * it can be replaced. Functions with the names of the C library's observe each flush. As
 * TAP.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "enum_name.h"
#include "event.h"
#include "recording.h"
#include "tap.h"
#include "trace_file.h"

#define ROUNDS	20

static atomic_long flushed;	/* bytes that a file had when it was flushed last */
static atomic_int flushes, fail_flush;
static atomic_int directories;

int fdatasync(int fd)
{
	struct stat st;

	if (atomic_load(&fail_flush)) {
		errno = atomic_load(&fail_flush);
		return -1;
	}
	if (!fstat(fd, &st))
		atomic_store(&flushed, st.st_size);
	atomic_fetch_add(&flushes, 1);
	return syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	struct stat st;

	if (!fstat(fd, &st) && S_ISDIR(st.st_mode))
		atomic_fetch_add(&directories, 1);
	return syscall(SYS_fsync, fd);
}

static json_t *line(const char *text)
{
	return json_pack("{ss}", "event", text);
}

/* The text of a file, or NULL. */
static const char *text_of(const char *path)
{
	static char text[4096];
	FILE *f = fopen(path, "r");
	size_t n;

	if (!f)
		return NULL;
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

static bool holds(const char *path, const char *want)
{
	const char *is = text_of(path);

	if (!is || strcmp(is, want))
		printf("# '%s' holds '%s'\n", path, is ?: "nothing");
	return is && !strcmp(is, want);
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) < 0 || fclose(f))
		exit(1);
}

static long size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_size;
}

/* Whether the file is flushed within these seconds. */
static bool is_flushed(const char *path, int seconds)
{
	int i;

	for (i = 0; i < 100 * seconds; i++) {
		if (atomic_load(&flushed) == size_of(path))
			return true;
		usleep(10000);
	}
	return false;
}

static void test_replaces(void)
{
	struct recording *r;

	put("old", "precious\n");
	chmod("old", 0640);
	r = recording_new("old");
	check(r && recording_line(r, line("start")), "a recording begins");
	check(holds("old", "precious\n"), "the old file stays as it is");
	atomic_store(&flushed, -1);
	atomic_store(&directories, 0);
	check(recording_publish(r) && holds("old", "{\"event\":\"start\"}\n"),
	      "it stays until it is replaced");
	check(atomic_load(&flushed) == size_of("old") &&
	      atomic_load(&directories) == 1,
	      "the new file and its name are on the disk");
	check(access("old.new", F_OK), "the temporary file is gone");
	check(recording_line(r, line("x")) && recording_close(r) &&
	      holds("old", "{\"event\":\"start\"}\n{\"event\":\"x\"}\n"),
	      "lines follow");
	check(atomic_load(&flushed) == size_of("old"), "all is on the disk at the end");
}

static void test_gives_up(void)
{
	struct stat st;
	struct recording *r;

	put("kept", "precious\n");
	r = recording_new("kept");
	check(r && recording_line(r, line("start")) && recording_close(r) &&
	      holds("kept", "precious\n") && access("kept.new", F_OK),
	      "a recording without events keeps the old file, and leaves no other");
	/* A killed recording left a longer file. */
	put("kept.new", "left by a recorder that was killed before it traced\n");
	r = recording_new("kept");
	check(r && recording_line(r, line("y")) && recording_publish(r) &&
	      recording_close(r) && holds("kept", "{\"event\":\"y\"}\n"),
	      "the file of a killed recording is replaced");
	chmod("kept", 0600);
	r = recording_new("kept");
	recording_publish(r);
	recording_close(r);
	check(!stat("kept", &st) && (st.st_mode & 07777) == 0600,
	      "the new file has the permissions of the old one");
	check(!recording_new("no/such/file"), "a missing directory is an error");
}

/* What another user of the directory can have put at the name of the temporary file. */
static void test_foreign(void)
{
	put("victim", "precious\n");
	check(!link("victim", "f1.new") && !recording_new("f1") &&
	      holds("victim", "precious\n") && !access("f1.new", F_OK),
	      "a link to another file is neither overwritten nor removed");
	check(!mkfifo("f2.new", 0600) && !recording_new("f2") && !access("f2.new", F_OK),
	      "so is a pipe");
	check(!symlink("victim", "f3.new") && !recording_new("f3") &&
	      holds("victim", "precious\n"), "a symbolic link is not followed");
	put("f4.new", "theirs\n");
	if (chown("f4.new", 65534, 65534))
		puts("# not root: the file of another user is not tested");
	else
		check(!recording_new("f4") && holds("f4.new", "theirs\n"),
		      "the file of another user is rejected");
}

static void test_two(void)
{
	struct recording *a = recording_new("two"), *b;

	check(a && !recording_new("two"), "a second recording of that name is rejected");
	check(recording_line(a, line("a")) && recording_publish(a) &&
	      !recording_new("two"), "so it is when the first one traces");
	check(access("two.new", F_OK), "and it leaves nothing");
	b = recording_new("other");
	check(b && recording_publish(b) && recording_close(b), "another name is accepted");
	check(recording_line(a, line("b")) && recording_close(a) &&
	      holds("two", "{\"event\":\"a\"}\n{\"event\":\"b\"}\n"),
	      "the first one is complete");
	b = recording_new("two");
	check(b && recording_close(b), "another one can begin after it");
}

static void test_other_files(void)
{
	struct recording *r;
	struct stat st;
	char text[64];
	int fd;

	put("target", "old\n");
	check(!symlink("target", "link"), "a symbolic link");
	r = recording_new("link");
	check(r && recording_line(r, line("z")) && recording_publish(r) &&
	      recording_close(r) && !lstat("link", &st) && S_ISLNK(st.st_mode) &&
	      holds("target", "{\"event\":\"z\"}\n"), "is followed, not replaced");
	check(!symlink("nowhere", "dangling") && !recording_new("dangling"),
	      "a dangling symbolic link is rejected");
	check(!mkfifo("pipe", 0600), "a pipe");
	fd = open("pipe", O_RDWR | O_NONBLOCK);
	r = recording_new("pipe");
	check(r && recording_line(r, line("p")) && recording_publish(r) &&
	      recording_close(r) && read(fd, text, sizeof(text)) == 14 &&
	      !lstat("pipe", &st) && S_ISFIFO(st.st_mode), "is written to at once");
	close(fd);
	r = recording_new("/dev/full");
	check(r && !recording_line(r, line("f")) && !recording_line(r, line("f")) &&
	      !recording_close(r), "a full disk is a failure");
}

static void test_flushes(void)
{
	struct recording *r = recording_new("flush");
	struct timespec from, to;
	bool ok = true;
	int i;

	recording_publish(r);
	recording_line(r, line("by itself"));
	check(is_flushed("flush", 30), "written lines are flushed soon");
	i = atomic_load(&flushes);
	sleep(3);
	check(atomic_load(&flushes) == i, "and not again without need");
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (i = 0; i < ROUNDS; i++) {
		recording_line(r, line("urgent"));
		recording_sync(r);
		ok = ok && is_flushed("flush", 30);
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	/* Otherwise each would take a second. */
	check(ok && to.tv_sec - from.tv_sec < ROUNDS / 2,
	      "an urgent line does not wait for it");
	atomic_store(&fail_flush, EIO);
	recording_line(r, line("lost"));
	recording_sync(r);
	for (i = 0; i < 3000 && recording_line(r, line("lost")); i++)
		usleep(10000);
	check(i < 3000 && !recording_close(r), "a disk that fails is noticed");
	atomic_store(&fail_flush, 0);
}

static void test_killed(void)
{
	struct recording *r;
	struct trace_file *t;
	int status, i;
	pid_t pid;

	pid = fork();
	if (!pid) {
		r = recording_new("killed");
		recording_line(r, json_pack("{ss, si}", "event", "start",
					    "trace_version", TRACE_FILE_VERSION));
		recording_publish(r);
		for (;;)
			recording_line(r, json_pack("{ss, si, sn, ss, ss, ss, si, si}",
				"event", "luo_session_create", "time_ns", 1,
				"number", "session", "vm", "dir", "out",
				"state", "normal", "files", 0, "ret", 0));
	}
	for (i = 0; i < 3000 && size_of("killed") < 100000; i++)
		usleep(10000);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	t = trace_file_read("killed");
	check(t && t->events.nr > 500 && !t->ended, "a killed recorder leaves complete lines");
	check(t && t->latency.lost.events == TRACER_UNKNOWN &&
	      t->latency.lost.missed == TRACER_UNKNOWN,
	      "its losses are unknown");
	trace_file_free(t);
}

static void test_urgent(void)
{
	struct lt_event e = { .type = LT_PHASE_BEGIN };

	e.phase.scope = enum_value(ENUM_SCOPE, "global");
	check(event_urgent(&e), "a live update that begins is urgent");
	e.phase.scope = enum_value(ENUM_SCOPE, "session");
	check(!event_urgent(&e), "a session is not");
	e.type = LT_STATE;
	check(event_urgent(&e), "a change of the state is");
	e.type = LT_HANDLER_EXIT;
	check(!event_urgent(&e), "a call is not");
}

int main(void)
{
	char dir[] = "/var/tmp/recording.XXXXXX", command[64];

	puts("TAP version 13");
	if (!mkdtemp(dir) || chdir(dir))
		return 1;
	test_replaces();
	test_gives_up();
	test_foreign();
	test_two();
	test_other_files();
	test_flushes();
	test_killed();
	test_urgent();
	snprintf(command, sizeof(command), "rm -r '%s'", dir);
	check(!system(command), "nothing is left");
	return end_tests();
}
