// SPDX-License-Identifier: GPL-2.0

/* Why live update is off, and what KHO reserves, on fake machines. Prints TAP. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kho.h"
#include "tap.h"

static char root[] = "/tmp/kho-test-XXXXXX";

/* Write a file of the fake machine, with its directories. */
static void put(const char *name, const char *text)
{
	char path[256], *at;
	FILE *f;

	snprintf(path, sizeof(path), "%s%s", root, name);
	for (at = strchr(path + strlen(root) + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		mkdir(path, 0700);
		*at = '/';
	}
	f = fopen(path, "w");
	if (!f || fputs(text, f) == EOF || fclose(f)) {
		perror(path);
		exit(1);
	}
}

static void drop(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s%s", root, name);
	unlink(path);
	rmdir(path);
}

/* Whether a text has one string and not the other one. */
static void check_text(const char *text, const char *want, const char *never,
		  const char *what)
{
	bool ok = strstr(text, want) && (!never || !strstr(text, never));

	if (!check(ok, "%s", what))
		printf("# %s\n", text);
}

static const struct {
	const char *cmdline, *log, *want, *never, *what;
} machines[] = {
	{ "root=/dev/vda", NULL, "no liveupdate= on", NULL, "nothing is given" },
	{ "liveupdate=off kho=on", NULL, "liveupdate=off on", "boot with liveupdate=on and",
	  "it was switched off, KHO was not" },
	{ "liveupdate=on", NULL, "no kho= on", "boot with liveupdate=on",
	  "kho= is missing" },
	{ "liveupdate=on kho=off", NULL, "kho=off on", "liveupdate=on",
	  "KHO was switched off" },
	{ "liveupdate=on kho=0 kho=on", NULL, "although kho=on was given", "kho=0",
	  "the last one counts" },
	{ "liveupdate=on kho=on kho_scratch=64M,900G,64M",
	  "3,1,1,-;KHO: Failed to reserve scratch memory\n",
	  "kho_scratch=64M,900G,64M", "boot with kho=on",
	  "too little memory for scratch" },
	{ "liveupdate=on kho=on elfcorehdr=0x1000", NULL, "crash kernel", "boot with kho",
	  "a crash kernel is recognized" },
	{ "quiet -- liveupdate=on kho=on", NULL, "no liveupdate= on", NULL,
	  "what init is given is not the kernel's" },
	{ "liveupdate=on kho=o\033[31mff", NULL, "kho=o\\x1b[31mff", "\033",
	  "what was typed is not printed raw" },
};

static void test_causes(void)
{
	char text[KHO_TEXT];
	struct kho k;
	size_t i;

	put("/sys/kernel/debug/other", "");
	for (i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		put("/proc/cmdline", machines[i].cmdline);
		put("/dev/kmsg", machines[i].log ? machines[i].log : "6,1,1,-;Linux\n");
		kho_probe(&k, root);
		check_text(kho_why_off(&k, text), machines[i].want, machines[i].never,
		      machines[i].what);
	}
	drop("/proc/cmdline");
	kho_probe(&k, root);
	check_text(kho_why_off(&k, text), "boot with liveupdate=on and kho=on", NULL,
	      "the command line cannot be read");
}

static void test_reserved(void)
{
	char text[KHO_TEXT];
	struct kho k;

	put("/proc/cmdline", "liveupdate=on kho=on");
	kho_probe(&k, root);
	check_text(kho_reserved(&k, text), "unknown", "0B", "debugfs does not show it");
	put("/sys/kernel/debug/kho/out/scratch_len", "0x4000000\n0x10000000\n");
	kho_probe(&k, root);
	check_text(kho_reserved(&k, text), "320MiB of memory in 2 areas", NULL,
	      "the reserved memory");
	check_text(kho_reserved(&k, text), "kho_scratch= sets it", NULL, "and its origin");
	put("/proc/cmdline", "kho_scratch=64M,256M,0 liveupdate=on kho=on");
	kho_probe(&k, root);
	check_text(kho_reserved(&k, text), "(kho_scratch=64M,256M,0)", NULL, "as given on the command line");
}

static void test_rejected(void)
{
	struct kho k;

	put("/proc/sys/net/core/bpf_jit_enable", "1\n");
	put("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	kho_probe(&k, root);
	check_text(kho_why_rejected(&k) ? kho_why_rejected(&k) : "nothing", "nothing", NULL,
	      "integrity does not stop BPF");
	put("/sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
	kho_probe(&k, root);
	check_text(kho_why_rejected(&k) ? kho_why_rejected(&k) : "nothing", "confidentiality",
	      NULL, "confidentiality does");
	drop("/sys/kernel/security/lockdown");
	put("/proc/sys/net/core/bpf_jit_enable", "0\n");
	kho_probe(&k, root);
	check_text(kho_why_rejected(&k) ? kho_why_rejected(&k) : "nothing", "bpf_jit_enable",
	      NULL, "the compiler is off");
}

int main(void)
{
	char command[64];
	int left;

	if (!mkdtemp(root))
		return 1;
	test_causes();
	test_reserved();
	test_rejected();
	snprintf(command, sizeof(command), "rm -rf %s", root);
	left = system(command);
	return end_tests() || left;
}
