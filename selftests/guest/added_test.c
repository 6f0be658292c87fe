// SPDX-License-Identifier: GPL-2.0

/*
 * Memory that was added after the boot and is not movable: a file of which anything is there
 * is not preserved, one in the memory of the boot is.
 *
 *	added_test refused	in the first kernel, as TAP
 *	added_test hold		before a live update
 *	added_test restored	after it, as TAP
 */

#include "luo_test.h"

#define SIZE		(4UL << 20)
#define FILES		170	/* more than the memory that was added */
#define SESSION		"added"
#define ACCEPTED	"/state/accepted"

/* Preserve files until memory of the boot is used, too. Returns how many are preserved. */
static int preserve_files(int session, int *refused, int *other)
{
	int accepted = 0, i;

	*refused = *other = 0;
	for (i = 0; i < FILES; i++) {
		int err = preserve(session, memfd(SIZE, i), i);

		*refused += err == -EADDRNOTAVAIL;
		*other += err && err != -EADDRNOTAVAIL;
		accepted += !err;
	}
	return accepted;
}

static int refused_there(void)
{
	int dev = open_device(), session = create(dev, SESSION), accepted, refused, other;

	accepted = preserve_files(session, &refused, &other);
	check(session >= 0, "a session can be created");
	check(refused > 0, "%d files in memory that was added are refused", refused);
	check(accepted > 0, "%d files in other memory are preserved", accepted);
	check(!other, "nothing else happens");
	check(create(dev, SESSION "2") >= 0, "another session can be created");
	return end_tests();
}

static int hold(void)
{
	int dev = open_device(), session = create(dev, SESSION), refused, other;
	FILE *f = fopen(ACCEPTED, "w");

	must(dev >= 0 && session >= 0 && f, SESSION);
	fprintf(f, "%d\n", preserve_files(session, &refused, &other));
	must(!fclose(f), ACCEPTED);
	return hold_until_kexec();
}

static int restored(void)
{
	int dev = open_device(), session = claim(dev, SESSION), accepted, found = 0, i, fd;
	bool intact = true;
	FILE *f = fopen(ACCEPTED, "r");

	must(f && fscanf(f, "%d", &accepted) == 1, ACCEPTED);
	fclose(f);
	for (i = 0; i < FILES; i++) {
		fd = retrieve(session, i);
		if (fd < 0)
			continue;
		found++;
		intact &= memfd_intact(fd, SIZE, i);
		close(fd);
	}
	check(found == accepted && found > 0, "%d of %d preserved files are here", found,
	      accepted);
	check(intact, "as they were");
	check(!finish(session), "the session can be finished");
	return end_tests();
}

static const struct {
	const char *name;
	int (*run)(void);
} parts[] = {
	{ "refused", refused_there },
	{ "hold", hold },
	{ "restored", restored },
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (argc == 2 && !strcmp(argv[1], parts[i].name))
			return parts[i].run();
	}
	return 2;
}
