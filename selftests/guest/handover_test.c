// SPDX-License-Identifier: GPL-2.0

/* The output of luotrace handover, against what damage_test hold 6 created. */

#include "luo_test.h"
#include "luo_json.h"

#define B_FILES		70
#define EMPTY		56
#define SESSIONS	(4 + EMPTY)

static json_t *load(const char *path, const char *file)
{
	json_t *root = json_load_file(path, 0, NULL), *tree;
	size_t i;

	json_array_foreach(json_object_get(root, "trees"), i, tree) {
		const char *name = json_string_value(json_object_get(tree, "file"));

		if (name && strstr(name, file))
			return tree;
	}
	return NULL;
}

TEST(before_the_kexec_the_sessions_are_shown)
{
	json_t *tree = load("/state/out.json", "out/sub_fdts/LUO"), *s;

	ASSERT_NE(NULL, tree);
	EXPECT_STREQ("luo-v2", text(tree, "tree"));
	EXPECT_STREQ("1", text(tree, "liveupdate_number"));
	EXPECT_EQ(SESSIONS, json_array_size(json_object_get(tree, "outgoing")));
	s = named(tree, "outgoing", "b");
	EXPECT_EQ(B_FILES, json_integer_value(json_object_get(s, "files")));
	EXPECT_EQ(B_FILES, json_integer_value(json_object_get(s, "pages")));
	EXPECT_STREQ("normal", text(s, "state"));
}

TEST(after_the_kexec_the_trees_and_their_faults_are_shown)
{
	json_t *luo = load("/tmp/in.json", "in/sub_fdts/LUO");
	json_t *kho = load("/tmp/in.json", "in/fdt"), *o;

	ASSERT_NE(NULL, luo);
	ASSERT_NE(NULL, kho);
	EXPECT_EQ(1, json_integer_value(json_object_get(luo, "nr_problems")));
	EXPECT_NE(NULL, strstr(json_string_value(json_array_get(
			json_object_get(luo, "problems"), 0)) ?: "",
			"node 'luo-session' is 'luo-session-v9'"));
	o = named(luo, "subsystems", "luo-test-first");
	EXPECT_STREQ("0x3e9", text(o, "data"));
	EXPECT_EQ(0, json_integer_value(json_object_get(kho, "nr_problems")));
	EXPECT_EQ(0, strncmp("kho-v", text(kho, "tree"), 5));
	EXPECT_STREQ("4096", text(named(kho, "subtrees", "LUO"), "bytes"));
}

TEST(records_are_read_from_memory)
{
	json_t *tree = load("/tmp/memory.json", "mended"), *s, *files;
	char name[32];
	int i;

	ASSERT_NE(NULL, tree);
	EXPECT_EQ(SESSIONS, json_array_size(json_object_get(tree, "sessions")));
	for (i = 0; i < EMPTY; i++) {
		snprintf(name, sizeof(name), "empty-%d", i);
		s = named(tree, "sessions", name);
		EXPECT_EQ(0, json_integer_value(json_object_get(s, "files")))
			TH_LOG("%s", name);
		EXPECT_NE(NULL, s);
	}
	s = named(tree, "sessions", "b");
	EXPECT_STREQ("70", text(s, "pages"));
	files = json_object_get(s, "file_list");
	ASSERT_EQ(B_FILES, json_array_size(files));
	for (i = 0; i < B_FILES; i++)
		EXPECT_STREQ("liveupdate-test-v1",
			     text(json_array_get(files, i), "handler"));
	EXPECT_EQ(2, json_integer_value(json_object_get(
			named(tree, "sessions", "a"), "files")));
}

RUN_CASES_MAIN
