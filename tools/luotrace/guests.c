// SPDX-License-Identifier: GPL-2.0

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "box_marks.h"
#include "enum_name.h"
#include "guests.h"
#include "guests.skel.h"
#include "msg.h"

#define KVM	"/sys/module/kvm"
#define GUESTS_GONE	64	/* processes to forget at once */

struct guests {
	struct guests_bpf *bpf;
};

static bool names_session(const struct lt_event *e)
{
	if (e->ret || !*e->session || strnlen(e->session, LIVEUPDATE_SESSION_NAME_LENGTH) ==
				      LIVEUPDATE_SESSION_NAME_LENGTH)
		return false;
	return e->type == LT_SESSION_CREATE || e->type == LT_SESSION_RETRIEVE ||
	       (e->type == LT_FILE_STATE &&
		(e->file.new == FILE_PRESERVED || e->file.new == FILE_RETRIEVED));
}

void guests_owner_event(struct guests_owner owners[GUESTS_OWNERS],
			const struct lt_event *e)
{
	bool several;
	int i;

	if (!names_session(e))
		return;
	for (i = 0; i < GUESTS_OWNERS - 1 && owners[i].tgid != e->pid; i++)
		;
	several = owners[i].tgid == e->pid &&
		  (owners[i].several || strcmp(owners[i].name, e->session));
	/* The latest is first, the one that was silent longest is forgotten. */
	memmove(&owners[1], &owners[0], i * sizeof(*owners));
	memset(&owners[0], 0, sizeof(*owners));
	owners[0].tgid = e->pid;
	owners[0].several = several;
	memcpy(owners[0].name, e->session, sizeof(owners[0].name) - 1);
}

static const char *owner_name(const struct guests_owner owners[GUESTS_OWNERS],
			      const struct box_guest *g)
{
	int i;

	for (i = 0; i < GUESTS_OWNERS; i++) {
		if (owners[i].tgid && owners[i].tgid == g->tgid)
			return owners[i].name;
	}
	for (i = 0; i < GUESTS_OWNERS; i++) {
		if (owners[i].tgid && owners[i].tgid == g->parent &&
		    !owners[i].several)
			return owners[i].name;
	}
	return NULL;
}

void guests_fill(struct liveupdate_recorder_part *part, bool in,
		 const struct box_guest *guests, int nr,
		 const struct guests_owner owners[GUESTS_OWNERS],
		 uint64_t (*counter_of)(void *data, uint64_t ns), void *data)
{
	const struct box_guest *g;
	const char *name;
	uint64_t ns;

	for (g = guests; g < guests + nr; g++) {
		ns = in ? g->entry : g->exit;
		name = g->tgid && ns && (in || g->inside <= 0) ? owner_name(owners, g) :
								 NULL;
		if (name)
			box_marks_put(part, in, name, ns, counter_of(data, ns));
	}
}

bool guests_present(void)
{
	return !access(KVM, F_OK);
}

struct guests *guests_open(int map_fd)
{
	struct guests *g = calloc(1, sizeof(*g));

	if (!g) {
		msg_error("out of memory");
		return NULL;
	}
	g->bpf = guests_bpf__open();
	if (!g->bpf || bpf_map__reuse_fd(g->bpf->maps.box_guests, map_fd) ||
	    guests_bpf__load(g->bpf) || guests_bpf__attach(g->bpf)) {
		msg_error("guests are not traced, only marks tell how long they stand still: %s",
			  strerror(errno));
		guests_close(g);
		return NULL;
	}
	return g;
}

void guests_close(struct guests *g)
{
	if (!g)
		return;
	guests_bpf__destroy(g->bpf);
	free(g);
}

int guests_read(int map_fd, struct box_guest *all, int max)
{
	uint32_t key, gone[GUESTS_GONE], *prev = NULL, next;
	int n = 0, nr_gone = 0;

	while (n < max && !bpf_map_get_next_key(map_fd, prev, &next)) {
		key = next;
		prev = &key;
		if (bpf_map_lookup_elem(map_fd, &key, &all[n]))
			continue;
		n++;
		if (kill(key, 0) && errno == ESRCH && nr_gone < GUESTS_GONE)
			gone[nr_gone++] = key;
	}
	/* Those that are read once more belong to no process; its number can be used again. */
	while (nr_gone)
		bpf_map_delete_elem(map_fd, &gone[--nr_gone]);
	return n;
}
