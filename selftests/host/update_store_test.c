// SPDX-License-Identifier: GPL-2.0

/* The updates that are saved: as they were, a bounded number, and whole. Prints TAP. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "blackout.h"
#include "recorder.h"
#include "tap.h"
#include "timeline.h"
#include "update_store.h"

static char top[] = "/tmp/updates.XXXXXX";
static char dir[64];	/* below it, made by the store */

static struct update update_of(uint64_t number)
{
	struct update u = { .in = UPDATE_IN_SEEN, .out_box = 1, .has_box = 1 };

	black_box_boot_id(u.boot_id);
	u.record.magic = LIVEUPDATE_RECORDER_MAGIC;
	u.record.version = LIVEUPDATE_RECORDER_VERSION;
	u.record.size = sizeof(u.record);
	u.record.part_size = sizeof(u.record.last_in);
	u.record.last_in.magic = LIVEUPDATE_RECORDER_MAGIC;
	u.record.last_in.version = LIVEUPDATE_RECORDER_VERSION;
	u.record.last_in.size = sizeof(u.record.last_in);
	u.record.last_in.number = number;
	u.reboot.nr_devices = number;
	return u;
}

static bool save(unsigned int *number, uint64_t what)
{
	struct update u = update_of(what);

	return update_store_save(dir, number, &u);
}

/* What is saved under a number, -1 if that cannot be read. */
static long long what_is(unsigned int number)
{
	struct update *u = update_store_load(dir, number);
	long long what = u ? (long long)u->record.last_in.number : -1;

	free(u);
	return what;
}

static void path_of(char *path, size_t size, const char *name)
{
	snprintf(path, size, "%s/%s", dir, name);
}

/* Run @fn with stderr in @text. */
static int with_messages(int (*fn)(void), char *text, size_t size)
{
	int saved = dup(2), out = open(top, O_TMPFILE | O_RDWR, 0600), ret;
	ssize_t n;

	if (saved < 0 || out < 0)
		abort();
	dup2(out, 2);
	ret = fn();
	dup2(saved, 2);
	n = pread(out, text, size - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	close(saved);
	close(out);
	return ret;
}

static void test_save(void)
{
	unsigned int numbers[UPDATE_STORE_MAX], number = 0;
	struct update *u;

	check(!update_store_list(dir, numbers), "no directory has no updates");
	check(!update_store_of_boot(dir, &number), "nor one of this boot");
	check(save(&number, 70) && number == 1, "the first is number 1");
	check(save(&number, 71) && number == 1 && what_is(1) == 71,
	      "it is replaced under its number");
	number = 0;
	check(save(&number, 72) && number == 2 && what_is(1) == 71 && what_is(2) == 72,
	      "another is the next");
	check(update_store_list(dir, numbers) == 2 && numbers[0] == 1 && numbers[1] == 2,
	      "both are listed, the oldest first");
	u = update_store_load(dir, 2);
	check(u && u->in == UPDATE_IN_SEEN && u->out_box && u->has_box &&
	      u->reboot.nr_devices == 72 && u->stored_ns > 1600000000000000000LL,
	      "what it is read as");
	free(u);
	u = update_store_of_boot(dir, &number);
	check(u && number == 2 && u->record.last_in.number == 72, "it is of this boot");
	free(u);
}

/* The kernel shows its record to root alone. */
static void test_private(void)
{
	char path[128], other[128];
	unsigned int number = 2;
	mode_t old = umask(0);
	struct stat st;

	check(!stat(dir, &st) && (st.st_mode & 07777) == 0700, "nobody else can list them");
	path_of(path, sizeof(path), "000002.update");
	path_of(other, sizeof(other), "precious");
	check(save(&number, 72) && !stat(path, &st) && (st.st_mode & 07777) == 0600,
	      "nor read one");
	unlink(path);
	close(open(other, O_CREAT | O_WRONLY, 0600));
	check(!symlink(other, path) && save(&number, 72) && !lstat(path, &st) &&
	      S_ISREG(st.st_mode) && what_is(2) == 72 && !stat(other, &st) && !st.st_size,
	      "a symbolic link in its place is replaced, not followed");
	unlink(other);
	umask(old);
}

static void test_other_boot(void)
{
	struct update u = update_of(5), *found;
	unsigned int number = 0;

	strcpy(u.boot_id, "another");
	check(update_store_save(dir, &number, &u), "one of another boot");
	found = update_store_of_boot(dir, &number);
	check(!found, "is not of this one");
	free(found);
}

/* In a mount namespace whose kernel shows no id of the boot. */
static int without_boot_id(void)
{
	struct update *u;
	unsigned int number;
	bool found;

	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("/dev/null", "/proc/sys/kernel/random/boot_id", NULL, MS_BIND, NULL))
		return 2;
	/* An update without an id must not be taken for one of this boot. */
	number = 0;
	if (!save(&number, 6))
		return 3;
	u = update_store_of_boot(dir, &number);
	found = u;
	free(u);
	return found;
}

