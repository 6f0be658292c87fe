/* SPDX-License-Identifier: GPL-2.0 */

/*
 * A VMM, QEMU here, whose guest lives on: its RAM is a memfd, and the state of its
 * devices is saved into another one.
 */

#ifndef VMM_H
#define VMM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "qmp.h"

/* Tokens of the files in the session of the guest */
#define VMM_TOKEN_RAM	1
#define VMM_TOKEN_STATE	2

#define VMM_STATE_HEAD	4096		/* bytes before the state of the devices */
#define VMM_STATE_SIZE	(4 << 20)	/* bytes of that, at most */

/**
 * enum vmm_phase - where the guest is, in its preserved state
 * @VMM_RUNS:	 it does what its operator wants; the rest of the memfd means nothing
 * @VMM_PAUSING: it is being paused for a live update
 * @VMM_SAVED:	 it is paused, and its state is saved
 * @VMM_USED:	 it may run, or is about to: the saved state is used up
 */
enum vmm_phase {
	VMM_RUNS,
	VMM_PAUSING,
	VMM_SAVED,
	VMM_USED,
};

/* What the guest did before it was paused, and does again */
#define VMM_WAS_RUNNING	1	/* it was not paused by its own operator */
#define VMM_WAS_STOPPED	2	/* the process of the VMM was stopped by a signal */

/**
 * struct vmm_state - first page of the memfd with the state; the rest follows the page
 * @magic:   VMM_MAGIC
 * @version: VMM_VERSION
 * @phase:   enum vmm_phase
 * @flags:   VMM_WAS_RUNNING and others
 */
struct vmm_state {
	uint32_t magic;
	uint32_t version;
	uint32_t phase;
	uint32_t flags;
};

/**
 * struct vmm - guest and its VMM
 * @name:  of the guest
 * @args:  command line of the VMM, without what vmm_start() adds
 * @bytes: of RAM
 * @ram:   memfd, -1 if there is none
 * @fd:    memfd of the state
 * @state: the first page of it, mapped
 * @lock:  that the VMM has as long as it lives, if it is open here, else -1
 * @pidfd: of the VMM, -1 if none runs
 * @qmp:   connection to it
 */
struct vmm {
	const char *name;
	char **args;
	uint64_t bytes;
	int ram;
	int fd;
	volatile struct vmm_state *state;
	int lock;
	int pidfd;
	struct qmp qmp;
};

/**
 * vmm_adopt - take over a VMM that runs, and its memfds if @v has none
 * @v: with the name
 *
 * Return: 0 or a negative errno, -ENOENT if no VMM of that name runs.
 */
int vmm_adopt(struct vmm *v);

/**
 * vmm_create - make the memfds of a guest that is to start
 * @v: with name and bytes
 *
 * Return: 0 or a negative errno.
 */
int vmm_create(struct vmm *v);

/**
 * vmm_use - use memfds that the previous kernel handed over
 * @v:	   with the name
 * @ram:   taken
 * @state: taken
 *
 * Return: 0 or a negative errno, -EBADMSG if they are not those of a guest.
 */
int vmm_use(struct vmm *v, int ram, int state);

/**
 * vmm_start - start the VMM on the memfds
 * @v: with its memfds, after vmm_adopt() has found none
 * @incoming: whether it waits for a saved state, or starts its guest
 *
 * Return: 0 or a negative errno.
 */
int vmm_start(struct vmm *v, bool incoming);

/**
 * vmm_load - load the saved state into a VMM that waits for it, and let the guest run
 * @v: a VMM that was started or adopted
 *
 * The guest does what it did before it was paused. Does nothing if another keeper has done
 * all of it.
 *
 * Return: 0 or a negative errno, -ENODATA if there is no saved state.
 */
int vmm_load(struct vmm *v);

/**
 * vmm_check - whether the VMM could be paused: it answers, or a signal has stopped it
 * @v: a VMM that runs
 *
 * Return: 0 or a negative errno, -EBUSY while it is paused already.
 */
int vmm_check(struct vmm *v);

/**
 * vmm_pause - pause the guest for a live update and save the state of its devices
 * @v: a VMM that runs
 *
 * A VMM that a signal has stopped is continued for it, as it has to save its state.
 *
 * Return: 0 or a negative errno; vmm_resume() must be called then, too.
 */
int vmm_pause(struct vmm *v);

/**
 * vmm_resume - let the guest go on where it was paused
 * @v: a VMM that runs, paused or not
 *
 * Return: 0 or a negative errno.
 */
int vmm_resume(struct vmm *v);

/**
 * vmm_open - open the file of a descriptor of a process anew
 * @pid:    the process
 * @number: the descriptor
 * @flags:  of open(2)
 *
 * Return: a descriptor to be closed, or a negative errno.
 */
int vmm_open(pid_t pid, int number, int flags);

/** vmm_is_stopped - whether a signal has stopped the process of the VMM */
bool vmm_is_stopped(const struct vmm *v);

/** vmm_signal - send a signal to the VMM */
void vmm_signal(const struct vmm *v, int signal);

/** vmm_wait_ms - sleep, for less than a second */
void vmm_wait_ms(int ms);

/**
 * vmm_discard - give up a guest: kill its VMM, if one lives, and close its memfds
 * @v: can be created anew after this
 *
 * Return: 0 or a negative errno.
 */
int vmm_discard(struct vmm *v);

/** vmm_error - the reason of a negative errno, for people */
const char *vmm_error(const struct vmm *v, int err);

#endif
