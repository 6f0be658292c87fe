/* SPDX-License-Identifier: GPL-2.0 */

/*
 * How spans become messages of OTLP in JSON: ids in hex, integers of 64 bits as strings,
 * enumerations as numbers. For the parts of otlp.c only.
 */

#ifndef OTLP_WRITE_H
#define OTLP_WRITE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define OTLP_TRACE_ID	16	/* bytes of the id of a trace */

/**
 * struct otlp - the messages of a trace
 * @f:	      where they go to
 * @trace:    its id
 * @resource: attributes of the machine, an object; the caller's
 * @size:     bytes of the message that is open, 0 for none
 */
struct otlp {
	FILE *f;
	uint8_t trace[OTLP_TRACE_ID];
	json_t *resource;
	size_t size;
};

/**
 * struct otlp_span - a span
 * @id:		its id
 * @parent:	id of its parent, 0 for none
 * @name:	what it is; printable
 * @begin:	ns since 1970
 * @end:	ns since 1970
 * @attributes: an object, which is taken
 * @ret:	0 or a negative errno, which makes its status an error
 * @error:	what went wrong, if that is no errno; NULL for nothing
 */
struct otlp_span {
	uint64_t id;
	uint64_t parent;
	const char *name;
	uint64_t begin;
	uint64_t end;
	json_t *attributes;
	int ret;
	const char *error;
};

/**
 * otlp_id - the id of a span
 * @o:	   its trace, whose @trace is set
 * @where: the part of the input that it is of
 * @at:	   its number there
 *
 * Return: the same for the same arguments, another one for others; not 0.
 */
uint64_t otlp_id(const struct otlp *o, uint64_t where, uint64_t at);

/** otlp_put - write a span; a message that it makes too long ends before it */
void otlp_put(struct otlp *o, const struct otlp_span *span);

/** otlp_end - end the last message; false if it cannot be written */
bool otlp_end(struct otlp *o);

/** otlp_text - add an attribute that is a string; @value is taken */
static inline void otlp_text(json_t *attributes, const char *key, json_t *value)
{
	json_object_set_new(attributes, key, value);
}

/** otlp_number - add an attribute that is an integer */
static inline void otlp_number(json_t *attributes, const char *key, int64_t n)
{
	json_object_set_new(attributes, key, json_integer(n));
}

/** otlp_bool - add an attribute that is true or false */
static inline void otlp_bool(json_t *attributes, const char *key, bool value)
{
	json_object_set_new(attributes, key, json_boolean(value));
}

#endif
