// SPDX-License-Identifier: GPL-2.0

/*
 * Programs of the black box: they record a reboot into the next kernel in the task that
 * reboots, and write it into pages that the next kernel gets. No other task has to run for
 * that, so that the record reaches up to the kexec, also on a machine with one CPU and when
 * the other CPUs are stopped.
 *
 * The pages are user memory of luotrace, pinned by a field of its task storage. What is
 * recorded is kept in a global variable and written out at each step of the reboot.
 */

#include "box.bpf.h"
#include "guests.bpf.h"

#define CO_RE	__attribute__((preserve_access_index))
#define __uptr	__attribute__((btf_type_tag("uptr")))

#define BOX_OWN		"luotrace"	/* name of its session */

#define FNV_OFFSET	0xcbf29ce484222325ULL
#define FNV_PRIME	0x100000001b3ULL

/* A forward declaration is none of the same type for libbpf. */
struct task_struct {
	int pid;
} CO_RE;

struct kobject {
	const char *name;
} CO_RE;

struct device_driver {
	const char *name;
} CO_RE;

struct device {
	struct kobject kobj;
	struct device_driver *driver;
} CO_RE;

struct bpf_map;

struct task_struct *bpf_task_from_pid(__s32 pid) __ksym;
void bpf_task_release(struct task_struct *task) __ksym;

/* Set before the programs are loaded. */
const volatile _Bool box_wanted;
const volatile __u32 box_pid;	/* of the process whose memory the pages are */

__u64 box_task;
__u64 box_clock_ns;
union box_pages box;
union box_pages box_failed;	/* the last reboot that failed, for luotrace */

/* By a typedef, as clang 14 forgets the tag of a pointer to a structure. */
typedef struct box_page {
	__u8 bytes[BOX_PAGE];
} box_page_t;

struct box_memory {
	box_page_t __uptr *page0;
	box_page_t __uptr *page1;
	box_page_t __uptr *page2;
	box_page_t __uptr *page3;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct box_memory);
} box_memory SEC(".maps");

/* Filled by the programs of guests.bpf.c, if KVM is in use. */
struct box_guests_map box_guests SEC(".maps");

/* Its type is complete in BTF only if something is of it. */
struct box_page *box_page_type;

/* The device that is shut down now. */
struct {
	__u64 began;
	struct box_device device;
} box_current;

static __always_inline void box_copy(struct box_page *to, __u32 page)
{
	if (to)
		bpf_probe_read_kernel(to, sizeof(*to), &box.words[page * BOX_PAGE / 8]);
}

/* The words are gone through in parts: the verifier walks along each step of a loop. */
#define WORDS	(sizeof(box.words) / sizeof(box.words[0]))
#define PART	64

static long box_sum_part(__u32 part, __u64 *sum)
{
	__u32 i;

	/* The first word is the sum itself. */
	for (i = part ? 0 : 1; i < PART; i++)
		*sum = box_sum_step(*sum, box.words[(part * PART + i) % WORDS]);
	return 0;
}

static __noinline int box_sum(void)
{
	__u64 sum = 0;

	bpf_loop(WORDS / PART, box_sum_part, &sum, 0);
	box.reboot.sum = sum;
	return 0;
}

/* Write out what is recorded so far. The first page, which has the checksum, is last. */
static int box_flush(void)
{
	struct task_struct *task = bpf_task_from_pid(box_pid);
	__u64 began = bpf_ktime_get_ns();
	struct box_memory *m;

	if (!task)
		return 0;
	m = bpf_task_storage_get(&box_memory, task, 0, 0);
	if (m) {
		box.reboot.flushes++;
		box.reboot.last = began;
		box_sum();
		box_copy(m->page1, 1);
		box_copy(m->page2, 2);
		box_copy(m->page3, 3);
		box_copy(m->page0, 0);
		box.reboot.own_flushes++;
		box.reboot.own_flush_ns += bpf_ktime_get_ns() - began;
	}
	bpf_task_release(task);
	return 0;
}

/* Its number is written last: luotrace reads this at any time. */
static __noinline int box_keep_failed(void)
{
	__u64 failed = box.reboot.failed;
	__u32 i;

	for (i = 0; i < sizeof(box.words) / sizeof(box.words[0]); i++) {
		if (&box.words[i] != &box.reboot.failed)
			*(volatile __u64 *)&box_failed.words[i] = box.words[i];
	}
	__sync_fetch_and_add(&box_failed.reboot.failed, failed - box_failed.reboot.failed);
	return 0;
}

static __always_inline int box_step(__u32 step)
{
	if (!box_rebooting())
		return 0;
	box.reboot.steps[step] = bpf_ktime_get_ns();
	return box_flush();
}

