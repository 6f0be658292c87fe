// SPDX-License-Identifier: GPL-2.0

/**
 * DOC: Inspection
 *
 * Auditors must be able to list sessions and files at any time, including those from
 * before they started, without blocking anyone. A walk holds the lock of a session
 * set, under which no callback runs, only while it advances to the next session and
 * copies it. Files are looked up by an increasing number and read under RCU without the
 * lock of their session, so that a handler stuck in a callback cannot block readers.
 *
 * The values shown for one file or session may therefore stem from slightly different
 * moments.
 *
 * /sys/kernel/debug/liveupdate/sessions shows sessions and files as text, luo_iter.c
 * passes them to BPF programs.
 */

#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "luo_file.h"
#include "luo_walk.h"

static const enum luo_dir luo_walk_dirs[] = { LUO_DIR_IN, LUO_DIR_OUT };

/*
 * Copy who used a session last. If the session is open and that process has exited,
 * another process holds it that has not used it yet.
 */
static void luo_owner_copy(const struct luo_session *session,
			   struct luo_session_info *info)
{
	struct task_struct *task;

	guard(rcu)();
	guard(spinlock)(&luo_owner_lock);

	task = pid_task(session->owner, PIDTYPE_TGID);
	if (task && !atomic_read(&task->signal->live))
		task = NULL;
	if (!session->owner || (info->open && !task))
		return;

	info->owner = pid_nr(session->owner);
	if (task)
		get_task_comm(info->comm, task);
	else
		strscpy(info->comm, session->comm);
}

static void luo_session_copy(const struct luo_session *session,
			     struct luo_session_info *info)
{
	const struct luo_file_set *files = &session->files;

	*info = (struct luo_session_info){
		.id = session->id,
		.dir = files->dir,
		.state = READ_ONCE(session->state),
		.files = READ_ONCE(files->count),
		.retrieved = READ_ONCE(files->retrieved),
		.failed = READ_ONCE(files->failed),
		.orphans = READ_ONCE(files->orphans),
		.pages = READ_ONCE(files->pages),
		.born_ns = session->born_ns,
		.opened_ns = session->opened_ns,
		.closed_ns = session->closed_ns,
		.claims = session->claims,
		.open = files->dir == LUO_DIR_OUT || session->claimed,
		.finish_ret = READ_ONCE(session->finish_ret),
	};
	strscpy(info->name, session->name);
	luo_owner_copy(session, info);
}

/* The session after the current one, which may no longer be in its set. */
static struct luo_session *luo_walk_find_next(const struct luo_walk *walk,
					      struct luo_session_set *set)
{
	struct luo_session *at = walk->session;
	struct luo_session *session;

	if (!at)
		return list_first_entry_or_null(&set->list, struct luo_session,
						list);
	if (at->listed)
		return list_is_last(&at->list, &set->list) ? NULL :
		       list_next_entry(at, list);
	list_for_each_entry(session, &set->list, list) {
		if (session->id > at->id)
			return session;
	}
	return NULL;
}

static void luo_walk_move(struct luo_walk *walk, struct luo_session *to)
{
	if (to)
		refcount_inc(&to->refs);
	if (walk->session)
		luo_session_put(walk->session);
	walk->session = to;
	walk->done = false;
	walk->file = 0;
}

/**
 * luo_walk_session - get the current session of a walk, or the next one
 * @walk: the walk; advanced to the session found
 * @info: filled, unless NULL
 *
 * Context: may sleep, takes the lock of a session set briefly.
 * Return: false if no session is left.
 */
bool luo_walk_session(struct luo_walk *walk, struct luo_session_info *info)
{
	struct luo_session_set *set;

	for (; walk->set < ARRAY_SIZE(luo_walk_dirs); walk->set++) {
		set = &luo_sessions[luo_walk_dirs[walk->set]];
		guard(mutex)(&set->lock);
		if (!walk->session || walk->done || !walk->session->listed)
			luo_walk_move(walk, luo_walk_find_next(walk, set));
		if (!walk->session)
			continue;
		if (info)
			luo_session_copy(walk->session, info);
		return true;
	}
	return false;
}

/**
 * luo_walk_next_session - advance a walk to the session after the current one
 * @walk: the walk
 */
void luo_walk_next_session(struct luo_walk *walk)
{
	walk->done = true;
}

/**
 * luo_walk_end - release what a walk holds, so that it can start again
 * @walk: the walk, in any position
 */
void luo_walk_end(struct luo_walk *walk)
{
	luo_walk_move(walk, NULL);
	walk->set = 0;
}

static void luo_file_copy(const struct luo_file *f,
			  const struct luo_session *session,
			  struct luo_file_info *info)
{
	const struct liveupdate_file_handler *fh = READ_ONCE(f->fh);
	enum luo_file_state state = READ_ONCE(f->state);

	*info = (struct luo_file_info){
		.session_id = session->id,
		.token = f->token.token,
		.pages = READ_ONCE(f->pages),
		.dir = session->files.dir,
		.state = state,
		.handler = fh ? 1 : 0,
		.ret = READ_ONCE(f->ret),
		.ret_op = READ_ONCE(f->ret_op),
	};
	if (info->dir == LUO_DIR_IN && state != LUO_FILE_RETRIEVED)
		info->pages = LUO_PAGES_UNKNOWN;
	strscpy(info->session, session->name);
	strscpy(info->compatible, fh ? fh->compatible : f->orphan);
}

/**
 * luo_walk_file_of - get the current file of a walk, or the next one of its session
 * @walk: the walk, with a current session; advanced to the file found
 * @info: filled
 *
 * Context: any in which RCU can be used; takes no lock.
 * Return: false if the session has no file left.
 */
bool luo_walk_file_of(struct luo_walk *walk, struct luo_file_info *info)
{
	struct luo_file *f;

	guard(rcu)();

	f = xa_find(&walk->session->files.by_seq, &walk->file, ULONG_MAX,
		    XA_PRESENT);
	if (!f)
		return false;
	luo_file_copy(f, walk->session, info);
	return true;
}

/**
 * luo_walk_file - get the current file of a walk, or the next one of any session
 * @walk: the walk; advanced to the file found
 * @info: filled
 *
 * Context: may sleep, takes the lock of a session set briefly.
 * Return: false if no file is left.
 */
bool luo_walk_file(struct luo_walk *walk, struct luo_file_info *info)
{
	while (luo_walk_session(walk, NULL)) {
		if (luo_walk_file_of(walk, info))
			return true;
		luo_walk_next_session(walk);
		cond_resched();
	}
	return false;
}