static void test_no_boot_id(void)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		_exit(without_boot_id());
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		abort();
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		printf("ok %d no id of the boot # SKIP cannot hide it\n", ++tests);
	else
		check(!status, "without an id of the boot none is of this boot");
}

static void make_file(const char *name)
{
	char path[128];
	int fd;

	path_of(path, sizeof(path), name);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	if (fd < 0)
		abort();
	close(fd);
}

/* Files of other names, and more updates than this luotrace keeps. */
static void test_list(void)
{
	unsigned int numbers[UPDATE_STORE_MAX], i;
	char name[32];
	int n;

	snprintf(dir, sizeof(dir), "%s/list", top);
	if (mkdir(dir, 0700))
		abort();
	make_file("000001.update.txt");
	make_file("000002.updat");
	make_file("x000003.update");
	check(!update_store_list(dir, numbers), "files of other names are no updates");
	for (i = 1; i <= UPDATE_STORE_MAX + 3; i++) {
		snprintf(name, sizeof(name), "%06u.update", i);
		make_file(name);
	}
	n = update_store_list(dir, numbers);
	check(n == UPDATE_STORE_MAX && numbers[0] == 4 && numbers[n - 1] == i - 1,
	      "the newest are listed");
	snprintf(dir, sizeof(dir), "%s/store", top);
}

static void test_bound(void)
{
	unsigned int numbers[UPDATE_STORE_MAX], number, i;
	char path[128];
	int n;

	for (i = 0; i < 40; i++) {
		number = 0;
		if (!save(&number, 100 + i))
			break;
	}
	n = update_store_list(dir, numbers);
	check(n == UPDATE_STORE_MAX && numbers[n - 1] == number &&
	      numbers[0] == number - UPDATE_STORE_MAX + 1, "the newest 32 are kept");
	check(what_is(number) == 139 && what_is(numbers[0]) == 139 - 31, "as they were");
	path_of(path, sizeof(path), "000001.update");
	check(access(path, F_OK) && errno == ENOENT, "the oldest are removed");
	/* What others put there is not touched. */
	make_file("000001.update.txt");
	path_of(path, sizeof(path), "000001.update.txt");
	number = 0;
	check(save(&number, 1) && !access(path, F_OK) &&
	      update_store_list(dir, numbers) == UPDATE_STORE_MAX, "other files stay");
}

static void check_parse(const void *data, size_t size, const char *want)
{
	const char *why = NULL;
	void *copy = malloc(size + !size);
	struct update *u;

	memcpy(copy, data, size);
	u = update_store_parse(copy, size, &why);
	check(!u && why && !strcmp(why, want), "not read: %s", want);
	free(u);
	free(copy);
}

static unsigned char file[sizeof(struct update) + 1];

static void read_saved(unsigned int number)
{
	char path[128], name[32];
	int fd;

	snprintf(name, sizeof(name), "%06u.update", number);
	path_of(path, sizeof(path), name);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, file, sizeof(file)) != sizeof(struct update))
		abort();
	close(fd);
}

