/* SPDX-License-Identifier: GPL-2.0 */

/*
 * What the agent and the keepers of guests say to each other, over a local socket that
 * keeps messages apart. Sessions travel with them as descriptors.
 */

#ifndef PROTO_H
#define PROTO_H

#include <stdint.h>

#define AGENT_DIR	"/run/luo"
#define AGENT_SOCKET	AGENT_DIR "/agent"
#define VMM_LOCK	".vmm"	/* end of the name of the file that a living VMM has locked */
#define AGENT_NAME	64
#define AGENT_SESSION_NAME	"luo-agent"	/* the agent's own session */
#define AGENT_TEXT	256

/**
 * enum agent_verb - what a message says
 * @AGENT_HELLO:   keeper: I keep this guest; with its session if I have it; flags
 * @AGENT_SESSION: agent: your session, with its descriptor; flags
 * @AGENT_CHECK:   agent: can your guest be paused?
 * @AGENT_PAUSE:   agent: pause your guest, save the state of its devices
 * @AGENT_RESUME:  agent: there is no live update (any more), let it run
 * @AGENT_DONE:    keeper: I have done what you said; its verb in flags, result, text
 * @AGENT_RENEW:   keeper: I am done with this session, give me another: a SESSION
 * @AGENT_BYE:     keeper: my guest has ended
 * @AGENT_UPDATE:  operator: pause all guests, run the command in text; answered by DONE
 * @AGENT_LIST:    operator: a SESSION for each guest, with its name, then DONE
 * @AGENT_FORGET:  operator: do not wait for this guest any more; answered by DONE
 */
enum agent_verb {
	AGENT_HELLO = 1,
	AGENT_SESSION,
	AGENT_CHECK,
	AGENT_PAUSE,
	AGENT_RESUME,
	AGENT_DONE,
	AGENT_RENEW,
	AGENT_BYE,
	AGENT_UPDATE,
	AGENT_LIST,
	AGENT_FORGET,
};

/* In flags of HELLO and SESSION */
#define AGENT_INCOMING	1	/* the session is of the previous kernel */
#define AGENT_KEPT	2	/* of LIST: a keeper is present */
#define AGENT_NEW	4	/* the session was just created */

/**
 * struct agent_msg - message
 * @verb:   enum agent_verb
 * @result: 0 or a negative errno
 * @flags:  AGENT_INCOMING and others
 * @name:   of the guest and of its session
 * @text:   why, for people; the command of UPDATE
 */
struct agent_msg {
	uint32_t verb;
	int32_t result;
	uint32_t flags;
	char name[AGENT_NAME];
	char text[AGENT_TEXT];
};

/**
 * agent_listen - create the agent's socket
 *
 * Return: a non-blocking descriptor or a negative errno.
 */
int agent_listen(void);

/**
 * agent_connect - connect to the agent
 *
 * Return: a descriptor or a negative errno, -ECONNREFUSED or -ENOENT without an agent.
 */
int agent_connect(void);

/**
 * agent_send - send a message
 * @sock: to the other side
 * @msg:  the message
 * @fd:   descriptor to go with it, -1 for none; stays open here
 *
 * Return: 0 or a negative errno.
 */
int agent_send(int sock, const struct agent_msg *msg, int fd);

/**
 * agent_receive - wait for a message
 * @sock: of the other side
 * @msg:  filled
 * @fd:   the descriptor that came with it, or -1; the caller closes it
 *
 * Return: 0 or a negative errno: -ECONNRESET once the other side is gone, -EPROTO for
 *	   what is no message.
 */
int agent_receive(int sock, struct agent_msg *msg, int *fd);

#endif
