// SPDX-License-Identifier: GPL-2.0

/*
 * The guest of the tests, a kernel of its own for a PC: QEMU's -kernel starts it by its
 * PVH note, with -append "NUMBER MIB". It writes a pattern over so many MiB of its RAM,
 * logs a tick every few timer interrupts, with checksums, sends a byte a tick to the debug
 * port, and looks all the time whether the pattern and the values that it keeps in
 * devices are as it left them. See guest.h.
 */

#include "guest.h"

#define STEP	(256 << 10)	/* bytes of the pattern between two interrupts */

#define PIC	0x20
#define PIC_MASKED	0x98	/* the timer is not; of the others it does not matter */
#define PIC_BITS	0x66
#define PIT	0x40
#define PIT_HZ	1193182
#define PIT_DIVISOR	(PIT_HZ / TIMER_HZ)
#define TIMER_HZ	100	/* the timer cannot be as slow as a tick */
#define UART_SCRATCH	0x3ff
#define CMOS	0x70
#define CMOS_BYTE	0x60
#define MSR_SYSENTER_EIP	0x176

#define EXCEPTIONS	32
#define ENTRY_SIZE	16	/* bytes of code for each */

/* What PVH hands over, as far as it is used */
struct start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modules, cmdline;
};

static struct guest_state *const state = (void *)GUEST_STATE;
static struct guest_tick *const ticks = (void *)GUEST_LOG;
static uint32_t kept;	/* what the devices were last set to */
static uint32_t sum;
static uint32_t interrupts;

static struct {
	uint16_t low, selector, type, high;
} idt[256];

