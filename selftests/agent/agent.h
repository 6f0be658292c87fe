/* SPDX-License-Identifier: GPL-2.0 */

/* What the parts of the agent share: the guests that it knows, and an update. */

#ifndef AGENT_H
#define AGENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto.h"

/**
 * struct guest - guest that the agent knows
 * @next:     of the list
 * @name:     of it and its session
 * @session:  -1 if there is none; the agent holds it, too, so that it survives its keeper
 * @incoming: whether that is of the previous kernel
 * @sock:     of its keeper, -1 if there is none
 * @created:  whether no keeper has had the session yet
 * @asked:    enum agent_verb whose answer of the keeper is awaited, or 0
 * @paused:   whether it was told to pause, and not to resume since
 */
struct guest {
	struct guest *next;
	char name[AGENT_NAME];
	int session;
	bool incoming;
	bool created;
	int sock;
	uint32_t asked;
	bool paused;
};

/* What an update is doing; the guests are asked in all but UPDATE_IDLE and UPDATE_REBOOT */
enum update_phase {
	UPDATE_IDLE,
	UPDATE_CHECK,
	UPDATE_PAUSE,
	UPDATE_REBOOT,
	UPDATE_RESUME,
};

/**
 * struct update - live update that an operator has asked for
 * @phase:    what is being done
 * @operator: who waits for the result
 * @command:  that replaces the kernel, empty for reboot(2)
 * @running:  reports a hang-up once it and all that it has started have ended, -1 if it
 *	      does not run
 * @pid:      its process, and process group
 * @session:  with the names of all guests, -1 if there is none
 * @deadline: by which the keepers or the command have to be done, CLOCK_MONOTONIC in ms
 * @result:   of the update so far: 0, or a negative errno
 * @text:     why
 */
struct update {
	enum update_phase phase;
	int operator;
	char command[AGENT_TEXT];
	int running;
	pid_t pid;
	int session;
	int64_t deadline;
	int result;
	char text[AGENT_TEXT];
};

/**
 * struct agent - the agent
 * @guests: all that it knows
 * @names:  session of the previous kernel with their names, until all are back, else -1
 * @update: in progress, or idle
 */
struct agent {
	struct guest *guests;
	int names;
	struct update update;
};

/**
 * agent_device - open /dev/liveupdate for a call or two
 *
 * The tracer opens it, too, for its black box, so that it can be busy for a moment.
 *
 * Return: a descriptor, to be closed at once, or a negative errno.
 */
int agent_device(void);

/** agent_now - CLOCK_MONOTONIC in ms */
int64_t agent_now(void);

/**
 * update_begin - begin an update
 * @a:	      with all guests
 * @operator: to be told the result
 * @command:  that replaces the kernel
 */
void update_begin(struct agent *a, int operator, const char *command);

/**
 * update_answer - a keeper has answered
 * @a:   agent
 * @g:   its guest
 * @msg: the answer
 */
void update_answer(struct agent *a, struct guest *g, const struct agent_msg *msg);

/** update_lost - the keeper of a guest is gone */
void update_lost(struct agent *a, struct guest *g);

/** update_late - the deadline has passed */
void update_late(struct agent *a);

/** update_ended - the command has ended, and the kernel is still the same */
void update_ended(struct agent *a);

/**
 * agent_add - know a guest
 * @a:	  agent
 * @name: of it
 *
 * Return: the guest, which may be known already; NULL without memory.
 */
struct guest *agent_add(struct agent *a, const char *name);

/**
 * agent_hand_over - preserve the names of all guests for the next kernel's agent
 * @a: agent
 *
 * Return: the session, to be closed if the kernel stays; or a negative errno.
 */
int agent_hand_over(struct agent *a);

/**
 * agent_take_over - get the names that the previous kernel's agent has preserved
 * @a: agent; a guest whose keeper has not come yet keeps updates from being made
 *
 * Return: 0 or a negative errno.
 */
int agent_take_over(struct agent *a);

/**
 * agent_find_unkept - find a VMM that runs and has no keeper that is known
 * @a:	  agent
 * @name: set to the name of its guest, AGENT_NAME bytes
 *
 * Return: 1 if there is one, 0 if not, or a negative errno.
 */
int agent_find_unkept(const struct agent *a, char *name);

/** agent_names_done - finish the session with the names once all guests are back */
void agent_names_done(struct agent *a);

/** update_cancel_all - take back the preparation of LUO, if there is one */
void update_cancel_all(struct agent *a);

#endif
