// SPDX-License-Identifier: GPL-2.0

#include "hist.h"

uint64_t hist_low(unsigned int slot)
{
	unsigned int octave = slot / LT_SUB;

	if (!octave)
		return slot;
	return (uint64_t)(LT_SUB + slot % LT_SUB) << (octave - 1);
}

uint64_t hist_high(unsigned int slot)
{
	return slot == LT_SLOTS - 1 ? UINT64_MAX : hist_low(slot + 1) - 1;
}

uint64_t hist_percentile(const struct lt_row *row, double p)
{
	uint64_t rank = (uint64_t)(row->count * p / 100 + 0.9999999);
	uint64_t seen = 0, v;
	unsigned int slot;

	if (!rank)
		rank = 1;
	for (slot = 0; slot < LT_SLOTS - 1; slot++) {
		seen += row->slots[slot];
		if (seen >= rank)
			break;
	}
	/* The middle of the slot errs least. */
	v = slot == LT_SLOTS - 1 ? row->max_ns :
	    hist_low(slot) + (hist_high(slot) - hist_low(slot)) / 2;
	if (v < row->min_ns)
		v = row->min_ns;
	return v > row->max_ns ? row->max_ns : v;
}

void hist_add(struct lt_row *row, const struct lt_row *other)
{
	unsigned int slot;

	if (!row->count || (other->count && other->min_ns < row->min_ns))
		row->min_ns = other->min_ns;
	if (other->max_ns > row->max_ns)
		row->max_ns = other->max_ns;
	row->count += other->count;
	row->errors += other->errors;
	row->total_ns += other->total_ns;
	for (slot = 0; slot < LT_SLOTS; slot++)
		row->slots[slot] += other->slots[slot];
}

void hist_subtract(struct lt_row *row, const struct lt_row *earlier)
{
	uint64_t min = row->min_ns, max = row->max_ns;
	unsigned int slot;
	int first = 1;

	row->count -= earlier->count;
	row->errors -= earlier->errors;
	row->total_ns -= earlier->total_ns;
	row->min_ns = 0;
	row->max_ns = 0;
	for (slot = 0; slot < LT_SLOTS; slot++) {
		row->slots[slot] -= earlier->slots[slot];
		if (!row->slots[slot])
			continue;
		if (first)
			row->min_ns = hist_low(slot) > min ? hist_low(slot) : min;
		first = 0;
		row->max_ns = hist_high(slot) < max ? hist_high(slot) : max;
	}
}

void hist_count(struct lt_row *row, uint64_t ns, int ret)
{
	if (!row->count || ns < row->min_ns)
		row->min_ns = ns;
	if (ns > row->max_ns)
		row->max_ns = ns;
	row->count++;
	row->total_ns += ns;
	row->errors += ret < 0;
	row->slots[lt_slot(ns)]++;
}

void hist_fold(const struct lt_row *row, struct hist_octaves *to)
{
	unsigned int o;

	*to = (struct hist_octaves){ .first = HIST_OCTAVES };
	for (o = 0; o < LT_SLOTS; o++)
		to->calls[o / LT_SUB] += row->slots[o];
	for (o = 0; o < HIST_OCTAVES; o++) {
		if (!to->calls[o])
			continue;
		if (to->first == HIST_OCTAVES)
			to->first = o;
		to->last = o;
		if (to->calls[o] > to->most)
			to->most = to->calls[o];
	}
}