static void test_damaged(void)
{
	struct update *u = (struct update *)file, *read;
	unsigned int number = 0, accepted = 0, i;
	const char *why;

	if (!save(&number, 8))
		abort();
	read_saved(number);
	check_parse(file, 0, "it is not an update of luotrace");
	check_parse(file, 3, "it is not an update of luotrace");
	check_parse(file, sizeof(*u) - 1, "it is cut off");
	check_parse(file, sizeof(*u) + 1, "it is cut off");
	check_parse(file, 100, "it is cut off");
	u->version++;
	check_parse(file, sizeof(*u), "it is of another version of luotrace");
	u->version = 1;
	check_parse(file, sizeof(*u) - sizeof(u->inside),
		    "it is of another version of luotrace");
	u->version = 2;
	check_parse(file, sizeof(*u) - 5 * sizeof(__u64),
		    "it is of another version of luotrace");
	u->version = 3;
	u->size--;
	check_parse(file, sizeof(*u), "it is of another version of luotrace");
	u->size++;
	u->magic++;
	check_parse(file, sizeof(*u), "it is not an update of luotrace");
	u->magic--;
	for (i = 0; i < sizeof(*u); i += i < 4096 ? 1 : 1009) {
		file[i] ^= 0x20;
		read = update_store_parse(file, sizeof(*u), &why);
		accepted += read != NULL;
		free(read);
		file[i] ^= 0x20;
	}
	check(!accepted, "no byte can change unseen");
	read = update_store_parse(file, sizeof(*u), &why);
	check(read, "it is as it was");
	free(read);
}

static uint32_t crc_of(const struct update *u)
{
	const size_t from = offsetof(struct update, in);

	return crc32(0, (const Bytef *)u + from, sizeof(*u) - from);
}

/* Any content with a right checksum is rejected or can be shown. */
static void test_any(void)
{
	struct update *u = (struct update *)file, *read;
	const size_t record = offsetof(struct update, record);
	FILE *null = fopen("/dev/null", "w");
	unsigned int i, shown = 0, n, number = 0;
	struct blackout b;
	const char *why;

	if (!null || !save(&number, 9))
		abort();
	srand(2);
	for (i = 0; i < 400; i++) {
		read_saved(number);
		for (n = offsetof(struct update, in); n < record; n++)
			file[n] = rand();
		for (n = 0; n < 200 * (i % 5); n++)
			file[record + 24 + rand() % (sizeof(*u) - record - 24)] = rand();
		u->crc = crc_of(u);
		read = update_store_parse(file, sizeof(*u), &why);
		if (!read)
			continue;
		shown++;
		blackout_measure(&read->record, &b);
		timeline_text(&read->record, &b, timeline_steps(read), false, null);
		free(read);
	}
	fclose(null);
	check(shown, "any content can be shown");
}

static int save_there(void)
{
	unsigned int number = 0;

	return save(&number, 1) ? 0 : 1 + (int)number;
}

static int list_there(void)
{
	unsigned int numbers[UPDATE_STORE_MAX];

	return update_store_list(dir, numbers);
}

static int load_there(void)
{
	return what_is(77);
}

static int show_list(void)
{
	char command[160];

	snprintf(command, sizeof(command),
		 "build/san/luotrace timeline --list --dir %s > /dev/null", dir);
	return WEXITSTATUS(system(command));
}

/* Root may write anywhere, but not below a file. */
static void test_unwritable(void)
{
	char file_there[64], text[512];
	int fd, ret;

	snprintf(file_there, sizeof(file_there), "%s/file", top);
	fd = open(file_there, O_CREAT | O_WRONLY, 0600);
	close(fd);
	snprintf(dir, sizeof(dir), "%s/file/x", top);
	ret = with_messages(save_there, text, sizeof(text));
	check(ret == 1 && strstr(text, "cannot make '") && strstr(text, "Not a directory"),
	      "a directory that cannot be made is named, and no number is given");
	ret = with_messages(list_there, text, sizeof(text));
	check(ret == -1 && strstr(text, "cannot read '"), "nor can it be listed");
	ret = with_messages(load_there, text, sizeof(text));
	check(ret == -1 && strstr(text, "000077.update': Not a directory"), "nor read");
	ret = with_messages(show_list, text, sizeof(text));
	check(ret == 3 && strstr(text, "cannot read '"), "luotrace timeline --list says so");
	snprintf(dir, sizeof(dir), "/dev/full");
	ret = with_messages(save_there, text, sizeof(text));
	check(ret == 1 && *text, "nor can a device be a directory");
}

int main(void)
{
	char command[64];

	puts("TAP version 13");
	if (!mkdtemp(top))
		return 1;
	snprintf(dir, sizeof(dir), "%s/store", top);
	test_save();
	test_private();
	test_other_boot();
	test_no_boot_id();
	test_list();
	test_bound();
	test_damaged();
	test_any();
	test_unwritable();
	snprintf(command, sizeof(command), "rm -r '%s'", top);
	if (system(command))
		return 1;
	return end_tests();
}
