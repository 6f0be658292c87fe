// SPDX-License-Identifier: GPL-2.0

/*
 * The guest's end of the test VM, one program under several names:
 *
 *	vm-hello		this stage is up
 *	vm-note TEXT		print a line on the host
 *	vm-put FILE [NAME]	send a file to the host
 *	vm-exit CODE		the test script ended with CODE
 *	vm-hold COMMAND...	run COMMAND in the background until it prints
 *				"ready"; fail if it ends before that
 *	vm-tap NAME COMMAND...	run COMMAND, send its output as NAME.tap, end
 *				with its exit code
 *	vm-kexec [--load|--exec] [--next] [--with WORD]
 *				load the image of stage 0, or the next one, for
 *				kexec and start it, with WORD in front of its
 *				command line; exit code 100 if reboot() fails
 *	vm-tsc			print the frequency of the TSC in kHz; the
 *				runner calls it on the host, an x86-64 one
 *
 * Messages to the host are frames on the second serial port, or what the machine has in
 * its place: a line "luovm TYPE STAGE LENGTH NAME", then LENGTH bytes.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#ifdef __x86_64__
#include <x86intrin.h>
#define CHANNEL		"/dev/ttyS1"
#else
/* The machine has no second serial port. */
#define CHANNEL		"/dev/hvc0"
#endif

#define INITRD		"/sys/firmware/initrd"
#define NEXT_INITRD	"/run/next.initrd"
#define CMDLINE_SIZE	4096

/* The exit code of vm-kexec if reboot() returned. */
#define EXIT_STAYED	100

static const char *prog;

__attribute__((noreturn, format(printf, 1, 2)))
static void die(const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	fprintf(stderr, "%s: ", prog);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, err ? ": %s\n" : "\n", strerror(err));
	exit(1);
}

static void write_all(int fd, const void *buf, size_t len, const char *what)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0)
			die("cannot write '%s'", what);
		buf = (const char *)buf + n;
		len -= n;
	}
}

static void *read_file(const char *path, size_t *len)
{
	size_t size = 1 << 16, used = 0;
	char *buf = malloc(size);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0 || !buf)
		die("cannot read '%s'", path);
	while ((n = read(fd, buf + used, size - used)) > 0) {
		used += n;
		if (used == size) {
			size *= 2;
			buf = realloc(buf, size);
			if (!buf)
				die("cannot read '%s'", path);
		}
	}
	if (n < 0)
		die("cannot read '%s'", path);
	close(fd);
	*len = used;
	return buf;
}

/* Value of vm.NAME on the kernel command line, "" if it is missing. */
static const char *vm_arg(const char *name)
{
	static char value[64];
	char key[32], *p;
	size_t len;
	char *cmdline = read_file("/proc/cmdline", &len);

	cmdline[len ? len - 1 : 0] = '\0';
	snprintf(key, sizeof(key), "vm.%s=", name);
	p = strstr(cmdline, key);
	value[0] = '\0';
	if (p)
		sscanf(p + strlen(key), "%63s", value);
	free(cmdline);
	return value;
}

static void send(const char *type, const char *name, const void *data,
		 size_t len)
{
	struct termios tio;
	char head[512];
	int fd, n;

	fd = open(CHANNEL, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || tcgetattr(fd, &tio))
		die("cannot open '%s'", CHANNEL);
	cfmakeraw(&tio);
	cfsetspeed(&tio, B115200);
	if (tcsetattr(fd, TCSANOW, &tio) || flock(fd, LOCK_EX))
		die("cannot set up '%s'", CHANNEL);

	n = snprintf(head, sizeof(head), "luovm %s %s %zu %s\n", type,
		     vm_arg("stage"), len, name);
	write_all(fd, head, n, CHANNEL);
	write_all(fd, data, len, CHANNEL);
	/* The port must be empty when the kernel is replaced. */
	tcdrain(fd);
	close(fd);
}

static int vm_hello(int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		return 2;
	send("hello", "-", "", 0);
	return 0;
}

