// SPDX-License-Identifier: GPL-2.0

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "clock.h"
#include "msg.h"
#include "recorder.h"
#include "textfile.h"
#include "update_store.h"

#define UPDATE_MAGIC	0x445055a1U
#define UPDATE_VERSION	3
#define UPDATE_DIGITS	6	/* of a number, at most */
#define SUFFIX		".update"

static void path_of(char *path, const char *dir, unsigned int number)
{
	snprintf(path, PATH_MAX, "%s/%06u" SUFFIX, dir, number);
}

static uint32_t update_crc(const struct update *u)
{
	const size_t from = offsetof(struct update, in);

	return crc32(0, (const Bytef *)u + from, sizeof(*u) - from);
}

bool update_present(const struct update *u)
{
	/* What is saved without the number is of a kernel that does not tell it. */
	return u->magic || u->record.last_in.number ||
	       recorder_present(&u->record.last_out);
}

void update_store_seal(struct update *u)
{
	u->magic = UPDATE_MAGIC;
	u->version = UPDATE_VERSION;
	u->size = sizeof(*u);
	u->crc = update_crc(u);
}

bool update_store_number(const char *arg, unsigned int *number)
{
	size_t digits = strspn(arg, "0123456789");

	if (!digits || arg[digits] || digits > UPDATE_DIGITS)
		return false;
	*number = strtoul(arg, NULL, 10);
	return true;
}

static int compare_numbers(const void *a, const void *b)
{
	const unsigned int *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* All numbers, sorted; to be freed. Returns how many, or -1 after a message. */
static int list_all(const char *dir, unsigned int **numbers)
{
	unsigned int number, *more;
	int n = 0, room = 0, end;
	struct dirent *d;
	DIR *all = opendir(dir);

	*numbers = NULL;
	if (!all) {
		if (errno == ENOENT)
			return 0;
		msg_error("cannot read '%s': %s", dir, strerror(errno));
		return -1;
	}
	while ((d = readdir(all))) {
		end = 0;
		if (sscanf(d->d_name, "%6u" SUFFIX "%n", &number, &end) != 1 ||
		    !end || d->d_name[end])
			continue;
		if (n == room) {
			room += UPDATE_STORE_MAX;
			more = realloc(*numbers, room * sizeof(*more));
			if (!more)
				break;
			*numbers = more;
		}
		(*numbers)[n++] = number;
	}
	closedir(all);
	if (n)
		qsort(*numbers, n, sizeof(**numbers), compare_numbers);
	return n;
}

int update_store_list(const char *dir, unsigned int *numbers)
{
	unsigned int *all;
	int n = list_all(dir, &all), skip;

	if (n > 0) {
		skip = n > UPDATE_STORE_MAX ? n - UPDATE_STORE_MAX : 0;
		n -= skip;
		memcpy(numbers, all + skip, n * sizeof(*all));
	}
	free(all);
	return n;
}

/* The next number; those above the maximum are removed when the new one is saved. */
static bool choose_number(const char *dir, unsigned int *number)
{
	unsigned int *all;
	int n = list_all(dir, &all);

	if (n >= 0)
		*number = n ? all[n - 1] + 1 : 1;
	free(all);
	return n >= 0;
}

static void remove_old(const char *dir)
{
	char path[PATH_MAX];
	unsigned int *all;
	int n = list_all(dir, &all), i;

	for (i = 0; i + UPDATE_STORE_MAX < n; i++) {
		path_of(path, dir, all[i]);
		unlink(path);
	}
	free(all);
}

static bool write_update(const void *data, FILE *f)
{
	/* The file has the error, if there is one. */
	fwrite(data, sizeof(struct update), 1, f);
	return true;
}

bool update_store_save(const char *dir, unsigned int *number, struct update *update)
{
	unsigned int chosen = *number;
	char path[PATH_MAX];

	/* As the kernel's record, which is for root alone: it has names of processes. */
	if (mkdir(dir, 0700) && errno != EEXIST) {
		msg_error("cannot make '%s': %s", dir, strerror(errno));
		return false;
	}
	if (!chosen && !choose_number(dir, &chosen))
		return false;
	update->stored_ns = clock_ns(CLOCK_REALTIME);
	update_store_seal(update);
	path_of(path, dir, chosen);
	if (!textfile_replace(path, TEXTFILE_OWN, write_update, update))
		return false;
	*number = chosen;
	remove_old(dir);
	return true;
}

struct update *update_store_parse(const void *data, size_t size, const char **why)
{
	struct liveupdate_recorder *checked;
	struct update *u;

	*why = "it is not an update of luotrace";
	if (size < offsetof(struct update, in) ||
	    ((const struct update *)data)->magic != UPDATE_MAGIC)
		return NULL;
	*why = "it is of another version of luotrace";
	if (((const struct update *)data)->version != UPDATE_VERSION ||
	    ((const struct update *)data)->size != sizeof(*u))
		return NULL;
	*why = "it is cut off";
	if (size != sizeof(*u))
		return NULL;
	u = malloc(sizeof(*u));
	*why = "out of memory";
	if (!u)
		return NULL;
	memcpy(u, data, sizeof(*u));
	*why = "it is damaged";
	errno = 0;
	checked = update_crc(u) == u->crc ?
		  recorder_parse(&u->record, sizeof(u->record)) : NULL;
	if (!checked) {
		if (errno == ENOMEM)
			*why = "out of memory";
		free(u);
		return NULL;
	}
	u->record = *checked;
	inside_sanitize(&u->inside);
	u->boot_id[sizeof(u->boot_id) - 1] = '\0';
	free(checked);
	return u;
}

struct update *update_store_load_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const size_t room = sizeof(struct update) + 1;
	char *data = malloc(room);
	struct update *u = NULL;
	const char *why = "out of memory";
	ssize_t n = 0;
	size_t used = 0;

	if (fd < 0)
		why = strerror(errno);
	while (fd >= 0 && data && used < room &&
	       ((n = read(fd, data + used, room - used)) > 0 ||
		(n < 0 && errno == EINTR)))
		used += n > 0 ? n : 0;
	if (fd >= 0 && data && n < 0)
		why = strerror(errno);
	else if (fd >= 0 && data)
		u = update_store_parse(data, used, &why);
	if (!u)
		msg_error("cannot read '%s': %s", path, why);
	if (fd >= 0)
		close(fd);
	free(data);
	return u;
}

bool update_store_is_update(const char *path)
{
	FILE *f = fopen(path, "re");
	uint32_t magic = 0;
	bool is;

	is = f && fread(&magic, sizeof(magic), 1, f) == 1 && magic == UPDATE_MAGIC;
	if (f)
		fclose(f);
	return is;
}

struct update *update_store_load(const char *dir, unsigned int number)
{
	char path[PATH_MAX];

	path_of(path, dir, number);
	return update_store_load_file(path);
}

struct update *update_store_of_boot(const char *dir, unsigned int *number)
{
	unsigned int numbers[UPDATE_STORE_MAX];
	int n = update_store_list(dir, numbers);
	char boot_id[BLACK_BOX_BOOT_ID];
	struct update *u;

	black_box_boot_id(boot_id);
	/* Only the newest can be of this boot. */
	if (n <= 0 || !*boot_id)
		return NULL;
	*number = numbers[n - 1];
	u = update_store_load(dir, *number);
	if (u && strcmp(u->boot_id, boot_id)) {
		free(u);
		u = NULL;
	}
	return u;
}
