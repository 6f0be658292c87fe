// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "fmt.h"
#include "kho.h"

#define PATH_LEN	512

static char *path(char *buf, const char *root, const char *name)
{
	snprintf(buf, PATH_LEN, "%s%s", root, name);
	return buf;
}

static enum known exists(const char *root, const char *name)
{
	char buf[PATH_LEN];

	if (!access(path(buf, root, name), F_OK))
		return YES;
	return errno == ENOENT ? NO : UNKNOWN;
}

/* The first line of a short file; false if it cannot be read. */
static bool line_of(const char *root, const char *name, char *to, size_t size)
{
	char buf[PATH_LEN];
	FILE *f = fopen(path(buf, root, name), "re");
	bool read = f && fgets(to, size, f);

	if (f)
		fclose(f);
	if (!read)
		*to = '\0';
	to[strcspn(to, "\n")] = '\0';
	return read;
}

/* As the kernel parses it; an unknown value changes nothing. */
static void set_bool(struct kho_param *p)
{
	if (strchr("yYtT1", p->value[0]))
		p->on = true;
	else if (strchr("nNfF0", p->value[0]))
		p->on = false;
	else if (strchr("oO", p->value[0]) && p->value[1])
		p->on = strchr("nN", p->value[1]);
}

static void read_cmdline(struct kho *k, const char *root)
{
	static const char *const names[] = { "liveupdate=", "kho=", "kho_scratch=" };
	struct kho_param *const params[] = { &k->liveupdate, &k->kho, &k->scratch };
	char line[4096], *word, *rest = NULL;
	size_t i;

	k->cmdline = line_of(root, "/proc/cmdline", line, sizeof(line));
	for (word = strtok_r(line, " ", &rest); word;
	     word = strtok_r(NULL, " ", &rest)) {
		/* The rest is for init. */
		if (!strcmp(word, "--"))
			break;
		if (!strncmp(word, "elfcorehdr=", 11))
			k->crashkernel = true;
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			if (strncmp(word, names[i], strlen(names[i])))
				continue;
			params[i]->given = true;
			snprintf(params[i]->value, sizeof(params[i]->value), "%s",
				 word + strlen(names[i]));
			set_bool(params[i]);
		}
	}
}

/* The boot messages, as long as they are in the log. */
static void read_log(struct kho *k, const char *root)
{
	char buf[PATH_LEN], record[8192];
	int fd = open(path(buf, root, "/dev/kmsg"),
		      O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return;
	/* A read returns one record; EPIPE: the oldest ones were overwritten meanwhile. */
	while ((n = read(fd, record, sizeof(record) - 1)) > 0 ||
	       (n < 0 && errno == EPIPE)) {
		if (n < 0)
			continue;
		record[n] = '\0';
		if (strstr(record, "KHO: Failed to reserve"))
			k->scratch_failed = true;
	}
	close(fd);
}

static void read_scratch(struct kho *k, const char *root)
{
	char buf[PATH_LEN], line[64];
	FILE *f = fopen(path(buf, root, "/sys/kernel/debug/kho/out/scratch_len"),
			"re");

	while (f && fgets(line, sizeof(line), f)) {
		k->bytes += strtoull(line, NULL, 0);
		k->areas++;
	}
	if (f)
		fclose(f);
}

/* A missing file proves nothing if debugfs is not mounted. */
static enum known is_on(const char *root)
{
	char buf[PATH_LEN];
	struct statfs fs;

	if (!*root && (statfs(path(buf, root, "/sys/kernel/debug"), &fs) ||
		       fs.f_type != DEBUGFS_MAGIC))
		return UNKNOWN;
	return exists(root, "/sys/kernel/debug/kho");
}

static enum lockdown read_lockdown(const char *root)
{
	static const char *const words[] = {
		[LOCKDOWN_NONE] = "[none]",
		[LOCKDOWN_INTEGRITY] = "[integrity]",
		[LOCKDOWN_CONFIDENTIALITY] = "[confidentiality]",
	};
	char line[128];
	int i;

	line_of(root, "/sys/kernel/security/lockdown", line, sizeof(line));
	for (i = 0; i < LOCKDOWN_UNKNOWN; i++) {
		if (strstr(line, words[i]))
			return i;
	}
	return LOCKDOWN_UNKNOWN;
}

void kho_probe(struct kho *k, const char *root)
{
	char line[16];

	memset(k, 0, sizeof(*k));
	read_cmdline(k, root);
	if (exists(root, "/proc/vmcore") == YES)
		k->crashkernel = true;
	k->on = is_on(root);
	k->registered = exists(root, "/sys/class/misc/liveupdate") == YES;
	/* The log is long, and needed only if live update is off. */
	if (!k->registered)
		read_log(k, root);
	read_scratch(k, root);
	k->lockdown = read_lockdown(root);
	k->jit = !line_of(root, "/proc/sys/net/core/bpf_jit_enable", line,
			  sizeof(line)) ? UNKNOWN : *line == '0' ? NO : YES;
}

__attribute__((format(printf, 2, 3)))
static const char *say(char *buf, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, KHO_TEXT, fmt, ap);
	va_end(ap);
	return buf;
}

