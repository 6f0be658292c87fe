/* SPDX-License-Identifier: GPL-2.0 */

/* Tells the service manager that a service is ready. */

#ifndef NOTIFY_H
#define NOTIFY_H

/**
 * notify_ready - say that the service is ready
 * @text: a note for people, and the status for a service manager
 *
 * The service manager, if there is one, is told in the way of sd_notify(3).
 */
void notify_ready(const char *text);

#endif
