/* SPDX-License-Identifier: GPL-2.0 */

/*
 * What the guest of the tests keeps in its RAM: written by guest.c, which runs in the
 * VMM, and judged by guest_check.c from outside.
 */

#ifndef GUEST_H
#define GUEST_H

#include <stdint.h>

/* Physical addresses */
#define GUEST_STATE	0x200000
#define GUEST_LOG	0x300000
#define GUEST_PATTERN	0x1000000

#define GUEST_MAGIC	0x74736575	/* set once the pattern is written */
#define GUEST_TICKS	65536		/* entries of the log; later ones replace the oldest */
#define GUEST_HZ	5

/* Port of the debug console; each tick is a byte: number of the guest, low bits of the tick */
#define GUEST_PORT	0xe9
#define GUEST_TICK_BITS	5
#define GUEST_TICK_BYTE(number, tick) \
	((uint8_t)((number) << GUEST_TICK_BITS | ((tick) & ((1 << GUEST_TICK_BITS) - 1))))

/* Devices and registers that the guest sets anew with each tick, and reads at the next */
enum guest_device {
	GUEST_UART,		/* scratch register of the serial port */
	GUEST_CMOS,		/* a byte of the battery-backed RAM */
	GUEST_PIC,		/* interrupt mask */
	GUEST_DEBUG_REGISTER,	/* DR0 */
	GUEST_MSR,		/* IA32_SYSENTER_EIP */
	GUEST_DEVICES
};

/**
 * struct guest_state - at GUEST_STATE
 * @magic:	  GUEST_MAGIC
 * @number:	  of the guest, 1 to 7
 * @touched:	  bytes of the pattern at GUEST_PATTERN
 * @ticks:	  of the timer so far; that many entries of the log were written
 * @passes:	  how often the guest has found the whole pattern as it was
 * @bad_words:	  of the pattern, as the guest found them
 * @bad_address:  the first one
 * @bad_value:	  what was there
 * @bad_devices:  bit of each enum guest_device that has ever lost its value
 * @starts:	  how often the guest has started; a reset leaves RAM as it is
 * @start_tick:	  @ticks at the last start
 * @caught:	  1 more than the exception that has ended the guest, 0 if it runs
 * @stack:	  of the exception: error code if it has one, address, segment, flags
 */
struct guest_state {
	uint32_t magic;
	uint32_t number;
	uint32_t touched;
	uint32_t ticks;
	uint32_t passes;
	uint32_t bad_words;
	uint32_t bad_address;
	uint32_t bad_value;
	uint32_t bad_devices;
	uint32_t starts;
	uint32_t start_tick;
	uint32_t caught;
	uint32_t stack[4];
};

/**
 * struct guest_tick - entry of the log at GUEST_LOG
 * @tick: its number, from 0
 * @sum:  guest_sum() of this entry and that of the one before
 * @tsc:  the guest's time-stamp counter
 * @end:  the same once the tick is over and its byte was sent, 0 before
 */
struct guest_tick {
	uint32_t tick;
	uint32_t sum;
	uint64_t tsc;
	uint64_t end;
};

/* FNV-1a, in words: an entry that is lost, repeated or changed breaks all after it. */
static inline uint32_t guest_sum(uint32_t before, uint32_t tick, uint64_t tsc)
{
	const uint32_t words[] = { tick, (uint32_t)tsc, (uint32_t)(tsc >> 32) };
	unsigned int i;

	for (i = 0; i < 3; i++)
		before = (before ^ words[i]) * 16777619;
	return before;
}

/* The word of the pattern at an address. */
static inline uint32_t guest_word(uint32_t number, uint32_t address)
{
	return (address ^ number << 24) * 2654435761u | 1;
}

#endif