static int vm_note(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	send("note", "-", argv[1], strlen(argv[1]));
	return 0;
}

static int vm_put(int argc, char **argv)
{
	const char *name;
	size_t len;
	void *data;

	if (argc < 2 || argc > 3)
		return 2;
	name = strrchr(argv[1], '/');
	name = argc == 3 ? argv[2] : name ? name + 1 : argv[1];
	data = read_file(argv[1], &len);
	send("file", name, data, len);
	free(data);
	return 0;
}

static int vm_exit(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	send("exit", argv[1], "", 0);
	return 0;
}

/* Start a command with its output in @file. */
static pid_t start(char **argv, const char *file)
{
	pid_t pid = fork();

	if (pid < 0)
		die("cannot fork");
	if (pid)
		return pid;
	if (!freopen(file, "w", stdout))
		die("cannot write '%s'", file);
	execvp(argv[0], argv);
	die("cannot run '%s'", argv[0]);
}

static int vm_hold(int argc, char **argv)
{
	const struct timespec span = { .tv_nsec = 20000000 };
	char file[] = "/tmp/hold.XXXXXX", *said;
	size_t len;
	pid_t pid;
	int fd;

	if (argc < 2)
		return 2;
	fd = mkstemp(file);
	if (fd < 0)
		die("cannot create '%s'", file);
	close(fd);
	pid = start(argv + 1, file);
	for (;;) {
		said = read_file(file, &len);
		if (memmem(said, len, "ready\n", 6))
			break;
		free(said);
		if (waitpid(pid, NULL, WNOHANG) == pid) {
			errno = 0;
			die("'%s' ended before it was ready", argv[1]);
		}
		nanosleep(&span, NULL);
	}
	/* Its earlier output is for the log. */
	write_all(1, said, len, "stdout");
	free(said);
	return 0;
}

