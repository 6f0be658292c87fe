// SPDX-License-Identifier: GPL-2.0

/* The output of luotrace handover, against what damage_test hold 1 created. */

#include "luo_test.h"
#include "luo_json.h"

#define B_FILES		120
#define EMPTY		68
#define SESSIONS	(21 + EMPTY)

static json_t *load(const char *path, const char *file)
{
	json_t *root = json_load_file(path, 0, NULL), *tree;
	size_t i;

	json_array_foreach(json_object_get(root, "trees"), i, tree) {
		const char *name = json_string_value(json_object_get(tree, "file"));

		if (name && strlen(name) >= strlen(file) &&
		    !strcmp(name + strlen(name) - strlen(file), file))
			return tree;
	}
	return NULL;
}

/* The only problem of a table, or "". */
static const char *problem(json_t *table)
{
	json_t *all = json_object_get(table, "problems");

	return json_array_size(all) == 1 ?
	       json_string_value(json_array_get(all, 0)) : "";
}

TEST(before_the_kexec_the_sessions_are_shown)
{
	json_t *table = load("/state/out.json", "out/sub_fdts/LUO");
	json_t *tree = load("/state/out.json", "out/sub_fdts/LUO-FDT"), *s;

	ASSERT_NE(NULL, table);
	ASSERT_NE(NULL, tree);
	EXPECT_STREQ("luo-v5", text(table, "tree"));
	EXPECT_STREQ("luo-fdt-v1", text(tree, "tree"));
	EXPECT_STREQ("1", text(table, "liveupdate_number"));
	EXPECT_STREQ("1", text(tree, "liveupdate_number"));
	EXPECT_EQ(SESSIONS, json_array_size(json_object_get(tree, "outgoing")));
	s = named(tree, "outgoing", "b");
	EXPECT_EQ(B_FILES, json_integer_value(json_object_get(s, "files")));
	EXPECT_EQ(B_FILES, json_integer_value(json_object_get(s, "pages")));
	EXPECT_STREQ("normal", text(s, "state"));
}

TEST(after_the_kexec_the_trees_and_their_faults_are_shown)
{
	json_t *tree = load("/tmp/in.json", "in/sub_fdts/LUO-FDT");
	json_t *table = load("/tmp/in.json", "in/sub_fdts/LUO");
	json_t *kho = load("/tmp/in.json", "in/fdt");

	ASSERT_NE(NULL, tree);
	ASSERT_NE(NULL, table);
	ASSERT_NE(NULL, kho);
	EXPECT_NE(NULL, strstr(problem(tree), "the tree is 'luo-fdt-v9'"));
	EXPECT_NE(NULL, strstr(problem(table), "'luo-v9'"));
	EXPECT_EQ(0, json_integer_value(json_object_get(kho, "nr_problems")));
	EXPECT_EQ(0, strncmp("kho-v", text(kho, "tree"), 5));
	EXPECT_STREQ("32", text(named(kho, "subtrees", "LUO"), "bytes"));
	EXPECT_STREQ("4096", text(named(kho, "subtrees", "LUO-FDT"), "bytes"));
}

TEST(records_are_read_from_memory)
{
	json_t *tree = load("/tmp/memory.json", "mended"), *s, *files, *o;
	char name[32];
	int i;

	ASSERT_NE(NULL, tree);
	EXPECT_EQ(0, json_integer_value(json_object_get(tree, "nr_problems")));
	o = named(tree, "subsystems", "luo-test-first");
	EXPECT_STREQ("0x3e9", text(o, "data"));
	EXPECT_EQ(SESSIONS, json_array_size(json_object_get(tree, "sessions")));
	for (i = 0; i < EMPTY; i++) {
		snprintf(name, sizeof(name), "e%d", i);
		s = named(tree, "sessions", name);
		EXPECT_EQ(0, json_integer_value(json_object_get(s, "files")))
			TH_LOG("%s", name);
		EXPECT_NE(NULL, s);
	}
	s = named(tree, "sessions", "b");
	EXPECT_STREQ("120", text(s, "pages"));
	files = json_object_get(s, "file_list");
	ASSERT_EQ(B_FILES, json_array_size(files));
	for (i = 0; i < B_FILES; i++)
		EXPECT_STREQ("liveupdate-test-v1",
			     text(json_array_get(files, i), "handler"));
	EXPECT_EQ(2, json_integer_value(json_object_get(
			named(tree, "sessions", "v0"), "files")));
}

RUN_CASES_MAIN
