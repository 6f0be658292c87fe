// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifest.h"

#define MANIFEST_SCHEMA	1

static struct item *manifest_add(struct manifest *m)
{
	struct item *items = reallocarray(m->items, m->count + 1,
					  sizeof(*items));

	if (!items) {
		perror("manifest");
		return NULL;
	}
	m->items = items;
	memset(&items[m->count], 0, sizeof(*items));
	return &items[m->count++];
}

void manifest_free(struct manifest *m)
{
	free(m->items);
	*m = (struct manifest){};
}

int manifest_read_plan(const char *path, struct manifest *m)
{
	FILE *f = fopen(path, "r");
	unsigned int line = 0;
	char buf[256], end;
	struct item *item;

	*m = (struct manifest){};
	if (!f) {
		fprintf(stderr, "cannot read plan '%s': %s\n", path,
			strerror(errno));
		return -1;
	}
	while (fgets(buf, sizeof(buf), f)) {
		line++;
		if (buf[0] == '#' || buf[0] == '\n')
			continue;
		item = manifest_add(m);
		if (!item)
			goto fail;
		if (sscanf(buf, "%63s %" SCNu64 " %" SCNu64 " %c",
			   item->session, &item->token, &item->size, &end) != 3) {
			fprintf(stderr,
				"plan '%s' line %u: want 'SESSION TOKEN BYTES'\n",
				path, line);
			goto fail;
		}
	}
	fclose(f);
	return 0;

fail:
	fclose(f);
	manifest_free(m);
	return -1;
}

int manifest_write(const char *path, const struct manifest *m)
{
	json_t *files = json_array();
	json_t *root;
	size_t i;
	int err;

	for (i = 0; i < m->count; i++) {
		const struct item *item = &m->items[i];

		json_array_append_new(files, json_pack("{ss, sI, sI, ss}",
			"session", item->session,
			"token", (json_int_t)item->token,
			"size_bytes", (json_int_t)item->size,
			"sha256", item->sha256));
	}
	root = json_pack("{si, so}", "schema", MANIFEST_SCHEMA, "files", files);
	err = root ? json_dump_file(root, path, JSON_INDENT(2)) : -1;
	json_decref(root);
	if (err)
		fprintf(stderr, "cannot write manifest '%s'\n", path);
	return err;
}

int manifest_read(const char *path, struct manifest *m)
{
	json_t *root, *files, *file;
	json_error_t why;
	size_t i;

	*m = (struct manifest){};
	root = json_load_file(path, 0, &why);
	if (!root) {
		fprintf(stderr, "cannot read manifest '%s': %s\n", path,
			why.text);
		return -1;
	}
	if (json_integer_value(json_object_get(root, "schema")) !=
	    MANIFEST_SCHEMA) {
		fprintf(stderr, "manifest '%s': want schema %d\n", path,
			MANIFEST_SCHEMA);
		goto fail;
	}

	files = json_object_get(root, "files");
	json_array_foreach(files, i, file) {
		struct item *item = manifest_add(m);
		const char *session, *sha256;
		json_int_t token, size;

		if (!item)
			goto fail;
		if (json_unpack_ex(file, &why, 0, "{ss, sI, sI, ss}",
				   "session", &session, "token", &token,
				   "size_bytes", &size, "sha256", &sha256)) {
			fprintf(stderr, "manifest '%s' file %zu: %s\n", path, i,
				why.text);
			goto fail;
		}
		snprintf(item->session, sizeof(item->session), "%s", session);
		snprintf(item->sha256, sizeof(item->sha256), "%s", sha256);
		item->token = token;
		item->size = size;
	}
	json_decref(root);
	return 0;

fail:
	json_decref(root);
	manifest_free(m);
	return -1;
}