/* A parameter as it was given, printable. */
static const char *given(char *buf, size_t size, const char *name,
			 const struct kho_param *p)
{
	char value[4 * sizeof(p->value) + 1];

	snprintf(buf, size, p->given ? "%s=%s" : "no %s=", name,
		 fmt_text(value, sizeof(value), p->value));
	return buf;
}

const char *kho_why_off(const struct kho *k, char *buf)
{
	char had[160];

	if (k->crashkernel)
		return say(buf, "live update is off: this is the crash kernel (kdump), in which KHO switches itself off whatever the command line says; save the dump and boot the machine as usual");
	if (!k->cmdline)
		return say(buf, "live update is off; boot with liveupdate=on and kho=on");
	if (!k->liveupdate.on)
		return say(buf, "live update is off: %s on the kernel command line; boot with liveupdate=on%s",
			   given(had, sizeof(had), "liveupdate", &k->liveupdate),
			   k->kho.on || (!k->kho.given && k->on == YES) ? "" :
									  " and kho=on");
	if (k->kho.given && !k->kho.on)
		return say(buf, "live update is off because KHO is: %s on the kernel command line; boot with kho=on",
			   given(had, sizeof(had), "kho", &k->kho));
	if (k->scratch_failed)
		return say(buf, "live update is off because KHO is: it could not reserve its scratch memory (%s on the kernel command line); boot with a kho_scratch= that fits this machine, for instance kho_scratch=200%%; \"KHO: Failed to reserve\" in the kernel log says which area",
			   given(had, sizeof(had), "kho_scratch", &k->scratch));
	if (k->on == NO && !k->kho.given)
		return say(buf, "live update is off because KHO is: no kho= on the kernel command line, and this kernel's default is off; boot with kho=on");
	if (k->on == NO)
		return say(buf, "live update is off because KHO is, although kho=on was given; see the \"KHO:\" lines of the boot in the kernel log: most likely its scratch memory could not be reserved (%s)",
			   given(had, sizeof(had), "kho_scratch", &k->scratch));
	if (!k->kho.on && k->on == UNKNOWN)
		return say(buf, "live update is off: liveupdate=on, but no kho=on, on the kernel command line; boot with kho=on");
	return say(buf, "live update is off although liveupdate=on was given; \"luo:\" or \"KHO:\" lines in the kernel log say why");
}

const char *kho_reserved(const struct kho *k, char *buf)
{
	char had[160], size[FMT_LEN];
	const char *param = k->scratch.given ?
		given(had, sizeof(had), "kho_scratch", &k->scratch) :
		"kho_scratch= sets it, 200% of what the kernel allocates at boot is the default";

	if (k->areas)
		return say(buf, "%s of memory in %u areas (%s)",
			   fmt_bytes(size, k->bytes), k->areas, param);
	return say(buf, "unknown, debugfs does not show it (%s)", param);
}

const char *kho_why_rejected(const struct kho *k)
{
	if (k->lockdown == LOCKDOWN_CONFIDENTIALITY)
		return "the kernel is locked down for confidentiality, and BPF may not read its memory; boot with lockdown=integrity or without lockdown=";
	if (k->jit == NO)
		return "the compiler for BPF programs is off, without which none can be attached to a function; set net.core.bpf_jit_enable to 1";
	return NULL;
}
