/* SPDX-License-Identifier: GPL-2.0 */

/* What the running kernel offers. For all commands that read this machine. */

#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>
#include "../../bpf/luotrace.h"
#include "kho.h"
#include "stock.h"

enum flavour { FLAVOUR_NONE, FLAVOUR_STOCK, FLAVOUR_TRACED, FLAVOUR_UNKNOWN };

/* Functions of a stock LUO that call handlers, see probe_luo_function(). */
#define PROBE_LUO_FUNCTIONS	14

/* Capabilities, as bits. */
enum {
	PROBE_BPF = 1,
	PROBE_PERFMON = 2,
	PROBE_SYSLOG = 4,
	PROBE_SYS_ADMIN = 8,
};

/**
 * struct probe - what the kernel offers
 * @release:	  of the kernel
 * @privileged:	  CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN
 * @caps:	  which of the capabilities luotrace has
 * @btf:	  /sys/kernel/btf/vmlinux can be read; if not, flavour, tracepoints and
 *		  iterators are unknown
 * @device:	  /dev/liveupdate exists, so live update is on
 * @flavour:	  whose LUO the kernel was built with
 * @tracepoints:  which of the events it has, by enum lt_type
 * @errors:	  for which of the events it has one that occurs for failures alone
 * @several:	  for which of them it has one of several at a time
 * @nr_luo:	  how many of the luo events
 * @nr_kho:	  how many of the kho events
 * @session_iter: it has the BPF iterator luo_session
 * @file_iter:	  it has the BPF iterator luo_file
 * @folios:	  BTF has the functions of KHO for a folio
 * @stock:	  functions of handlers; only of FLAVOUR_STOCK
 * @luo_functions: functions of a stock LUO that call handlers, a bit for each that
 *		  probe_luo_function() names
 * @missing:	  functions of a stock LUO that BTF has and the symbol table has not; a bit
 *		  for each of @stock, then of @luo_functions
 * @lists:	  the symbol table has the address of the sessions of a stock LUO
 * @hidden:	  it has the symbol, and hides its address from luotrace
 * @recorder:	  it has the recorder
 * @kho:	  set-up of KHO and BPF
 * @why_off:	  why live update is off, "" if it is on, or if the kernel has no LUO
 */
struct probe {
	char release[65];
	bool privileged;
	unsigned int caps;
	bool btf;
	enum known device;
	enum flavour flavour;
	bool tracepoints[LT_NR_TYPES];
	bool errors[LT_NR_TYPES];
	bool several[LT_NR_TYPES];
	unsigned int nr_luo;
	unsigned int nr_kho;
	bool session_iter;
	bool file_iter;
	bool folios;
	struct stock stock;
	unsigned int luo_functions;
	uint64_t missing;
	bool lists;
	bool hidden;
	enum known recorder;
	struct kho kho;
	char why_off[KHO_TEXT];
};

/** probe_luo_function - name of a function of a stock LUO, NULL after the last one */
const char *probe_luo_function(unsigned int nr);

/** probe_luo_calls - whether a function is one from which this LUO calls handlers */
bool probe_luo_calls(const char *function);

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
 * Return: a sentence, or NULL if this kernel does not hand over.
 */
const char *probe_next_kernel(const struct probe *p);

/** probe_tracepoint - name of the tracepoint of an event */
const char *probe_tracepoint(enum lt_type type);

/** probe_error_tracepoint - name of the one for its failures alone; NULL if there is none */
const char *probe_error_tracepoint(enum lt_type type);

/** probe_several_tracepoint - name of the one that has several; NULL if there is none */
const char *probe_several_tracepoint(enum lt_type type);

/** probe_is_kho - whether an event is one of KHO's */
bool probe_is_kho(enum lt_type type);

/** probe_kernel - probe this kernel; never fails, what it cannot see is UNKNOWN */
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