static __noinline int box_clear(void)
{
	__u32 i;

	/* Volatile, as BPF has no memset() of that size. */
	for (i = 0; i < sizeof(box.words) / sizeof(box.words[0]); i++)
		*(volatile __u64 *)&box.words[i] = 0;
	return 0;
}

static __always_inline void box_time_clock(void)
{
	__u64 now = bpf_ktime_get_ns(), next, least = ~0ULL;
	__u32 i;

	for (i = 0; i < 3; i++) {
		next = bpf_ktime_get_ns();
		if (next - now < least)
			least = next - now;
		now = next;
	}
	box_clock_ns = least;
}

static long box_add_guest(struct bpf_map *map, __u32 *tgid, struct box_guest *guest,
			  __u32 *at)
{
	if (*at >= BOX_GUESTS) {
		box.reboot.guests_lost++;
		return 0;
	}
	box.reboot.guests[*at] = *guest;
	++*at;
	return 0;
}

/* An update after one that failed starts from zero, except for the number of both. */
SEC("?fentry/liveupdate_reboot")
int BPF_PROG(box_liveupdate_reboot)
{
	__u64 began = box.reboot.began, failed = box.reboot.failed, now = bpf_ktime_get_ns();
	__u64 failed_ns = box.reboot.failed_ns, flushes = box.reboot.flushes;
	__s32 failed_ret = box.reboot.failed_ret;
	__u32 guests = 0;

	box_clear();
	box.reboot.began = began + 1;
	box.reboot.failed = failed;
	box.reboot.failed_ns = failed_ns;
	box.reboot.failed_ret = failed_ret;
	box.reboot.flushes = flushes;
	box.reboot.steps[BOX_STEP_REBOOT] = now;
	bpf_for_each_map_elem(&box_guests, box_add_guest, &guests, 0);
	box_task = bpf_get_current_task();
	box_time_clock();
	box_flush();
	/* As of LUO's own record: what the first write takes is before it. */
	box.reboot.own_flushes = 0;
	box.reboot.own_flush_ns = 0;
	box.reboot.steps[BOX_STEP_REBOOT] = bpf_ktime_get_ns();
	return 0;
}

SEC("?fexit/liveupdate_reboot")
int BPF_PROG(box_liveupdate_reboot_end, int ret)
{
	if (!box_rebooting())
		return 0;
	/* A LUO without a phase of its own for it has nothing to prepare. */
	if (!box.reboot.steps[BOX_STEP_PREPARED])
		box.reboot.steps[BOX_STEP_PREPARED] = box.reboot.steps[BOX_STEP_REBOOT];
	if (!ret) {
		if (!box.reboot.steps[BOX_STEP_FROZEN])
			box_frozen();
		return box_flush();
	}
	box.reboot.failed_ret = ret;
	box.reboot.failed_ns = bpf_ktime_get_ns() - box.reboot.steps[BOX_STEP_REBOOT];
	box.reboot.failed++;
	box_keep_failed();
	box_flush();
	box_task = 0;
	return 0;
}

