// SPDX-License-Identifier: GPL-2.0

#define _GNU_SOURCE
#include <inttypes.h>
#include <nettle/base16.h>
#include <sodium.h>
#include <stdarg.h>
#include <string.h>

#include "fmt.h"
#include "json.h"
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

/* Write text of the open message. */
__attribute__((format(printf, 2, 3)))
static void put(struct otlp *o, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vfprintf(o->f, fmt, args);
	va_end(args);
	o->size += n > 0 ? n : 0;
}

static void put_hex(struct otlp *o, const char *key, const void *data, size_t size)
{
	char text[BASE16_ENCODE_LENGTH(OTLP_TRACE_ID)];

	base16_encode_update(text, size, data);
	put(o, "\"%s\":\"%.*s\",", key, (int)BASE16_ENCODE_LENGTH(size), text);
}

static void put_text(struct otlp *o, const json_t *text)
{
	o->size += json_write(text, JSON_ENCODE_ANY, o->f);
}

static void put_attributes(struct otlp *o, json_t *attributes)
{
	const char *key, *comma = "";
	json_t *value;

	put(o, "\"attributes\":[");
	json_object_foreach(attributes, key, value) {
		put(o, "%s{\"key\":\"%s\",\"value\":{", comma, key);
		if (json_is_string(value)) {
			put(o, "\"stringValue\":");
			put_text(o, value);
		} else if (json_is_integer(value)) {
			put(o, "\"intValue\":\"%" JSON_INTEGER_FORMAT "\"",
			    json_integer_value(value));
		} else {
			put(o, "\"boolValue\":%s", json_is_true(value) ? "true" : "false");
		}
		put(o, "}}");
		comma = ",";
	}
	put(o, "]");
}

static void put_span(struct otlp *o, const struct otlp_span *span)
{
	bool bad = span->ret || span->error;
	const char *error = strerrorname_np(-span->ret);
	json_t *name = json_string(span->name), *message;

	put(o, "{");
	put_hex(o, "traceId", o->trace, sizeof(o->trace));
	put_hex(o, "spanId", &span->id, sizeof(span->id));
	if (span->parent)
		put_hex(o, "parentSpanId", &span->parent, sizeof(span->parent));
	put(o, "\"name\":");
	put_text(o, name);
	json_decref(name);
	put(o, ",\"kind\":%d,\"startTimeUnixNano\":\"%" PRIu64 "\",\"endTimeUnixNano\":\"%"
	    PRIu64 "\",", KIND_INTERNAL, span->begin, span->end);
	if (bad) {
		json_object_set_new(span->attributes, "error.type",
				    json_string(span->ret && error ? error : "_OTHER"));
		message = json_string(span->error ? span->error : fmt_errno(span->ret));
		put(o, "\"status\":{\"code\":%d,\"message\":", STATUS_ERROR);
		put_text(o, message);
		put(o, "},");
		json_decref(message);
	}
	put_attributes(o, span->attributes);
	put(o, "}");
}

static void begin_message(struct otlp *o)
{
	put(o, "{\"resourceSpans\":[{\"resource\":{");
	put_attributes(o, o->resource);
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
	if (o->size > MESSAGE_MAX)
		end_message(o);
	if (o->size)
		put(o, ",");
	else
		begin_message(o);
	put_span(o, span);
	json_decref(span->attributes);
}

bool otlp_end(struct otlp *o)
{
	end_message(o);
	return !ferror(o->f);
}
