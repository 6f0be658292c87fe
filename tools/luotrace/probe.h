/* SPDX-License-Identifier: GPL-2.0 */

/* What the running kernel offers, asked in one place. */

#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>
#include "../../bpf/luotrace.h"
#include "kho.h"
#include "stock.h"

enum flavour { FLAVOUR_NONE, FLAVOUR_STOCK, FLAVOUR_TRACED, FLAVOUR_UNKNOWN };

/* Functions of a stock LUO around the calls of handlers, see probe_luo_function(). */
#define PROBE_LUO_FUNCTIONS	11

/* The capabilities that something needs, as bits. */
enum {
	PROBE_BPF = 1,
	PROBE_PERFMON = 2,
	PROBE_SYSLOG = 4,
	PROBE_SYS_ADMIN = 8,
};

/**
 * struct probe - what there is
 * @release:	  of the kernel
 * @privileged:	  CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN
 * @caps:	  which of the capabilities luotrace has
 * @btf:	  /sys/kernel/btf/vmlinux can be read; if not, nothing is known of
 *		  flavour, tracepoints and iterators
 * @device:	  /dev/liveupdate is there, so live update is on
 * @flavour:	  whose LUO the kernel was built with
 * @tracepoints:  which of the events it has, by enum lt_type
 * @nr_luo:	  how many of the luo events
 * @nr_kho:	  how many of the kho events
 * @session_iter: it has the BPF iterator luo_session
 * @file_iter:	  it has the BPF iterator luo_file
 * @stock:	  what handlers consist of; only of FLAVOUR_STOCK
 * @around:	  functions of a stock LUO that calls are told apart by, a bit for
 *		  each that probe_luo_function() names
 * @missing:	  of the names of functions of a stock LUO, those that BTF has and the
 *		  table of symbols has not; a bit for each of @stock, then of @around
 * @lists:	  the symbol of the sessions of a stock LUO is there, with its address
 * @hidden:	  it is there, and its address is shown to others only
 * @recorder:	  it has the recorder
 * @kho:	  how KHO was set up, and what BPF may do
 * @why_off:	  why live update is off, "" if it is on
 */
struct probe {
	char release[65];
	bool privileged;
	unsigned int caps;
	bool btf;
	enum known device;
	enum flavour flavour;
	bool tracepoints[LT_NR_TYPES];
	unsigned int nr_luo;
	unsigned int nr_kho;
	bool session_iter;
	bool file_iter;
	struct stock stock;
	unsigned int luo_functions;
	uint64_t missing;
	bool lists;
	bool hidden;
	enum known recorder;
	struct kho kho;
	char why_off[KHO_TEXT];
};

/** probe_luo_function - name of a function of a stock LUO, NULL behind the last one */
const char *probe_luo_function(unsigned int nr);

/**
 * probe_symbol - whether the kernel has a symbol for a function of a stock LUO
 * @p:	  from probe_kernel()
 * @name: of @p.stock, or of probe_luo_function()
 */
bool probe_symbol(const struct probe *p, const char *name);

/**
 * probe_next_kernel - which kernel can read what this one hands over
 * @p: from probe_kernel()
 *
 * Return: a sentence, or NULL if this kernel hands nothing over.
 */
const char *probe_next_kernel(const struct probe *p);

/** probe_tracepoint - name of the tracepoint of an event */
const char *probe_tracepoint(enum lt_type type);

/** probe_is_kho - whether an event is one of KHO's */
bool probe_is_kho(enum lt_type type);

/** probe_kernel - find out; never fails, what it cannot see is UNKNOWN */
void probe_kernel(struct probe *p);

/**
 * probe_why_no_audit - why sessions cannot be listed here
 * @p: from probe_kernel()
 *
 * Return: as probe_why_no_trace().
 */
const char *probe_why_no_audit(const struct probe *p);

/**
 * probe_why_no_trace - why handler calls cannot be traced here
 * @p: from probe_kernel()
 *
 * Return: one sentence that says what is missing and how to get it, or NULL if
 *	   nothing is.
 */
const char *probe_why_no_trace(const struct probe *p);

#endif
