// SPDX-License-Identifier: GPL-2.0

#define _GNU_SOURCE
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "fmt.h"
#include "otlp_write.h"

/* Receivers that read lines or requests take 1 MiB of them unless told otherwise. */
#define MESSAGE_MAX	(512 * 1024)

/* Values of enums of the protocol. */
#define KIND_INTERNAL	1
#define STATUS_ERROR	2

uint64_t otlp_id(const struct otlp *o, uint64_t where, uint64_t at)
{
	const uint64_t in[2] = { where, at };
	uint64_t id;

	_Static_assert(crypto_shorthash_BYTES == sizeof(id), "size of an id");
	_Static_assert(crypto_shorthash_KEYBYTES == OTLP_TRACE_ID, "size of a key");
	crypto_shorthash((unsigned char *)&id, (const unsigned char *)in, sizeof(in),
			 o->trace);
	return id ? id : 1;
}

static json_t *hex(const uint8_t *data, size_t size)
{
	char text[2 * OTLP_TRACE_ID + 1];
	size_t i;

	for (i = 0; i < size; i++)
		snprintf(text + 2 * i, 3, "%02x", data[i]);
	return json_string(text);
}

static json_t *id_json(uint64_t id)
{
	return hex((const uint8_t *)&id, sizeof(id));
}

static json_t *integer(uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, n);
	return json_string(text);
}

static void add(json_t *attributes, const char *key, const char *kind, json_t *value)
{
	json_array_append_new(attributes,
			      json_pack("{ss, s{so}}", "key", key, "value", kind, value));
}

void otlp_text(json_t *attributes, const char *key, json_t *value)
{
	add(attributes, key, "stringValue", value);
}

void otlp_number(json_t *attributes, const char *key, int64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, n);
	add(attributes, key, "intValue", json_string(text));
}

void otlp_bool(json_t *attributes, const char *key, bool value)
{
	add(attributes, key, "boolValue", json_boolean(value));
}

static json_t *span_json(const struct otlp *o, const struct otlp_span *span)
{
	const char *name = strerrorname_np(-span->ret);
	json_t *s;

	if (span->ret || span->error)
		otlp_text(span->attributes, "error.type",
			  json_string(span->ret && name ? name : "_OTHER"));
	s = json_pack("{so, so, ss, si, so, so, so}",
		      "traceId", hex(o->trace, sizeof(o->trace)),
		      "spanId", id_json(span->id), "name", span->name,
		      "kind", KIND_INTERNAL,
		      "startTimeUnixNano", integer(span->begin),
		      "endTimeUnixNano", integer(span->end),
		      "attributes", span->attributes);
	if (span->parent)
		json_object_set_new(s, "parentSpanId", id_json(span->parent));
	if (span->ret || span->error)
		json_object_set_new(s, "status",
				    json_pack("{si, ss}", "code", STATUS_ERROR,
					      "message", span->error ? span->error :
						fmt_errno(span->ret)));
	return s;
}

/* Write text of the open message. */
static void put(struct otlp *o, const char *text)
{
	o->size += strlen(text);
	fputs(text, o->f);
}

static void put_json(struct otlp *o, json_t *value)
{
	char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

	if (text)
		put(o, text);
	else
		o->failed = true;
	free(text);
}

static void begin_message(struct otlp *o)
{
	put(o, "{\"resourceSpans\":[{\"resource\":{\"attributes\":");
	put_json(o, o->resource);
	put(o, "},\"scopeSpans\":[{\"scope\":{\"name\":\"luotrace\"},\"spans\":[");
}

static void end_message(struct otlp *o)
{
	if (o->size)
		fputs("]}]}]}\n", o->f);
	o->size = 0;
}

void otlp_put(struct otlp *o, const struct otlp_span *span)
{
	json_t *s = span_json(o, span);

	if (o->size > MESSAGE_MAX)
		end_message(o);
	if (o->size)
		put(o, ",");
	else
		begin_message(o);
	put_json(o, s);
	json_decref(s);
}

bool otlp_end(struct otlp *o)
{
	end_message(o);
	return !o->failed && !ferror(o->f);
}
