// SPDX-License-Identifier: GPL-2.0

/*
 * A live update of which only the session of the tool is left is over: without any other
 * session, and after a FINISH that this one does not allow.
 *
 *	mark_tool_test alone	a live update with the session of the tool only
 *	mark_tool_test -f alone	what the next kernel recorded by itself
 *	mark_tool_test leave	a live update that gives that session up
 *	mark_tool_test -f left	a FINISH that leaves it
 */

#include "luo_recorder.h"

#include "luo_json.h"
#include <linux/reboot.h>
#include <sys/reboot.h>

#define TOOL		LIVEUPDATE_RECORDER_SESSION
#define BOX_SIZE	4096

static struct liveupdate_recorder now;

static int kexec(void)
{
	must(!system("vm-kexec --load"), "vm-kexec --load");
	reboot(LINUX_REBOOT_CMD_KEXEC);
	perror("reboot");
	return 1;
}

static int alone(void)
{
	int tool = create(open_device(), TOOL);

	must(tool >= 0 && !preserve(tool, memfd(BOX_SIZE, 1), 1), TOOL);
	return kexec();
}

/* The session of the tool that is incoming is not claimed. */
static int leave(void)
{
	int dev = open_device(), tool = create(dev, TOOL), t = test_file(1);

	must(tool >= 0 && !preserve(tool, t, 1) &&
	     !test_set(t, LIVEUPDATE_TEST_CAN_FINISH, EDOM, 0), TOOL);
	must(create(dev, "unclaimed") >= 0, "unclaimed");
	return kexec();
}

FIXTURE(alone)
{
	int dev;
};

FIXTURE_SETUP(alone)
{
	self->dev = open_device();
	ASSERT_LE(0, self->dev);
	must(read_record(&now), RECORDER);
}

FIXTURE_TEARDOWN(alone)
{
	close(self->dev);
}

TEST_F(alone, it_is_over_before_user_space_starts)
{
	const __u64 *t = now.last_in.times;

	EXPECT_EQ(1, now.last_in.sessions);
	EXPECT_EQ(1, now.last_in.over);
	EXPECT_LT(0, t[LIVEUPDATE_MARK_INIT]);
	EXPECT_LE(t[LIVEUPDATE_MARK_INIT], t[LIVEUPDATE_MARK_FINISHED]);
	EXPECT_EQ(0, t[LIVEUPDATE_MARK_OPEN]);
	EXPECT_EQ(0, now.last_in.finished);
}

TEST_F(alone, but_the_session_is_incoming)
{
	EXPECT_EQ(LIVEUPDATE_STATE_UPDATED, state(self->dev, false));
	EXPECT_EQ(-EBUSY, event(self->dev, false, LIVEUPDATE_PREPARE));
}

TEST_F(alone, all_phases_are_known)
{
	json_t *root = json_load_file("/tmp/timeline.json", 0, NULL), *o;
	size_t i;

	ASSERT_NE(NULL, root);
	json_array_foreach(json_object_get(root, "phases"), i, o) {
		EXPECT_LE(0, number(o, "duration_ns")) TH_LOG("%s", text(o, "phase"));
	}
	EXPECT_EQ(8, i);
	EXPECT_EQ(0, number(phase_of(root, "restore"), "duration_ns"));
	EXPECT_EQ(0, number(phase_of(root, "finish"), "duration_ns"));
	EXPECT_LT(0, number(root, "blackout_ns"));
	json_decref(root);
}

FIXTURE(left)
{
	int dev, tool, file;
};

FIXTURE_SETUP(left)
{
	self->dev = open_device();
	ASSERT_LE(0, self->dev);
	self->tool = claim(self->dev, TOOL);
	ASSERT_LE(0, self->tool);
	self->file = retrieve(self->tool, 1);
	ASSERT_LE(0, self->file);
}

FIXTURE_TEARDOWN(left)
{
	close(self->file);
	close(self->tool);
	close(self->dev);
}

TEST_F(left, a_finish_that_leaves_the_tool_ends_the_live_update)
{
	must(read_record(&now), RECORDER);
	EXPECT_EQ(0, now.last_in.over);
	EXPECT_EQ(0, now.last_out.given_up);
	EXPECT_STREQ("", now.last_out.given_up_names[0]);

	EXPECT_GT(0, event(self->dev, false, LIVEUPDATE_FINISH));
	must(read_record(&now), RECORDER);
	EXPECT_EQ(LIVEUPDATE_STATE_UPDATED, state(self->dev, false));
	EXPECT_EQ(1, now.last_in.over);
	EXPECT_EQ(1, now.last_in.discarded);
	EXPECT_NE(0, now.last_in.times[LIVEUPDATE_MARK_FINISHED]);

	EXPECT_EQ(0, test_set(self->file, LIVEUPDATE_TEST_CAN_FINISH, 0, 0));
	EXPECT_EQ(0, finish(self->tool));
	EXPECT_EQ(LIVEUPDATE_STATE_NORMAL, state(self->dev, false));
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "alone"))
		return alone();
	if (argc == 2 && !strcmp(argv[1], "leave"))
		return leave();
	return run_cases(argc, argv, NULL);
}