#define STEP(_function, _step)					\
	SEC("?fentry/" #_function)				\
	int BPF_PROG(box_##_function)				\
	{							\
		return box_step(_step);				\
	}

STEP(kernel_restart_prepare, BOX_STEP_NOTIFIERS)
STEP(device_shutdown, BOX_STEP_DEVICES)
STEP(syscore_shutdown, BOX_STEP_SYSCORE)
STEP(machine_shutdown, BOX_STEP_MACHINE)
STEP(machine_kexec, BOX_STEP_KEXEC)

int box_prepared(void)
{
	box.reboot.steps[BOX_STEP_PREPARED] = bpf_ktime_get_ns();
	return 0;
}

int box_frozen(void)
{
	box.reboot.steps[BOX_STEP_FROZEN] = bpf_ktime_get_ns();
	return 0;
}

/* Keep a device if it is among those that took longest. */
static int box_device_end(void)
{
	__u64 ns, least = ~0ULL;
	__u32 i, at = BOX_DEVICES;
	__u64 now = bpf_ktime_get_ns();

	if (!box_current.began)
		return 0;
	ns = now - box_current.began;
	box_current.began = 0;
	box.reboot.nr_devices++;
	if (ns <= box.reboot.least_device)
		return 0;
	for (i = 0; i < BOX_DEVICES; i++) {
		if (box.reboot.devices[i].duration < least) {
			least = box.reboot.devices[i].duration;
			at = i;
		}
	}
	if (at >= BOX_DEVICES)
		return 0;
	box_current.device.duration = ns;
	box_current.device.end = now;
	box.reboot.devices[at] = box_current.device;
	least = ~0ULL;
	for (i = 0; i < BOX_DEVICES; i++) {
		if (box.reboot.devices[i].duration < least)
			least = box.reboot.devices[i].duration;
	}
	box.reboot.least_device = least;
	return 0;
}

static __always_inline void box_device_begin(struct device *dev)
{
	struct device_driver *driver;

	box_device_end();
	__builtin_memset(&box_current.device, 0, sizeof(box_current.device));
	bpf_probe_read_kernel_str(box_current.device.name, BOX_DEVICE,
				  BPF_CORE_READ(dev, kobj.name));
	driver = BPF_CORE_READ(dev, driver);
	if (driver)
		bpf_probe_read_kernel_str(box_current.device.driver, BOX_DEVICE,
					  BPF_CORE_READ(driver, name));
	box_current.began = bpf_ktime_get_ns();
}

/* device_shutdown() calls it for each device, before the shutdown functions. */
SEC("?fentry/pm_runtime_barrier")
int BPF_PROG(box_pm_runtime_barrier, struct device *dev)
{
	/* A driver can call it, too, for a device of its own. */
	if (box_rebooting() && box.reboot.steps[BOX_STEP_DEVICES] &&
	    !box.reboot.steps[BOX_STEP_CPU])
		BOX_TIMED(box_device_begin(dev));
	return 0;
}

SEC("?fentry/migrate_to_reboot_cpu")
int BPF_PROG(box_migrate_to_reboot_cpu)
{
	if (box_rebooting())
		box_device_end();
	return box_step(BOX_STEP_CPU);
}

static __always_inline __u64 box_key(const char *name, __u32 op, __u32 kind)
{
	const __u64 *words = (const void *)name;
	__u64 key = FNV_OFFSET ^ op ^ (__u64)kind << 32;
	__u32 i;

	for (i = 0; i < BOX_NAME / 8; i++)
		key = (key ^ words[i]) * FNV_PRIME;
	return key ? key : 1;
}

__u32 box_row(__u64 at, __u32 op, __u32 kind)
{
	__u64 name[BOX_NAME / 8] = {}, key;
	struct box_row *row;
	__u32 i;

	bpf_probe_read_kernel_str(name, sizeof(name), (const void *)at);
	key = box_key((const char *)name, op, kind);
	for (i = 0; i < BOX_ROWS; i++) {
		row = &box.reboot.rows[i];
		if (row->key == key)
			return i;
		if (row->key)
			continue;
		row->key = key;
		row->kind = kind;
		row->op = op;
		row->min = ~0ULL;
		__builtin_memcpy(row->name, name, BOX_NAME);
		return i;
	}
	return BOX_ROWS;
}

/* The entry to replace: the shortest of a list. Sets the shortest of the others. */
#define BOX_SHORTEST(_list, _ns, _at, _least)				\
	do {								\
		__u64 _first = ~0ULL, _d;				\
		__u32 _i;						\
									\
		_at = BOX_SLOWEST;					\
		_least = _ns;						\
		for (_i = 0; _i < BOX_SLOWEST; _i++) {			\
			_d = (_list)[_i].duration;			\
			if (_d < _first) {				\
				if (_first < _least)			\
					_least = _first;		\
				_first = _d;				\
				_at = _i;				\
			} else if (_d < _least) {			\
				_least = _d;				\
			}						\
		}							\
	} while (0)

int box_keep(const struct lt_slow *call)
{
	struct box_call *to;
	__u32 list, at;
	__u64 least;

	if (!call)
		return 0;
	list = box_list_of(call->op);
	BOX_SHORTEST(box.reboot.calls[list], call->duration_ns, at, least);
	if (at >= BOX_SLOWEST)
		return 0;
	to = &box.reboot.calls[list][at];
	to->duration = call->duration_ns;
	to->end = call->ts;
	to->token = call->token;
	to->op = call->op;
	to->kind = call->kind;
	to->ret = call->ret;
	__builtin_memcpy(to->name, call->compatible, BOX_NAME);
	__builtin_memcpy(to->session, call->session, BOX_SESSION);
	box.reboot.least[list] = least;
	return 0;
}

int box_session_end(const struct box_work *work)
{
	__u32 list, at;
	__u64 least;

	if (!work || work->list >= BOX_LISTS)
		return 0;
	list = work->list;
	/* The box is a session, too, but not an agent's. */
	if (list == BOX_FREEZE && work->session.ret >= 0 &&
	    bpf_strncmp(work->session.name, sizeof(BOX_OWN), BOX_OWN)) {
		box.reboot.sessions++;
		box.reboot.files += work->session.files;
	}
	if (work->session.duration <= box.reboot.least_session[list])
		return 0;
	BOX_SHORTEST(box.reboot.slow[list], work->session.duration, at, least);
	if (at >= BOX_SLOWEST)
		return 0;
	box.reboot.slow[list][at] = work->session;
	box.reboot.least_session[list] = least;
	return 0;
}