static inline void out(uint16_t port, uint8_t value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in(uint16_t port)
{
	uint8_t value;

	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint64_t tsc(void)
{
	uint64_t value;

	asm volatile("rdtsc" : "=A"(value));
	return value;
}

static void set_uart(uint32_t value)
{
	out(UART_SCRATCH, value);
}

static uint32_t get_uart(void)
{
	return in(UART_SCRATCH);
}

static void set_cmos(uint32_t value)
{
	out(CMOS, CMOS_BYTE);
	out(CMOS + 1, value);
}

static uint32_t get_cmos(void)
{
	out(CMOS, CMOS_BYTE);
	return in(CMOS + 1);
}

static void set_pic(uint32_t value)
{
	out(PIC + 1, value | PIC_MASKED);
}

static uint32_t get_pic(void)
{
	return in(PIC + 1);
}

static void set_debug_register(uint32_t value)
{
	asm volatile("mov %0, %%db0" : : "r"(value));
}

static uint32_t get_debug_register(void)
{
	uint32_t value;

	asm volatile("mov %%db0, %0" : "=r"(value));
	return value;
}

static void set_msr(uint32_t value)
{
	asm volatile("wrmsr" : : "c"(MSR_SYSENTER_EIP), "a"(value), "d"(0));
}

static uint32_t get_msr(void)
{
	uint32_t value, high;

	asm volatile("rdmsr" : "=a"(value), "=d"(high) : "c"(MSR_SYSENTER_EIP));
	return value;
}

static const struct {
	void (*set)(uint32_t value);
	uint32_t (*get)(void);
	uint32_t bits;
} devices[GUEST_DEVICES] = {
	[GUEST_UART]		= { set_uart, get_uart, 0xff },
	[GUEST_CMOS]		= { set_cmos, get_cmos, 0xff },
	[GUEST_PIC]		= { set_pic, get_pic, PIC_BITS },
	[GUEST_DEBUG_REGISTER]	= { set_debug_register, get_debug_register, ~0u },
	[GUEST_MSR]		= { set_msr, get_msr, ~0u },
};

static void set_devices(uint32_t value)
{
	int i;

	kept = value;
	for (i = 0; i < GUEST_DEVICES; i++)
		devices[i].set(value & devices[i].bits);
}

static void check_devices(void)
{
	int i;

	for (i = 0; i < GUEST_DEVICES; i++)
		if ((devices[i].get() & devices[i].bits) != (kept & devices[i].bits))
			state->bad_devices |= 1u << i;
}

static void tick(void)
{
	uint32_t n = state->ticks;
	struct guest_tick *now = &ticks[n % GUEST_TICKS];

	now->tsc = tsc();
	now->end = 0;
	now->tick = n;
	sum = guest_sum(sum, n, now->tsc);
	now->sum = sum;
	state->ticks = n + 1;

	check_devices();
	set_devices(guest_word(state->number, n));
	out(GUEST_PORT, GUEST_TICK_BYTE(state->number, n));
	now->end = tsc();
}

__attribute__((used)) static void timer(void)
{
	if (++interrupts % (TIMER_HZ / GUEST_HZ) == 0)
		tick();
	out(PIC, 0x20);
}

/* Without an end here an exception is a reset, after which the guest starts again. */
__attribute__((used, noreturn)) static void exception(const uint32_t *stack)
{
	int i;

	for (i = 0; i < 4; i++)
		state->stack[i] = stack[1 + i];
	state->caught = 1 + stack[0];
	for (;;)
		asm volatile("cli; hlt");
}

void start(const struct start_info *info);
void timer_entry(void);
void spurious_entry(void);
extern const uint8_t exception_entries[EXCEPTIONS][ENTRY_SIZE];

asm(".pushsection .note.Xen, \"a\", @note\n"
    "	.long 4, 4, 18\n"		/* PHYS32_ENTRY */
    "	.asciz \"Xen\"\n"
    "	.long entry\n"
    ".popsection\n"
    ".globl entry\n"
    "entry:\n"
    "	lgdt gdt_pointer\n"
    "	ljmp $8, $1f\n"
    "1:	mov $16, %eax\n"
    "	mov %eax, %ds\n"
    "	mov %eax, %es\n"
    "	mov %eax, %ss\n"
    "	mov $stack_end, %esp\n"
    "	push %ebx\n"
    "	call start\n"
    "timer_entry:\n"
    "	pusha\n"
    "	cld\n"
    "	call timer\n"
    "	popa\n"
    "spurious_entry:\n"
    "	iret\n"
    "	.balign 16\n"
    "exception_entries:\n"
    "vector = 0\n"
    ".rept 32\n"			/* EXCEPTIONS */
    "	.balign 16\n"			/* ENTRY_SIZE */
    "	push $vector\n"
    "	jmp 2f\n"
    "	vector = vector + 1\n"
    ".endr\n"
    "2:	push %esp\n"
    "	call exception\n"
    ".pushsection .rodata\n"
    "	.balign 8\n"
    "gdt:	.quad 0, 0xcf9a000000ffff, 0xcf92000000ffff\n"
    "gdt_pointer:\n"
    "	.word 23\n"
    "	.long gdt\n"
    ".popsection\n"
    ".pushsection .bss\n"
    "	.skip 16384\n"
    "stack_end:\n"
    ".popsection\n");

static uint32_t number(const char **text)
{
	uint32_t n = 0;

	while (**text == ' ')
		++*text;
	while (**text >= '0' && **text <= '9')
		n = n * 10 + *(*text)++ - '0';
	return n;
}

static void set_gate(int vector, const void *entry)
{
	idt[vector].low = (uint32_t)entry;
	idt[vector].selector = 8;
	idt[vector].type = 0x8e00;
	idt[vector].high = (uint32_t)entry >> 16;
}

static void init_gates(void)
{
	struct { uint16_t limit; uint32_t base; } __attribute__((packed)) idtr = {
		sizeof(idt) - 1, (uint32_t)idt,
	};
	int i;

	for (i = 0; i < EXCEPTIONS; i++)
		set_gate(i, exception_entries[i]);
	set_gate(0x20, timer_entry);
	set_gate(0x27, spurious_entry);
	asm volatile("lidt %0" : : "m"(idtr));
}

static void init_timer(void)
{
	static const uint8_t pics[][2] = {
		{ PIC, 0x11 }, { PIC + 1, 0x20 }, { PIC + 1, 4 }, { PIC + 1, 1 },
		{ 0xa0, 0x11 }, { 0xa1, 0x28 }, { 0xa1, 2 }, { 0xa1, 1 }, { 0xa1, 0xff },
	};
	unsigned int i;

	for (i = 0; i < sizeof(pics) / sizeof(pics[0]); i++)
		out(pics[i][0], pics[i][1]);
	set_devices(0);
	out(PIT + 3, 0x34);
	out(PIT, (uint8_t)PIT_DIVISOR);
	out(PIT, PIT_DIVISOR >> 8);
}

static void check_word(uint32_t at)
{
	const volatile uint32_t *word = (void *)at;
	uint32_t found = *word;

	if (found == guest_word(state->number, at))
		return;
	if (!state->bad_words++) {
		state->bad_address = at;
		state->bad_value = found;
	}
}

__attribute__((noreturn)) void start(const struct start_info *info)
{
	const char *text = (void *)(uint32_t)info->cmdline;
	uint32_t at, end, seen = 0;

	state->starts++;
	state->start_tick = state->ticks;
	init_gates();
	state->number = number(&text);
	state->touched = number(&text) << 20;
	end = GUEST_PATTERN + state->touched;
	for (at = GUEST_PATTERN; at < end; at += 4)
		*(volatile uint32_t *)at = guest_word(state->number, at);
	state->magic = GUEST_MAGIC;
	init_timer();
	for (at = GUEST_PATTERN;;) {
		asm volatile("sti; hlt" : : : "memory");
		do {
			check_word(at);
			at += 4;
		} while (at < end && at % STEP);
		if (at < end)
			continue;
		at = GUEST_PATTERN;
		/* A pass with a fault is none. */
		if (state->bad_words == seen)
			state->passes++;
		seen = state->bad_words;
	}
}
