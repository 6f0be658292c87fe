// SPDX-License-Identifier: GPL-2.0

/*
 * The ABI of /dev/liveupdate as numbers: a program that was compiled with any
 * earlier header must still work. The table is written by hand; none of its
 * numbers come from the header.
 */

#include <linux/liveupdate.h>
#include <linux/liveupdate_recorder.h>
#include <stddef.h>
#include <stdio.h>

#include "tap.h"

struct row {
	const char *name;
	unsigned long is;
	unsigned long want;
};

#define VALUE(x, want)		{ #x, (unsigned long)(x), want }
#define SIZE(s, want)		{ "sizeof(" #s ")", sizeof(struct s), want }
#define AT(s, m, want)		{ #s "." #m, offsetof(struct s, m), want }

static const struct row rows[] = {
	VALUE(LIVEUPDATE_IOCTL_TYPE, 0xba),
	VALUE(LIVEUPDATE_SESSION_NAME_LENGTH, 64),
	VALUE(LIVEUPDATE_IOCTL_CREATE_SESSION, 0xba00),
	VALUE(LIVEUPDATE_IOCTL_RETRIEVE_SESSION, 0xba01),
	VALUE(LIVEUPDATE_SESSION_PRESERVE_FD, 0xba40),
	VALUE(LIVEUPDATE_SESSION_RETRIEVE_FD, 0xba41),
	VALUE(LIVEUPDATE_SESSION_RESTORE_FD, 0xba41),
	VALUE(LIVEUPDATE_SESSION_FINISH, 0xba42),
	VALUE(LIVEUPDATE_SESSION_GET_NAME, 0xba43),
	VALUE(LIVEUPDATE_IOCTL_GET_STATE, 0xba20),
	VALUE(LIVEUPDATE_IOCTL_SET_EVENT, 0xba21),
	VALUE(LIVEUPDATE_SESSION_UNPRESERVE_FD, 0xba60),
	VALUE(LIVEUPDATE_SESSION_GET_STATE, 0xba61),
	VALUE(LIVEUPDATE_SESSION_SET_EVENT, 0xba62),
	VALUE(LIVEUPDATE_IOCTL_FD_PRESERVE, 0xba22),
	VALUE(LIVEUPDATE_IOCTL_FD_UNPRESERVE, 0xba23),
	VALUE(LIVEUPDATE_IOCTL_FD_RESTORE, 0xba24),
	VALUE(LIVEUPDATE_IOCTL_FD_GET_STATE, 0xba25),
	VALUE(LIVEUPDATE_IOCTL_FD_SET_EVENT, 0xba26),
	VALUE(LIVEUPDATE_SESSION_FD_GET_STATE, 0xba63),
	VALUE(LIVEUPDATE_SESSION_FD_SET_EVENT, 0xba64),
	SIZE(liveupdate_ioctl_fd_preserve, 16),
	AT(liveupdate_ioctl_fd_preserve, fd, 4),
	AT(liveupdate_ioctl_fd_preserve, token, 8),
	SIZE(liveupdate_ioctl_fd_unpreserve, 16),
	AT(liveupdate_ioctl_fd_unpreserve, reserved, 4),
	AT(liveupdate_ioctl_fd_unpreserve, token, 8),
	SIZE(liveupdate_ioctl_fd_restore, 16),
	AT(liveupdate_ioctl_fd_restore, fd, 4),
	AT(liveupdate_ioctl_fd_restore, token, 8),
	SIZE(liveupdate_ioctl_fd_get_state, 24),
	AT(liveupdate_ioctl_fd_get_state, state, 4),
	AT(liveupdate_ioctl_fd_get_state, token, 8),
	AT(liveupdate_ioctl_fd_get_state, incoming, 16),
	AT(liveupdate_ioctl_fd_get_state, reserved, 20),
	SIZE(liveupdate_ioctl_fd_set_event, 16),
	AT(liveupdate_ioctl_fd_set_event, event, 4),
	AT(liveupdate_ioctl_fd_set_event, token, 8),
	SIZE(liveupdate_session_fd_get_state, 16),
	AT(liveupdate_session_fd_get_state, state, 4),
	AT(liveupdate_session_fd_get_state, token, 8),
	SIZE(liveupdate_session_fd_set_event, 16),
	AT(liveupdate_session_fd_set_event, event, 4),
	AT(liveupdate_session_fd_set_event, token, 8),
	VALUE(LIVEUPDATE_RECORDER_MAGIC, 0x5243554c),
	VALUE(LIVEUPDATE_RECORDER_VERSION, 5),
	SIZE(liveupdate_recorder, 396160),
	SIZE(liveupdate_recorder_part, 125816),
	SIZE(liveupdate_recorder_row, 240),
	AT(liveupdate_recorder, changes, 16),
	AT(liveupdate_recorder, last_out, 24),
	AT(liveupdate_recorder, last_in, 125840),
	AT(liveupdate_recorder, next_out, 251656),
	AT(liveupdate_recorder, inside, 377472),
	SIZE(liveupdate_recorder_inside, 18688),
	AT(liveupdate_recorder_inside, ancestors, 1016),
	AT(liveupdate_recorder_inside, tasks, 1280),
	SIZE(liveupdate_recorder_initcall, 80),
	SIZE(liveupdate_recorder_init, 1016),
	AT(liveupdate_recorder_init, longest, 56),
	SIZE(liveupdate_recorder_ancestor, 32),
	SIZE(liveupdate_recorder_wait, 72),
	SIZE(liveupdate_recorder_task, 544),
	AT(liveupdate_recorder_task, waits, 96),
	AT(liveupdate_recorder_task, comm, 528),
	AT(liveupdate_recorder_part, clock_hz, 16),
	AT(liveupdate_recorder_part, release, 32),
	AT(liveupdate_recorder_part, marks, 96),
	AT(liveupdate_recorder_part, times, 168),
	AT(liveupdate_recorder_part, busy, 240),
	AT(liveupdate_recorder_part, wall_ns, 312),
	AT(liveupdate_recorder_part, failed_ret, 352),
	AT(liveupdate_recorder_part, over, 356),
	AT(liveupdate_recorder_part, failed_ns, 360),
	AT(liveupdate_recorder_part, cancelled, 368),
	AT(liveupdate_recorder_part, memory, 424),
	AT(liveupdate_recorder_part, given_up_names, 496),
	AT(liveupdate_recorder_part, nr_refused, 416),
	AT(liveupdate_recorder_part, refused, 1008),
	AT(liveupdate_recorder_part, slow_calls, 2928),
	AT(liveupdate_recorder_part, slow_sessions, 58224),
	AT(liveupdate_recorder_part, rows, 76656),
	AT(liveupdate_recorder_part, lost_pauses, 122736),
	AT(liveupdate_recorder_part, pauses, 122744),
	VALUE(LIVEUPDATE_RECORDER_PAUSES, 32),
	SIZE(liveupdate_recorder_pause, 96),
	AT(liveupdate_recorder_pause, resumed, 8),
	AT(liveupdate_recorder_pause, paused_ns, 16),
	AT(liveupdate_recorder_pause, resumed_ns, 24),
	AT(liveupdate_recorder_pause, name, 32),
	AT(liveupdate_recorder_row, scope, 8),
	AT(liveupdate_recorder_row, wall, 40),
	AT(liveupdate_recorder_row, hist, 64),
	AT(liveupdate_recorder_row, name, 192),
	SIZE(liveupdate_recorder_refused, 120),
	SIZE(liveupdate_recorder_call, 144),
	SIZE(liveupdate_recorder_session, 96),
	AT(liveupdate_recorder_call, name, 32),
	AT(liveupdate_recorder_session, task, 28),
	AT(liveupdate_recorder_session, name, 32),
	VALUE(LIVEUPDATE_STATE_NORMAL, 0),
	VALUE(LIVEUPDATE_STATE_PREPARED, 1),
	VALUE(LIVEUPDATE_STATE_FROZEN, 2),
	VALUE(LIVEUPDATE_STATE_UPDATED, 3),
	VALUE(LIVEUPDATE_PREPARE, 0),
	VALUE(LIVEUPDATE_FREEZE, 1),
	VALUE(LIVEUPDATE_FINISH, 2),
	VALUE(LIVEUPDATE_CANCEL, 3),
	SIZE(liveupdate_ioctl_create_session, 72),
	AT(liveupdate_ioctl_create_session, size, 0),
	AT(liveupdate_ioctl_create_session, fd, 4),
	AT(liveupdate_ioctl_create_session, name, 8),
	SIZE(liveupdate_ioctl_retrieve_session, 72),
	AT(liveupdate_ioctl_retrieve_session, size, 0),
	AT(liveupdate_ioctl_retrieve_session, fd, 4),
	AT(liveupdate_ioctl_retrieve_session, name, 8),
	SIZE(liveupdate_session_preserve_fd, 16),
	AT(liveupdate_session_preserve_fd, size, 0),
	AT(liveupdate_session_preserve_fd, fd, 4),
	AT(liveupdate_session_preserve_fd, token, 8),
	SIZE(liveupdate_session_retrieve_fd, 16),
	AT(liveupdate_session_retrieve_fd, size, 0),
	AT(liveupdate_session_retrieve_fd, fd, 4),
	AT(liveupdate_session_retrieve_fd, token, 8),
	SIZE(liveupdate_session_finish, 8),
	AT(liveupdate_session_finish, size, 0),
	AT(liveupdate_session_finish, reserved, 4),
	SIZE(liveupdate_session_get_name, 72),
	AT(liveupdate_session_get_name, size, 0),
	AT(liveupdate_session_get_name, reserved, 4),
	AT(liveupdate_session_get_name, name, 8),
	SIZE(liveupdate_ioctl_get_state, 8),
	AT(liveupdate_ioctl_get_state, state, 4),
	SIZE(liveupdate_ioctl_set_event, 8),
	AT(liveupdate_ioctl_set_event, event, 4),
	SIZE(liveupdate_session_unpreserve_fd, 16),
	AT(liveupdate_session_unpreserve_fd, reserved, 4),
	AT(liveupdate_session_unpreserve_fd, token, 8),
	SIZE(liveupdate_session_get_state, 8),
	AT(liveupdate_session_get_state, state, 4),
	SIZE(liveupdate_session_set_event, 8),
	AT(liveupdate_session_set_event, event, 4),
};

int main(void)
{
	const struct row *r;

	puts("TAP version 13");
	for (r = rows; r < rows + sizeof(rows) / sizeof(rows[0]); r++) {
		if (!check(r->is == r->want, "%s", r->name))
			printf("# %s is %lu, want %lu\n", r->name, r->is, r->want);
	}
	return end_tests();
}