static int vm_tap(int argc, char **argv)
{
	char file[128], name[64];
	size_t len;
	int status;
	void *data;

	if (argc < 3)
		return 2;
	snprintf(name, sizeof(name), "%s.tap", argv[1]);
	snprintf(file, sizeof(file), "/tmp/%s", name);
	if (waitpid(start(argv + 2, file), &status, 0) < 0)
		die("cannot wait for '%s'", argv[2]);
	data = read_file(file, &len);
	send("file", name, data, len);
	free(data);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* Take out of a command line what @with, NAME=VALUE, replaces. */
static void drop_words(char *line, const char *with)
{
	size_t name = strcspn(with, "=");
	char *word = line, *next;

	if (!with[name])
		return;
	while (*word) {
		next = word + strcspn(word, " ");
		next += *next == ' ';
		if (strncmp(word, with, name + 1))
			word = next;
		else
			memmove(word, next, strlen(next) + 1);
	}
}

/* The command line of this kernel with the next stage, after @with. */
static void next_cmdline(char *cmdline, size_t size, const char *with)
{
	int stage = atoi(vm_arg("stage"));
	size_t len, head;
	char *old = read_file("/proc/cmdline", &len), *p, *end;

	old[len ? len - 1 : 0] = '\0';
	drop_words(old, with);
	p = strstr(old, "vm.stage=");
	if (!p) {
		errno = 0;
		die("no vm.stage= on the command line");
	}
	end = strchrnul(p, ' ');
	head = p - old;
	snprintf(cmdline, size, "%s %.*svm.stage=%d%s", with, (int)head, old,
		 stage + 1, end);
	free(old);
}

/*
 * The next stage gets the initramfs that this one was booted with, followed by
 * a second archive with the files that the test left in /state.
 */
static void make_initrd(void)
{
	size_t len, base = strtoul(vm_arg("initrd"), NULL, 10);
	char *data = read_file(INITRD, &len);
	int fd, status;

	if (!base || base > len) {
		errno = 0;
		die("'%s' has %zu bytes, want vm.initrd=%zu", INITRD, len,
		    base);
	}
	fd = open(NEXT_INITRD, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		die("cannot write '%s'", NEXT_INITRD);
	write_all(fd, data, base, NEXT_INITRD);
	close(fd);
	free(data);

	status = system("cd / && find state | cpio -o -H newc >> " NEXT_INITRD
			" 2> /dev/null");
	if (status) {
		errno = 0;
		die("cannot pack /state");
	}
}

static void load(const char *image, const char *with)
{
	char cmdline[CMDLINE_SIZE];
	int kernel, initrd;

	next_cmdline(cmdline, sizeof(cmdline), with);
	make_initrd();
	kernel = open(image, O_RDONLY | O_CLOEXEC);
	if (kernel < 0)
		die("cannot open '%s'", image);
	initrd = open(NEXT_INITRD, O_RDONLY | O_CLOEXEC);
	if (initrd < 0)
		die("cannot open '%s'", NEXT_INITRD);
	if (syscall(SYS_kexec_file_load, kernel, initrd, strlen(cmdline) + 1,
		    cmdline, 0UL))
		die("cannot load '%s' for kexec", image);
	close(kernel);
	close(initrd);
	unlink(NEXT_INITRD);
}

/* The host has to know that another kernel follows, however it is started. */
static void announce(void)
{
	/* The console loses bytes if the host is busy, and this log ends here. */
	if (system("dmesg > /tmp/klog && vm-put /tmp/klog"))
		fprintf(stderr, "vm-kexec: the kernel log cannot be sent\n");
	send("kexec", "-", "", 0);
}

static int start_kernel(void)
{
	announce();
	reboot(LINUX_REBOOT_CMD_KEXEC);
	fprintf(stderr, "%s: reboot: %s\n", prog, strerror(errno));
	send("stayed", strerrorname_np(errno), "", 0);
	return EXIT_STAYED;
}

static int vm_kexec(int argc, char **argv)
{
	bool do_load = true, do_start = true;
	const char *image = "/boot/kernel", *with = "";
	int i;

	if (argc == 2 && !strcmp(argv[1], "--announce")) {
		announce();
		return 0;
	}
	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--load"))
			do_start = false;
		else if (!strcmp(argv[i], "--exec"))
			do_load = false;
		else if (!strcmp(argv[i], "--next"))
			image = "/boot/next";
		else if (!strcmp(argv[i], "--with") && argv[i + 1])
			with = argv[++i];
		else
			return 2;
	}
	if (do_load)
		load(image, with);
	if (!do_start)
		return 0;
	return start_kernel();
}

#ifdef __x86_64__
static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static int vm_tsc(int argc, char **argv)
{
	const struct timespec span = { .tv_nsec = 100000000 };
	uint64_t tsc, ns;

	(void)argv;
	if (argc != 1)
		return 2;
	ns = now_ns();
	tsc = __rdtsc();
	nanosleep(&span, NULL);
	ns = now_ns() - ns;
	tsc = __rdtsc() - tsc;
	printf("%.0f\n", tsc * 1e6 / ns);
	return 0;
}
#endif

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage;
} commands[] = {
	{ "vm-hello",	vm_hello,	"" },
	{ "vm-note",	vm_note,	"TEXT" },
	{ "vm-put",	vm_put,		"FILE [NAME]" },
	{ "vm-exit",	vm_exit,	"CODE" },
	{ "vm-hold",	vm_hold,	"COMMAND..." },
	{ "vm-tap",	vm_tap,		"NAME COMMAND..." },
	{ "vm-kexec",	vm_kexec,	"[--load|--exec] [--next] [--with WORD] | --announce" },
#ifdef __x86_64__
	{ "vm-tsc",	vm_tsc,		"" },
#endif
};

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	size_t i;
	int ret;

	prog = slash ? slash + 1 : argv[0];
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, prog))
			continue;
		ret = commands[i].run(argc, argv);
		if (ret == 2)
			fprintf(stderr, "usage: %s %s\n", prog,
				commands[i].usage);
		return ret;
	}
	fprintf(stderr, "%s: no such command\n", prog);
	return 2;
}
