// SPDX-License-Identifier: GPL-2.0

#include <stdio.h>
#include <string.h>

#include "enum_name.h"
#include "fmt.h"
#include "otlp_update.h"

struct otlp_parent otlp_root(const struct otlp_update *u)
{
	return (struct otlp_parent){ otlp_id(&u->out, OTLP_OF_RECORD, SPAN_NR), 0,
				     UINT64_MAX };
}

bool otlp_clip(const struct otlp_parent *p, uint64_t *begin, uint64_t *end)
{
	uint64_t from = *begin > p->begin ? *begin : p->begin;
	uint64_t to = *end < p->end ? *end : p->end;
	uint64_t whole = *end - *begin;

	if (from > to || to - from < whole - whole / 10)
		return false;
	*begin = from;
	*end = to;
	return true;
}

struct otlp_parent otlp_phase_of(const struct otlp_update *u, uint64_t begin,
				 uint64_t end)
{
	uint64_t from = begin, to = end;
	int s;

	for (s = 0; s < SPAN_NR; s++) {
		if (u->phases[s].id && otlp_clip(&u->phases[s], &from, &to))
			return u->phases[s];
	}
	return otlp_root(u);
}

void otlp_put_in(struct otlp_update *u, const struct otlp_parent *p,
		 struct otlp_span *span)
{
	span->parent = p->id;
	u->begin = span->begin < u->begin ? span->begin : u->begin;
	u->end = span->end > u->end ? span->end : u->end;
	otlp_put(&u->out, span);
}

void otlp_put_call(struct otlp_update *u, const struct otlp_parent *p,
		   struct otlp_span *span, unsigned int op, const char *kind,
		   const char *target, uint64_t duration)
{
	char compat[4 * LT_NAME_LEN + 1], name[sizeof(compat) + 32];

	snprintf(name, sizeof(name), "%s %s", enum_name(ENUM_OP, op),
		 fmt_label(compat, sizeof(compat), target));
	span->name = name;
	otlp_text(span->attributes, "luo.operation", json_string(enum_name(ENUM_OP, op)));
	otlp_text(span->attributes, "luo.target.kind", json_string(kind));
	otlp_text(span->attributes, "luo.target", fmt_json_name(target));
	otlp_number(span->attributes, "luo.duration_ns", duration);
	otlp_put_in(u, p, span);
}
